"""What staff write down about a patient, beside what the rules say."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, select

from server import audit
from server.access import Action, Actor, require, scope
from server.care.people import home_of
from server.db import tables

LONGEST = 2000
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is to be written down; about an alert where it is named."""

    patient: str
    text: str
    alert: str | None = None


def write(connection: Connection, actor: Actor, note: Note, now: datetime) -> str:
    """Keep it for good. Returns its id; raises `NotFoundError`, and ValueError for a text that is empty or too long."""
    require(actor, Action.WRITE_NOTE)
    if not 0 < len(note.text) <= LONGEST:
        raise ValueError(f"text: must be 1 to {LONGEST} characters")
    row = {
        "id": str(uuid4()),
        "municipality_id": home_of(connection, actor, note.patient),
        "patient_id": note.patient,
        "alert_id": note.alert,
        "by": actor.id,
        "at": now,
        "text": note.text,
    }
    connection.execute(insert(tables.note).values(row))
    audit.write(connection, actor, audit.Entry(action=Action.WRITE_NOTE, patient=note.patient), now)
    return str(row["id"])


def notes(connection: Connection, actor: Actor, patient: str) -> list[Row[Any]]:
    """The newest notes about the patient, the newest first."""
    table = tables.note
    statement = select(table).where(table.c.patient_id == patient).order_by(table.c.at.desc(), table.c.id)
    return list(connection.execute(scope(statement.limit(_SHOWN), table, actor)))
