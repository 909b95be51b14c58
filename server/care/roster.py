"""Who is on duty: for which team, in which role of the ladder, from when to when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, insert, select

from alerts.fact import Role
from server import audit
from server.access import Action, Actor, require, scope
from server.care.people import NotFoundError
from server.db import tables

# The roles that somebody can be on duty in; patient and owner are who they are.
ON_DUTY = (Role.PRIMARY, Role.SHIFT_LEAD, Role.BACKUP, Role.DUTY_MANAGER, Role.RESPONSE_CENTRE)
LONGEST = timedelta(days=7)  # an on-call week; anything longer is a slip of the keyboard
AHEAD = timedelta(days=400)


class DutyError(ValueError):
    """The duty cannot be; `field` names what is wrong and `reason` how, both words of the form."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDuty:
    """A shift to be put on the roster of the coordinator's own team."""

    team: str
    staff: str
    role: Role
    starts_at: datetime
    ends_at: datetime


def put_on(connection: Connection, actor: Actor, new: NewDuty, now: datetime) -> str:
    """Put it on the roster; returns its id. Raises `RefusedError` and `DutyError`."""
    require(actor, Action.CHANGE_ROSTER)
    _check(connection, actor, new, now)
    made = str(uuid4())
    row = {
        "id": made,
        "municipality_id": _municipality(connection, new.team),
        "team_id": new.team,
        "staff_id": new.staff,
        "role": new.role.value,
        "starts_at": new.starts_at,
        "ends_at": new.ends_at,
        "set_by": actor.id,
    }
    connection.execute(insert(tables.duty).values(row))
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_ROSTER, subject=made), now)
    return made


def take_off(connection: Connection, actor: Actor, duty: str, now: datetime) -> None:
    """Take a shift off the roster of the actor's own team; raises `RefusedError` and `NotFoundError`."""
    require(actor, Action.CHANGE_ROSTER)
    table = tables.duty
    ours = (table.c.id == duty, table.c.team_id == actor.team)
    if connection.execute(scope(delete(table).where(*ours), table, actor)).rowcount != 1:
        raise NotFoundError("no such duty")
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_ROSTER, subject=duty), now)


def copy_week(connection: Connection, actor: Actor, week: datetime, now: datetime) -> int:
    """Put what began in the seven days before `week` on the roster a week later, as far as it is not there; how many.

    Times keep the distance in real hours; a week with a change of clocks is one to look at.
    """
    require(actor, Action.CHANGE_ROSTER)
    step = timedelta(days=7)
    rows = [row for row in of_team(connection, str(actor.team), week - step, week) if row.starts_at >= week - step]
    there = {(row.staff_id, row.role, row.starts_at) for row in of_team(connection, str(actor.team), week, week + step)}
    copied = 0
    for row in rows:
        if (row.staff_id, row.role, row.starts_at + step) in there:
            continue
        new = NewDuty(
            team=row.team_id,
            staff=row.staff_id,
            role=Role(row.role),
            starts_at=row.starts_at + step,
            ends_at=row.ends_at + step,
        )
        try:
            put_on(connection, actor, new, now)
        except DutyError:  # somebody has left, or has other duties then
            continue
        copied += 1
    return copied


def of_team(connection: Connection, team: str, since: datetime, until: datetime) -> Sequence[Row[Any]]:
    """The shifts of a team that touch this span, by their beginning."""
    table = tables.duty
    touching = select(table).where(table.c.team_id == team, table.c.ends_at > since, table.c.starts_at < until)
    return connection.execute(touching.order_by(table.c.starts_at, table.c.role, table.c.id)).all()


def on_duty(connection: Connection, team: str, now: datetime) -> dict[Role, tuple[str, ...]]:
    """Role -> the staff members (ids) who answer in it now; those alone who still work here."""
    table, staff = tables.duty, tables.staff
    rows = connection.execute(
        select(table.c.role, table.c.staff_id)
        .join(staff, staff.c.id == table.c.staff_id)
        .where(table.c.team_id == team, table.c.starts_at <= now, table.c.ends_at > now, staff.c.active)
        .order_by(table.c.starts_at, table.c.id)
    )
    found: dict[Role, tuple[str, ...]] = {}
    for row in rows:
        role = Role(row.role)
        if row.staff_id not in found.get(role, ()):
            found[role] = (*found.get(role, ()), row.staff_id)
    return found


def _check(connection: Connection, actor: Actor, new: NewDuty, now: datetime) -> None:
    if new.team != actor.team:
        raise DutyError("staff", "not_ours")
    if new.role not in ON_DUTY:
        raise DutyError("role", "unknown")
    staff = tables.staff
    works = select(staff.c.id).where(staff.c.id == new.staff, staff.c.team_id == new.team, staff.c.active)
    if connection.execute(scope(works, staff, actor)).first() is None:
        raise DutyError("staff", "not_ours")
    if new.ends_at <= new.starts_at:
        raise DutyError("until", "before_start")
    if new.ends_at - new.starts_at > LONGEST:
        raise DutyError("until", "too_long")
    if new.starts_at > now + AHEAD or new.ends_at < now - LONGEST:
        raise DutyError("day", "too_far")
    for row in of_team(connection, new.team, new.starts_at, new.ends_at):
        if row.staff_id == new.staff and row.role == new.role.value:
            raise DutyError("staff", "there_already")


def _municipality(connection: Connection, team: str) -> str:
    table = tables.team
    return str(connection.execute(select(table.c.municipality_id).where(table.c.id == team)).scalar_one())
