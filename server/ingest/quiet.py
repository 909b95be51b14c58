"""Whose readings may wait for the next evaluation, because the rules said at the last one what changes nothing.

An envelope stands in the patient's row on the slate, beside the moment of the next evaluation, and is worth something
only while that moment is ahead. It is read under the lock of that row, which everybody who judges, clicks or changes
the plan holds until they commit: nobody is called quiet by an envelope of before. Whoever puts a patient on the slate
without having judged removes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select

from alerts.arrival import Arrival
from alerts.envelope import are_quiet, load
from server.db import tables
from server.db.asking import Within, asked_about
from server.db.types import UTCDateTime
from vitals.reading import Reading

_NOW = bindparam("now", type_=UTCDateTime())


def quiet(allowed: Iterable[Any], arrived: Mapping[str, Sequence[Reading]], now: datetime) -> frozenset[str]:
    """The patients of whom every reading that came now is quiet, from the rows that a question about envelopes gave."""
    return frozenset(
        row.patient_id
        for row in allowed
        if row.patient_id in arrived
        and are_quiet(load(row.envelope), [_arrival(each, now) for each in arrived[row.patient_id]])
    )


@asked_about
def envelopes(within: Within) -> Select[Any]:
    """What these patients' last evaluations allow. Nobody judges them before the transaction that asks ends."""
    return _held(within(tables.due.c.patient_id))


@asked_about
def envelopes_by_device(within: Within) -> Select[Any]:
    """The same of the patients who now have the devices of these addresses: asked before it is known who they are."""
    device, assignment = tables.device.c, tables.assignment.c
    has_it_now = assignment.ends_at.is_(None) | (assignment.ends_at > _NOW)
    holders = (
        select(assignment.patient_id)
        .join_from(tables.assignment, tables.device, device.id == assignment.device_id)
        .where(within(device.address), has_it_now)
    )
    return _held(tables.due.c.patient_id.in_(holders))


def _held(whose: ColumnElement[bool]) -> Select[Any]:
    due = tables.due.c
    return (
        select(due.patient_id, due.envelope)
        .where(whose, due.envelope.is_not(None), due.evaluate_at > _NOW)
        .order_by(due.patient_id)  # so that two batches with the same patients wait for each other and form no knot
        .with_for_update()
    )


def _arrival(reading: Reading, now: datetime) -> Arrival:
    return Arrival(
        reading_id=reading.id,
        taken_at=reading.taken_at,
        received_at=now,
        values={each.metric: each.value for each in reading.measurements},
        quality=reading.quality,
        device=reading.device,
    )
