"""Pauses: a patient in hospital or away is not judged, and is neither nagged nor forgotten.

The rules know a pause from the plan, so setting or ending one makes a plan version that differs in nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, or_, select, update

from alerts.plan import Period
from server import audit
from server.access import Action, Actor, require, scope
from server.care import plans
from server.care.people import NotFoundError, home_of
from server.care.steps import Done, Step, note
from server.db import tables

BACK_MOST = timedelta(days=14)  # somebody comes home and tells: the time before is only tidied up
AHEAD_MOST = timedelta(days=366)


class Reason(StrEnum):
    """Why a plan rests."""

    HOSPITAL = "hospital"
    HOLIDAY = "holiday"
    OTHER = "other"


class PauseError(ValueError):
    """A pause that cannot be: `field` says which part of it, `reason` why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is wished for; times are aware. `ends_at` None: until somebody ends it."""

    patient: str
    starts_at: datetime
    ends_at: datetime | None
    reason: Reason
    remark: str | None = None


def pause(connection: Connection, actor: Actor, rest: Rest, now: datetime) -> str:
    """Let the plan rest. Returns the pause's id; raises `PauseError` and `NotFoundError`, and nothing is changed."""
    require(actor, Action.PAUSE)
    municipality = home_of(connection, actor, rest.patient)
    _check(connection, rest, now)
    row = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "patient_id": rest.patient,
        "starts_at": rest.starts_at,
        "ends_at": rest.ends_at,
        "reason": rest.reason.value,
        "remark": rest.remark,
        "set_by": actor.id,
        "set_at": now,
    }
    connection.execute(insert(tables.pause).values(row))
    _tell_rules(connection, actor, rest.patient, Done(step=Step.PAUSED, patient=rest.patient, by=actor.id), now)
    return str(row["id"])


def end(connection: Connection, actor: Actor, identity: str, now: datetime) -> None:
    """The pause is over now; one that has not begun never will. Raises `PauseError` and `NotFoundError`."""
    require(actor, Action.PAUSE)
    table = tables.pause
    row = connection.execute(scope(select(table).where(table.c.id == identity), table, actor)).first()
    if row is None:
        raise NotFoundError("no such pause")
    if row.ended_at is not None or (row.ends_at is not None and row.ends_at <= now):
        raise PauseError("ended", "the pause is over already")
    changed = {"ended_by": actor.id, "ended_at": now, "ends_at": max(now, row.starts_at)}
    connection.execute(update(table).where(table.c.id == identity).values(changed))
    _tell_rules(connection, actor, row.patient_id, Done(step=Step.RESUMED, patient=row.patient_id, by=actor.id), now)


def of(connection: Connection, actor: Actor, patient: str) -> list[Row[Any]]:
    """The patient's pauses, the newest first."""
    table = tables.pause
    statement = select(table).where(table.c.patient_id == patient).order_by(table.c.starts_at.desc(), table.c.id)
    return list(connection.execute(scope(statement, table, actor)))


def current(rows: Iterable[Row[Any]], now: datetime) -> Row[Any] | None:
    """The pause that holds now, if one does."""
    return next((row for row in rows if row.starts_at <= now and (row.ends_at is None or now < row.ends_at)), None)


def periods(connection: Connection, patient: str) -> list[Period]:
    """The patient's pauses as the rules know them, the oldest first; one that was ended before it began is none."""
    table = tables.pause
    is_real = or_(table.c.ends_at.is_(None), table.c.ends_at > table.c.starts_at)
    which = select(table).where(table.c.patient_id == patient, is_real).order_by(table.c.starts_at)
    return [Period(start=row.starts_at, end=row.ends_at) for row in connection.execute(which)]


def _check(connection: Connection, rest: Rest, now: datetime) -> None:
    if not now - BACK_MOST <= rest.starts_at <= now + AHEAD_MOST:
        raise PauseError("starts_at", "must be within the last 14 days or the coming year")
    if rest.ends_at is not None and not rest.starts_at < rest.ends_at <= now + AHEAD_MOST:
        raise PauseError("ends_at", "must be after the start, within a year")
    if rest.ends_at is not None and rest.ends_at <= now:
        raise PauseError("ends_at", "is over already")
    for each in periods(connection, rest.patient):
        starts_before_end = rest.ends_at is None or each.start < rest.ends_at
        if starts_before_end and (each.end is None or rest.starts_at < each.end):
            raise PauseError("starts_at", "there is a pause at that time already")


def _tell_rules(connection: Connection, actor: Actor, patient: str, done: Done, now: datetime) -> None:
    plan = plans.stored(connection, patient)
    version = None
    if plan is not None:
        resting = replace(plan, pauses=tuple(periods(connection, patient)))
        version = plans.activate(connection, patient, resting, actor.id, now)
    note(connection, replace(done, version=version), now)
    audit.write(connection, actor, audit.Entry(action=Action.PAUSE, patient=patient), now)
