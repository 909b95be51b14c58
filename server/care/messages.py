"""Messages between a patient, those whom the patient lets read and write, and the team. Not for emergencies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from server import audit
from server.access import AT_HOME, Action, Actor, Role, require, scope
from server.care.people import NotFoundError
from server.care.reports import form_id
from server.db import tables
from server.vault import Vault

TEXT_MAX = 2000
_SHOWN_MAX = 100
_HOME_ROLES = tuple(role.value for role in AT_HOME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `by` is an id, `role` the writer's; `read_at`: when somebody of the other side saw it."""

    id: str
    by: str
    role: str
    at: datetime
    text: str
    read_at: datetime | None

    @property
    def from_home(self) -> bool:
        """Whether it came from the patient's side."""
        return self.role in _HOME_ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message about to be sent; `token` is its form's."""

    patient: str
    text: str
    token: str


def write(connection: Connection, vault: Vault, actor: Actor, new: NewMessage, now: datetime) -> bool:
    """Send it; False when this form was sent already. Raises `RefusedError` and `NotFoundError`."""
    action = Action.WRITE_OWN_MESSAGE if actor.role in AT_HOME else Action.WRITE_MESSAGE
    require(actor, action)
    whose, table = tables.patient.c, tables.message
    statement = select(whose.municipality_id).where(whose.id == new.patient)
    # Held until the end, so that the same form sent twice at once is one message.
    found = connection.execute(scope(statement, tables.patient, actor).with_for_update()).scalar()
    if found is None:
        raise NotFoundError("no such patient")
    identity = form_id(new.patient, new.token)
    if connection.execute(select(table.c.id).where(table.c.id == identity)).first():
        return False
    row = {
        "id": identity,
        "municipality_id": found,
        "patient_id": new.patient,
        "by": actor.id,
        "role": actor.role.value,
        "at": now,
        "text": vault.close(new.text),
    }
    connection.execute(insert(table).values(row))
    audit.write(connection, actor, audit.Entry(action=action, patient=new.patient, subject=identity), now)
    return True


def thread(connection: Connection, vault: Vault, actor: Actor, patient: str) -> Sequence[Message]:
    """The newest messages about a patient, oldest first."""
    table = tables.message
    statement = select(table).where(table.c.patient_id == patient).order_by(table.c.at.desc(), table.c.id)
    rows = connection.execute(scope(statement.limit(_SHOWN_MAX), table, actor)).all()
    return [
        Message(id=row.id, by=row.by, role=row.role, at=row.at, text=vault.open(row.text), read_at=row.read_at)
        for row in reversed(rows)
    ]


def mark_read(connection: Connection, actor: Actor, patient: str, now: datetime) -> bool:
    """Note that the actor's side has seen what the other side wrote; whether anything was new."""
    table = tables.message
    seen = (
        update(table).where(table.c.patient_id == patient, is_unread(actor.role)).values(read_by=actor.id, read_at=now)
    )
    return connection.execute(scope(seen, table, actor)).rowcount > 0


def is_unread(role: Role) -> ColumnElement[bool]:
    """Whether a message waits for this role's side."""
    table = tables.message.c
    theirs = table.role.not_in(_HOME_ROLES) if role in AT_HOME else table.role.in_(_HOME_ROLES)
    return and_(table.read_at.is_(None), theirs)


def unread(connection: Connection, actor: Actor) -> Mapping[str, int]:
    """Patient id -> how many messages wait for the actor's side; patients with none are left out."""
    table = tables.message
    statement = select(table.c.patient_id, func.count().label("count")).where(is_unread(actor.role))
    rows = connection.execute(scope(statement, table, actor).group_by(table.c.patient_id))
    return {patient: int(count) for patient, count in rows}


def unread_of(connection: Connection, team: str) -> Mapping[str, datetime]:
    """Patient id -> since when a message of theirs is unread, of a team's patients, whoever waits longest first."""
    table, enrolment = tables.message, tables.enrolment
    ours = select(enrolment.c.patient_id).where(enrolment.c.team_id == team, enrolment.c.state != "ended")
    since = func.min(table.c.at).label("since")
    statement = (
        select(table.c.patient_id, since)
        .where(table.c.read_at.is_(None), table.c.role.in_(_HOME_ROLES), table.c.patient_id.in_(ours))
        .group_by(table.c.patient_id)
        .order_by(since, table.c.patient_id)
    )
    return {row.patient_id: row.since for row in connection.execute(statement)}
