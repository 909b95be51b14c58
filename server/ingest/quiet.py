"""Whose readings may wait for the next evaluation, because the rules said at the last one what changes nothing.

An envelope stands in the patient's row on the slate, beside the moment of the next evaluation, and is worth something
only while that moment is ahead. It is read under the lock of that row, which everybody who judges, clicks or changes
the plan holds until they commit: nobody is called quiet by an envelope of before. Whoever puts a patient on the slate
without having judged removes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select

from alerts.arrival import Arrival
from alerts.envelope import are_quiet, load
from server.db import tables
from server.db.asking import Within, asked_about
from server.db.types import UTCDateTime
from vitals.reading import Reading


def quiet(allowed: Iterable[Any], arrived: Mapping[str, Sequence[Reading]], now: datetime) -> frozenset[str]:
    """The patients of whom every reading that came now is quiet, from the rows that `envelopes` gave."""
    return frozenset(
        row.patient_id
        for row in allowed
        if are_quiet(load(row.envelope), [_arrival(each, now) for each in arrived[row.patient_id]])
    )


@asked_about
def envelopes(within: Within) -> Select[Any]:
    """What these patients' last evaluations allow. Nobody judges them before the transaction that asks ends."""
    due = tables.due.c
    ahead = due.evaluate_at > bindparam("now", type_=UTCDateTime())
    return (
        select(due.patient_id, due.envelope)
        .where(within(due.patient_id), due.envelope.is_not(None), ahead)
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
