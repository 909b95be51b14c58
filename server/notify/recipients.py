"""Whom a notice reaches: who is on duty in its role, else who answers for the team, the team, or the next role.

The ladder decides when which role is told (`alerts/escalation.py`); here it is only looked up who that is just now.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from alerts.fact import Role
from server.care import roster, routing
from server.db import tables

# Who comes after whom when nobody in a role can be reached.
_UP = {
    Role.OWNER: (Role.SHIFT_LEAD, Role.BACKUP, Role.DUTY_MANAGER),
    Role.PRIMARY: (Role.SHIFT_LEAD, Role.BACKUP, Role.DUTY_MANAGER),
    Role.RESPONSE_CENTRE: (Role.SHIFT_LEAD, Role.BACKUP, Role.DUTY_MANAGER),
    Role.SHIFT_LEAD: (Role.BACKUP, Role.DUTY_MANAGER),
    Role.BACKUP: (Role.DUTY_MANAGER,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person, or the team as a whole where `staff` is None; both None: nobody in particular."""

    role: Role
    team: str | None = None
    staff: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the ladder that is to be told now: about whom, to which role, how urgent, and who owns the alert."""

    patient: str
    to: Role
    priority: str | None
    owner: str | None
    now: datetime


Reaches = Callable[[Recipient], bool]


def recipients(
    connection: Connection, step: Step, told: Iterable[Recipient], reaches: Reaches
) -> tuple[Recipient, ...]:
    """Whom to tell: the first of those in the step's role, then in the next ones, who can be reached and was not told.

    Nobody at all: the team by whatever way is left, unless somebody was told before.
    """
    known = set(told)
    roles = (step.to, *_UP.get(step.to, ()))
    begun = max((roles.index(each.role) for each in known if each.role in roles), default=-1)
    spoken_to = {(each.team, each.staff) for each in known}
    team = _team_of(connection, step.patient)
    for role in roles[begun + 1 :]:
        for group in _groups(connection, step, role, team):
            found = tuple(each for each in group if (each.team, each.staff) not in spoken_to and reaches(each))
            if found:
                return found
    return () if known else (Recipient(role=step.to, team=team),)


def _groups(connection: Connection, step: Step, role: Role, team: str | None) -> Iterator[tuple[Recipient, ...]]:
    """Those who could be told in this role, the nearest first."""
    if role is Role.OWNER:
        yield tuple(_owner(connection, step))
    elif role is not Role.RESPONSE_CENTRE and team is not None:
        yield _people(connection, team, role, step.now)
    if role is Role.RESPONSE_CENTRE or is_closed(connection, step.patient, step.now):
        for other in routing.answering(connection, step.patient, step.priority):
            yield from _anybody(connection, other, role, step.now)
    if team is not None:
        yield from _anybody(connection, team, role, step.now)


def is_closed(connection: Connection, patient: str, now: datetime) -> bool:
    """Whether the patient's own service is known not to be at work now."""
    service = routing.service_of(connection, patient)
    return service is not None and not service.is_open(now)


def _anybody(connection: Connection, team: str, role: Role, now: datetime) -> Iterator[tuple[Recipient, ...]]:
    """Of a team that answers: who is on duty to answer, the team's own telephone, then whoever is on duty at all."""
    duty = roster.on_duty(connection, team, now)
    yield tuple(Recipient(role=role, team=team, staff=each) for each in duty.get(Role.RESPONSE_CENTRE, ()))
    yield (Recipient(role=role, team=team),)
    yield tuple(Recipient(role=role, team=team, staff=each) for each in dict.fromkeys(sum(duty.values(), ())))


def _people(connection: Connection, team: str, role: Role, now: datetime) -> tuple[Recipient, ...]:
    return tuple(
        Recipient(role=role, team=team, staff=each) for each in roster.on_duty(connection, team, now).get(role, ())
    )


def _owner(connection: Connection, step: Step) -> Iterator[Recipient]:
    staff = tables.staff
    owner = select(staff.c.id, staff.c.team_id).where(staff.c.id == step.owner, staff.c.active)
    for row in connection.execute(owner):
        yield Recipient(role=Role.OWNER, team=row.team_id, staff=row.id)


def _team_of(connection: Connection, patient: str) -> str | None:
    table = tables.enrolment
    current = select(table.c.team_id).where(table.c.patient_id == patient, table.c.state != "ended")
    return connection.execute(current.order_by(table.c.starts_at.desc()).limit(1)).scalar()
