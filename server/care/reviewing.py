"""A nurse's word that the green measurements of a patient have been looked at: one click for everybody who is well.

Who is green has no alert, and still somebody should have seen that they measure. What is looked at stands in the audit,
which the patient can read; nothing about alerts or rules changes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from server import audit
from server.access import Action, Actor, require, scope
from server.db import tables
from server.db.tables.judging import SHOWN_STATES

OVERDUE = timedelta(minutes=10)  # as on the worklist: then the rules may not know what a green patient measured since
_MANY = 50  # at a time: a nurse looks at each of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What was shown: these patients, with everything that had been received then."""

    patients: Collection[str]
    as_of: datetime


def unreviewed(connection: Connection, actor: Actor, now: datetime) -> list[Row[Any]]:
    """Green patients (`id`, `newest_at`) who measured since somebody looked, longest ago first; so many at a time."""
    require(actor, Action.REVIEW)
    statement = _green(now)
    return list(connection.execute(scope(statement.limit(_MANY), tables.patient, actor)))


def review(connection: Connection, actor: Actor, shown: Reviewed, now: datetime) -> tuple[str, ...]:
    """Note that the actor has looked at those of them who are still green and have sent nothing since. Returns them."""
    require(actor, Action.REVIEW)
    asked = sorted(set(shown.patients))[:_MANY]
    statement = _green(now).where(tables.patient.c.id.in_(asked))
    rows = connection.execute(scope(statement, tables.patient, actor)).all()
    done = tuple(row.id for row in rows if row.newest_at <= shown.as_of)
    audit.write_all(connection, actor, [audit.Entry(action=Action.REVIEW, patient=patient) for patient in done], now)
    return done


def _green(now: datetime) -> Select[Any]:
    patient, memory, due = tables.patient, tables.memory, tables.due
    reading, alert, entry, enrolment = tables.reading, tables.alert, tables.audit, tables.enrolment
    newest = select(func.max(reading.c.received_at)).where(reading.c.patient_id == patient.c.id).scalar_subquery()
    looked = (
        select(func.max(entry.c.at))
        .where(entry.c.patient_id == patient.c.id, entry.c.action == Action.REVIEW.value)
        .scalar_subquery()
    )
    open_ones = select(alert.c.patient_id).where(alert.c.state.in_(SHOWN_STATES))
    followed = select(enrolment.c.patient_id).where(enrolment.c.state != "ended")
    return (
        select(patient.c.id, newest.label("newest_at"), looked.label("looked_at"))
        .join(memory, memory.c.patient_id == patient.c.id)
        .outerjoin(due, due.c.patient_id == patient.c.id)
        .where(
            memory.c.zone == "green",
            patient.c.id.in_(followed),
            patient.c.id.not_in(open_ones),
            or_(due.c.patient_id.is_(None), (due.c.failures == 0) & (due.c.evaluate_at >= now - OVERDUE)),
            newest.is_not(None),
            or_(looked.is_(None), newest > looked),
        )
        .order_by(looked.asc().nulls_first(), patient.c.id)
    )
