"""What a page of several patients asks, composed once for each kind of reader; `Asking` asks it."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
)

from server.access import AT_HOME, Action, Actor, allowed, scope
from server.care.messages import is_unread
from server.db import tables
from server.db.asking import Within
from server.db.types import UTCDateTime
from server.scoped import Scoped, asked_by, asked_of_all
from server.web.gathering.standing import ENROLLED, IS_SHOWN

# What two gateways heard is the patient's already and waits for nobody. None of them has a patient: said here too,
# because the few are then found by their index on every page.
IS_NOBODYS = and_(
    tables.reading.c.patient_id.is_(None),
    tables.reading.c.unclaimed.is_not(None),
    tables.reading.c.unclaimed != "heard_twice",
)
# Only a green zone is doubted, and an alert of one patient is found by the index.
_DOUBTED = case(
    (
        tables.memory.c.zone == "green",
        exists().where(tables.alert.c.patient_id == tables.patient.c.id, IS_SHOWN, tables.alert.c.condition),
    ),
    else_=false(),
)


def _followed() -> Select[Any]:
    patient, memory, plan, due, person = tables.patient, tables.memory, tables.plan_version, tables.due, tables.person
    return (
        select(
            patient.c.id, patient.c.timezone, patient.c.matters, person.c.name, memory.c.zone,
            plan.c.body.label("plan"), due.c.failures, due.c.evaluate_at,
        )
        .join(person, person.c.id == patient.c.person_id)
        .outerjoin(memory, memory.c.patient_id == patient.c.id)
        .outerjoin(due, due.c.patient_id == patient.c.id)
        .outerjoin(plan, and_(plan.c.patient_id == patient.c.id, plan.c.state == "active"))
        .where(patient.c.id.in_(ENROLLED))
        .order_by(patient.c.id)
    )  # fmt: skip


@asked_of_all(tables.patient)
def all_followed() -> Select[Any]:
    """Patients whose enrolment is not over, with their closed name, their zone and their active plan's body."""
    return _followed()


@asked_by(tables.patient)
def followed(within: Within) -> Select[Any]:
    """The same of these alone."""
    return _followed().where(within(tables.patient.c.id))


@asked_by(tables.alert)
def open_alerts(within: Within) -> Select[Any]:
    """The alerts of these patients that a person should see, with their whole body."""
    table = tables.alert
    return select(table).where(IS_SHOWN, within(table.c.patient_id)).order_by(table.c.id)


@Scoped
def newest_values(reader: Actor, within: Within) -> Select[Any]:
    """Of each of these patients and each of the `metrics` the newest `most` measurements after `since`, oldest first.

    `metrics`: their names, with a comma before and after each. What a person took out is left out.
    """
    value = tables.measurement.c
    named = bindparam("metrics", type_=String()).contains(literal(",").concat(value.metric).concat(","))
    place = func.row_number().over(partition_by=(value.patient_id, value.metric), order_by=value.taken_at.desc())
    columns = (value.patient_id, value.metric, value.taken_at, value.value)
    wanted = select(*columns, place.label("place")).where(
        within(value.patient_id), named, value.taken_at >= bindparam("since", type_=UTCDateTime()),
        value.reading_seq.not_in(_taken_out(within)),
    )  # fmt: skip
    newest = scope(wanted, tables.measurement, reader, within).subquery()
    return select(newest).where(newest.c.place <= bindparam("most", type_=Integer())).order_by(newest.c.taken_at)


def _taken_out(within: Within) -> Select[Any]:
    """Numbers of the readings of these patients that a person took out."""
    fact, reading = tables.fact.c, tables.reading.c
    return (
        select(reading.seq)
        .join(tables.fact, fact.why["reading_id"].as_string() == reading.id)
        .where(within(fact.patient_id), fact.kind == "invalidated")
    )


@asked_by(tables.fact)
def taken_out(within: Within) -> Select[Any]:
    """Why readings of these patients were taken out; the reading's id is in it."""
    return select(tables.fact.c.why).where(within(tables.fact.c.patient_id), tables.fact.c.kind == "invalidated")


@asked_of_all(tables.patient)
def zones() -> Select[Any]:
    """Each patient's zone (None: never judged), and whether the rules could not be asked since `overdue`."""
    return _zoned(tables.patient.c.id.label("patient_id"))


@Scoped
def census(reader: Actor, _: Within) -> Select[Any]:
    """How many (`patients`) have the same zone, `is_unjudged` and `condition`.

    `condition`: an alert of a green patient says that it is not over.
    """
    each = scope(_zoned(_DOUBTED.label("condition")), tables.patient, reader).subquery()
    return select(*each.c, func.count().label("patients")).group_by(*each.c)


def _zoned(more: ColumnElement[Any]) -> Select[Any]:
    patient, memory, due = tables.patient, tables.memory, tables.due
    is_overdue = due.c.evaluate_at < bindparam("overdue", type_=UTCDateTime())
    unjudged = func.coalesce(or_(due.c.failures > 0, is_overdue), false())
    return (
        select(memory.c.zone, unjudged.label("is_unjudged"), more)
        .select_from(patient)
        .outerjoin(memory, memory.c.patient_id == patient.c.id)
        .outerjoin(due, due.c.patient_id == patient.c.id)
        .where(patient.c.id.in_(ENROLLED))
    )


@Scoped
def frame(reader: Actor, _: Within) -> Select[Any]:
    """The name of the reader's `team`, and what waits on other pages: messages `kept` in quarantine, `unclaimed`
    readings, plans `proposed`, messages `unread`. None where it is not for the reader.
    """
    kept, reading, proposal, message = tables.quarantine, tables.reading, tables.plan_proposal, tables.message
    read = Action.SEE_OWN_MESSAGES if reader.role in AT_HOME else Action.SEE_MESSAGES
    asked = (
        ("kept", Action.SEE_QUARANTINE, kept, kept.c.state == "open"),
        ("unclaimed", Action.SEE_UNCLAIMED, reading, IS_NOBODYS),
        ("proposed", Action.APPROVE_PLAN, proposal, proposal.c.state == "tested"),
        ("unread", read, message, is_unread(reader.role)),
    )
    team = select(tables.team.c.name).where(tables.team.c.id == reader.team)
    return select(
        team.scalar_subquery().label("team"),
        *(
            scope(select(func.count()).select_from(table).where(which), table, reader).scalar_subquery().label(name)
            if allowed(reader, action)
            else null().label(name)
            for name, action, table, which in asked
        ),
    )
