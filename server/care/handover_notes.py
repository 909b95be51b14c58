"""What one shift leaves to the next, and a team to the one that answers at night or the other way round.

A note about a patient to a team that answers routes the patient there until the service opens: to be asked to look
after somebody whom one may not see would be no help.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, or_, select, update

from server import audit
from server.access import Action, Actor, require, scope
from server.care.people import NotFoundError
from server.care.routing import Reason, Route, answering, route
from server.db import tables
from server.vault import Vault

TEXT_MAX = 2000
NOTES_MAX = 50  # on one page
_KEPT_IN_SIGHT = timedelta(days=7)


class NoteError(ValueError):
    """The note cannot be; `field` and `reason` are words of the form."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNote:
    """A note to `to_team`, which may be the own one's next shift; `patient` None: about nobody in particular."""

    to_team: str
    text: str
    patient: str | None = None


def partners(connection: Connection, actor: Actor) -> Sequence[Row[Any]]:
    """The teams to whom the actor's team hands over, by name: itself, who answers for it, for whom it answers."""
    team, agreement = tables.team, tables.service_agreement
    active = agreement.c.state == "active"
    answers_for_us = select(agreement.c.team_id).where(
        agreement.c.municipality_id == actor.municipality, agreement.c.kind == "answers", active
    )
    served = select(agreement.c.municipality_id).where(
        agreement.c.team_id == actor.team, agreement.c.kind == "answers", active
    )
    follows_there = select(agreement.c.team_id).where(
        agreement.c.municipality_id.in_(served), agreement.c.kind == "follows", active
    )
    wanted = or_(team.c.id == actor.team, team.c.id.in_(answers_for_us), team.c.id.in_(follows_there))
    rows = connection.execute(scope(select(team.c.id, team.c.name).where(wanted), team, actor)).all()
    return sorted(rows, key=lambda row: (row.id != actor.team, row.name))


def write(connection: Connection, vault: Vault, actor: Actor, new: NewNote, now: datetime) -> str:
    """Leave the note; returns its id. Raises `RefusedError` and `NoteError`."""
    require(actor, Action.HAND_OVER)
    _check(connection, actor, new)
    made = str(uuid4())
    home = select(tables.team.c.municipality_id).where(tables.team.c.id == new.to_team)
    if new.patient is not None:
        home = select(tables.patient.c.municipality_id).where(tables.patient.c.id == new.patient)
    row = {
        "id": made,
        "municipality_id": connection.execute(home).scalar_one(),
        "team_id": actor.team,
        "to_team_id": new.to_team,
        "patient_id": new.patient,
        "text": vault.close(new.text),
        "by": actor.id,
        "at": now,
    }
    connection.execute(insert(tables.handover_note).values(row))
    audit.write(connection, actor, audit.Entry(action=Action.HAND_OVER, patient=new.patient, subject=made), now)
    if new.patient is not None and new.to_team in answering(connection, new.patient):
        route(connection, Route(patient=new.patient, team=new.to_team, reason=Reason.HANDED_OVER), now)
    return made


def take(connection: Connection, actor: Actor, note: str, now: datetime) -> None:
    """Say that one has read it and goes on from there; the first who says so stands on it. Raises as `write` does."""
    require(actor, Action.HAND_OVER)
    table = tables.handover_note
    seen = select(table.c.id, table.c.patient_id).where(table.c.id == note, table.c.to_team_id == actor.team)
    found = connection.execute(scope(seen, table, actor)).first()
    if found is None:
        raise NotFoundError("no such note")
    free = update(table).where(table.c.id == note, table.c.taken_by.is_(None))
    if connection.execute(free.values(taken_by=actor.id, taken_at=now)).rowcount:
        audit.write(
            connection, actor, audit.Entry(action=Action.HAND_OVER, patient=found.patient_id, subject=note), now
        )


def recent(connection: Connection, actor: Actor, now: datetime) -> Sequence[Row[Any]]:
    """The notes of the last days that the actor may know of, those that nobody took first, then the newest."""
    table = tables.handover_note
    since = or_(table.c.at >= now - _KEPT_IN_SIGHT, table.c.taken_by.is_(None))
    newest = select(table).where(since).order_by(table.c.taken_by.is_not(None), table.c.at.desc(), table.c.id)
    return connection.execute(scope(newest.limit(NOTES_MAX), table, actor)).all()


def _check(connection: Connection, actor: Actor, new: NewNote) -> None:
    if actor.team is None or new.to_team not in {row.id for row in partners(connection, actor)}:
        raise NoteError("to_team", "not_ours")
    if not new.text:
        raise NoteError("text", "empty")
    if len(new.text) > TEXT_MAX:
        raise NoteError("text", "too_long")
    if new.patient is None:
        return
    patient = tables.patient
    known = select(patient.c.id).where(patient.c.id == new.patient)
    if connection.execute(scope(known, patient, actor)).first() is None:
        raise NoteError("patient", "not_ours")
    if new.to_team != actor.team and not _shares(connection, new):
        raise NoteError("patient", "not_theirs")


def _shares(connection: Connection, new: NewNote) -> bool:
    """Whether the other team is one that answers for the patient, or that follows them."""
    enrolment = tables.enrolment
    follows = select(enrolment.c.id).where(
        enrolment.c.patient_id == new.patient, enrolment.c.team_id == new.to_team, enrolment.c.state != "ended"
    )
    return new.to_team in answering(connection, str(new.patient)) or connection.execute(follows).first() is not None
