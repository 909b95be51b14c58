"""Who did or saw what, and when: rows that only grow. The patient can ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from server.access import Action, Actor
from server.db import tables
from server.db.bulk import add

_SPELL = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that somebody did or was refused. `subject` is the id of what it concerned."""

    action: Action
    patient: str | None = None
    subject: str | None = None
    outcome: str = "done"  # done | refused


def write(connection: Connection, actor: Actor, entry: Entry, now: datetime) -> None:
    """Note it, in the transaction of what was done; nothing for the server's own loops, which no person steers."""
    write_all(connection, actor, [entry], now)


def write_all(connection: Connection, actor: Actor, entries: Sequence[Entry], now: datetime) -> None:
    """The same for several things at once, such as everybody on a list that was seen."""
    if actor.municipality is None:
        return
    rows = [
        {
            "municipality_id": actor.municipality,
            "at": now,
            "actor": actor.id,
            "role": actor.role.value,
            "action": entry.action.value,
            "patient_id": entry.patient,
            "subject": entry.subject,
            "outcome": entry.outcome,
        }
        for entry in entries
    ]
    add(connection, tables.audit, rows)


def write_seen(connection: Connection, actor: Actor, entry: Entry, now: datetime) -> None:
    """Note a look, once for each spell of looking: a script that polls is one reader, not a thousand."""
    if not was_seen(connection, actor, entry, now - _SPELL):
        write(connection, actor, entry, now)


def was_seen(connection: Connection, actor: Actor, entry: Entry, since: datetime) -> bool:
    """Whether this look of this actor has been noted after `since`."""
    table = tables.audit
    same = select(table.c.seq).where(
        table.c.actor == actor.id,
        table.c.action == entry.action.value,
        table.c.patient_id.is_(None) if entry.patient is None else table.c.patient_id == entry.patient,
        table.c.subject.is_(None) if entry.subject is None else table.c.subject == entry.subject,
        table.c.at > since,
    )
    return connection.execute(same.limit(1)).first() is not None
