"""Whom a patient calls now: the team while it is at work, else who answers after hours. There is always a number."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, select, update

from alerts.keys import KeyProblem
from alerts.plan import Plan, read_hours
from alerts.service_hours import Service
from server import audit
from server.access import Action, Actor, require, scope
from server.db import tables

OUT_OF_HOURS = "116117"  # legevakt, the same number in the whole country
EMERGENCY = "113"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who answers. `team` None: the out-of-hours service of the country; `opens`: when the team is back, if away."""

    phone: str
    team: str | None
    is_open: bool
    opens: datetime | None = None


def whom_to_call(connection: Connection, actor: Actor, patient: str, plan: Plan | None, now: datetime) -> Call:
    """Whom this patient, whom the actor may know of, calls at `now`."""
    enrolment, agreement, team = tables.enrolment, tables.service_agreement, tables.team
    statement = (
        select(
            *(agreement.c.hours, agreement.c.phone, agreement.c.phone_after_hours),
            *(team.c.name, tables.patient.c.timezone),
        )
        .join(enrolment, enrolment.c.patient_id == tables.patient.c.id)
        .join(team, team.c.id == enrolment.c.team_id)
        .join(
            agreement,
            and_(
                agreement.c.team_id == enrolment.c.team_id,
                agreement.c.municipality_id == tables.patient.c.municipality_id,
                agreement.c.state == "active",
            ),
        )
        .where(tables.patient.c.id == patient, enrolment.c.state != "ended")
        .order_by(enrolment.c.starts_at.desc(), agreement.c.id)
    )
    row = connection.execute(scope(statement, tables.patient, actor)).first()
    if row is None:
        return Call(phone=OUT_OF_HOURS, team=None, is_open=False)
    service = plan.service if plan is not None else _service(row.hours, row.timezone)
    if service is not None and service.is_open(now) and row.phone:
        return Call(phone=row.phone, team=row.name, is_open=True)
    opens = None if service is None or not row.phone else service.opens(now)
    return Call(phone=row.phone_after_hours or OUT_OF_HOURS, team=None, is_open=False, opens=opens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the patients of a team are told to call; None: nothing of the team's own."""

    phone: str | None
    after_hours: str | None


def numbers_of(connection: Connection, actor: Actor) -> Numbers:
    """The numbers of the actor's team."""
    agreement = tables.service_agreement
    statement = select(agreement.c.phone, agreement.c.phone_after_hours).where(
        agreement.c.team_id == actor.team, agreement.c.state == "active", agreement.c.kind == "follows"
    )
    row = connection.execute(scope(statement.order_by(agreement.c.id), agreement, actor)).first()
    return Numbers(phone=None, after_hours=None) if row is None else Numbers(phone=row[0], after_hours=row[1])


def publish(connection: Connection, actor: Actor, numbers: Numbers, now: datetime) -> None:
    """Tell the patients of the actor's team these from now on."""
    require(actor, Action.CHANGE_ROSTER)
    if actor.team is not None:
        publish_numbers(connection, actor.team, numbers.phone, numbers.after_hours)
        audit.write(connection, actor, audit.Entry(action=Action.CHANGE_ROSTER, subject=actor.team), now)


def publish_numbers(connection: Connection, team: str, phone: str | None, after_hours: str | None) -> None:
    """What the patients of a team are told to call, inside its hours and outside."""
    agreement = tables.service_agreement
    numbers = update(agreement).where(agreement.c.team_id == team, agreement.c.state == "active")
    connection.execute(numbers.values(phone=phone, phone_after_hours=after_hours))


def _service(hours: str, timezone: str) -> Service | None:
    try:
        return Service(hours=read_hours(hours, "hours"), closed=frozenset(), zone=ZoneInfo(timezone))
    except KeyProblem:
        return None
