"""What a patient's own pages need; for somebody close as well, as far as the patient shares it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from alerts.plan import Plan
from server.access import Action, allowed, scope
from server.care import plans
from server.care.messages import unread
from server.care.people import NotFoundError
from server.care.questions import Question, questions
from server.care.tasks import Task, tasks
from server.care.whom_to_call import Call, whom_to_call
from server.db import tables
from server.watch.silence import rules_stand_still
from server.web.forms.measured import enterable
from server.web.gathering.asking import OVERDUE, Asking
from server.web.views.own import ANSWERED, Course, courses

_COURSE = timedelta(days=14)
_WEEK = timedelta(days=8)
_VALUES_MAX = 3000  # of the last days, on one page
_LOG_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Who it is about, and under which plan; None: nothing is judged."""

    patient: str
    name: str
    timezone: str
    matters: str | None
    plan: Plan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The first page. `zone` is never green where that is not known; `text` is the plan's own, None without one."""

    zone: str
    text: str | None
    is_unjudged: bool
    is_resting: bool
    call: Call
    tasks: Sequence[Task]
    questions: Sequence[Question]
    metrics: Sequence[str]
    newest: Sequence[Row[Any]]
    unread: int


def own(asking: Asking, patient: str | None = None) -> Own:
    """The patient whose pages these are, or whom staff have asked for; raises `NotFoundError`."""
    patient = patient or asking.actor.patient or ""
    rows = asking.connection.execute(
        scope(select(tables.patient).where(tables.patient.c.id == patient), tables.patient, asking.actor)
    ).all()
    if not rows:
        raise NotFoundError("no such patient")
    return Own(
        patient=patient,
        name=asking.names_of_patients([patient]).get(patient, "–"),
        timezone=rows[0].timezone,
        matters=asking.vault.open(rows[0].matters) if rows[0].matters else None,
        plan=plans.active(asking.connection, patient),
    )


def day(asking: Asking, whose: Own, now: datetime, wall: datetime) -> Day:
    """The first page now; `wall` is real time, by which the rules' own loop is watched."""
    is_still = rules_stand_still(asking.beat_of_watch(), wall) is not None
    zone, is_unjudged = _zone(asking, whose, now, is_still=is_still)
    texts = plans.texts(asking.connection, whose.patient)
    plan, actor = whose.plan, asking.actor
    sees_values = allowed(actor, Action.SEE_OWN_VALUES)
    rows = _values(asking, whose, now - _WEEK) if sees_values else []
    taken: dict[str, list[datetime]] = {}
    for row in rows:
        if row.quality == "good":
            taken.setdefault(row.metric, []).append(row.taken_at)
    return Day(
        zone=zone,
        text=texts.get(zone),
        is_unjudged=is_unjudged,
        is_resting=plan is not None and any(each.holds(now) for each in plan.rests),
        call=whom_to_call(asking.connection, actor, whose.patient, plan, now),
        tasks=tasks(plan, taken, now) if sees_values else (),
        questions=questions(plan),
        metrics=enterable(plan),
        newest=list({row.metric: row for row in rows if row.metric not in ANSWERED}.values()),
        unread=unread(asking.connection, actor).get(whose.patient, 0),
    )


def _zone(asking: Asking, whose: Own, now: datetime, *, is_still: bool) -> tuple[str, bool]:
    """The zone, and whether the rules could not be asked: what was worse than unknown stays, green does not."""
    memory, due = tables.memory, tables.due
    found = asking.connection.execute(
        scope(select(memory.c.zone).where(memory.c.patient_id == whose.patient), memory, asking.actor)
    ).scalar()
    row = asking.connection.execute(
        scope(
            select(due.c.failures, due.c.evaluate_at).where(due.c.patient_id == whose.patient),
            *(due, asking.actor),
        )
    ).first()
    is_late = row is not None and (bool(row.failures) or now - row.evaluate_at > OVERDUE)
    zone = "unknown" if found is None or whose.plan is None else found
    is_unjudged = whose.plan is not None and (is_late or is_still)
    return "unknown" if is_unjudged and zone == "green" else zone, is_unjudged


def own_courses(asking: Asking, whose: Own, now: datetime) -> tuple[Course, ...]:
    """What was measured in the last two weeks, a course for each metric."""
    return courses(_values(asking, whose, now - _COURSE), whose.plan)


def _values(asking: Asking, whose: Own, since: datetime) -> list[Row[Any]]:
    """Measurements taken since then, oldest first, without those that a person took out; the newest if too many."""
    value, reading, fact = tables.measurement, tables.reading, tables.fact
    out = select(fact.c.why).where(fact.c.patient_id == whose.patient, fact.c.kind == "invalidated")
    taken_out = {str(row.why["reading_id"]) for row in asking.connection.execute(scope(out, fact, asking.actor))}
    statement = (
        select(
            *(value.c.metric, value.c.taken_at, value.c.value, reading.c.quality, reading.c.gateway_id),
            reading.c.id.label("reading_id"),
        )
        .join(reading, reading.c.seq == value.c.reading_seq)
        .where(value.c.patient_id == whose.patient, value.c.taken_at >= since)
        .order_by(value.c.taken_at.desc(), value.c.reading_seq.desc())
        .limit(_VALUES_MAX)
    )
    rows = asking.connection.execute(scope(statement, value, asking.actor)).all()
    return [row for row in reversed(rows) if row.reading_id not in taken_out]


def names_around(asking: Asking, whose: Own) -> Mapping[str, str]:
    """Id -> name of everybody whom the reader may know of around this patient."""
    table = tables.contact
    close = asking.connection.execute(
        scope(select(table).where(table.c.patient_id == whose.patient), table, asking.actor)
    )
    names = {row.id: asking.vault.open(row.name) for row in close}
    return {**asking.names_of_staff(), **names, whose.patient: whose.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Somebody who looked or did something: who, as what, when; `by` None for one whose name is not known here."""

    at: datetime
    by: str | None
    role: str
    action: str
    refused: bool


def looks(asking: Asking, whose: Own, names: Mapping[str, str]) -> tuple[Look, ...]:
    """Who looked at the patient's data or did something with them, newest first; not the patient's own visits."""
    table = tables.audit
    statement = (
        select(table)
        .where(table.c.patient_id == whose.patient, table.c.role != "patient")
        .order_by(table.c.seq.desc())
        .limit(_LOG_MAX)
    )
    rows = asking.connection.execute(scope(statement, table, asking.actor))
    return tuple(
        Look(
            at=row.at,
            by=names.get(row.actor),
            role=row.role,
            action=row.action,
            refused=row.outcome == "refused",
        )
        for row in rows
    )
