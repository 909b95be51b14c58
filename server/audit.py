"""Who did or saw what, and when: rows that only grow. The patient can ask for them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from server.access import Action, Actor
from server.db import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that somebody did or was refused. `subject` is the id of what it concerned."""

    action: Action
    patient: str | None = None
    subject: str | None = None
    outcome: str = "done"  # done | refused


def write(connection: Connection, actor: Actor, entry: Entry, now: datetime) -> None:
    """Note it, in the transaction of what was done; nothing for the server's own loops, which no person steers."""
    if actor.municipality is None:
        return
    row = {
        "municipality_id": actor.municipality,
        "at": now,
        "actor": actor.id,
        "role": actor.role.value,
        "action": entry.action.value,
        "patient_id": entry.patient,
        "subject": entry.subject,
        "outcome": entry.outcome,
    }
    connection.execute(insert(tables.audit).values(row))
