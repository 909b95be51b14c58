"""Nurses who click what a page would offer, and now and then what it would not."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from alerts.alert import OPEN, from_mapping
from alerts.command import Action, IllegalSignal, Mistake, Outcome
from alerts.lifecycle import buttons
from server import actions
from server.access import Actor
from server.actions import ChangedMeanwhileError, Click, ReadingClick
from server.care.people import NotFoundError
from server.db import tables
from tests.simulation.serving import Server
from tests.simulation.troubles import Fate

_SELDOM = 0.15


def click(server: Server, fate: Fate) -> None:
    """One nurse, one click; a refused one changes nothing."""
    if not server.is_up:
        return
    who = fate.rng.choice(server.world.nurses)
    on_reading = fate.rng.random() < _SELDOM

    def do() -> None:
        try:
            with server.database.write() as connection:
                now = server.clock.now()
                (_on_reading if on_reading else _on_alert)(connection, who, fate, now)
        except (IllegalSignal, ChangedMeanwhileError, NotFoundError) as refusal:
            server.agenda.note("refused", type(refusal).__name__)
        except OperationalError:
            server.agenda.note("the page says that it cannot")

    server.work(do)
    server.soon("watch", 0.02)


def _on_alert(connection: Connection, who: Actor, fate: Fate, now: datetime) -> None:
    table = tables.alert
    rows: Any = connection.execute(
        select(table.c.id, table.c.body).where(table.c.state.in_(sorted(OPEN))).order_by(table.c.id)
    ).all()
    if not rows:
        return
    row = fate.rng.choice(rows)
    offered = buttons(from_mapping(row.body))
    offered = offered if offered and fate.rng.random() > _SELDOM else tuple(Action)[:8]
    signal = fate.rng.choice(offered)
    outcome = fate.rng.choice(tuple(Outcome)) if signal is Action.RESOLVE else None
    until = now + timedelta(minutes=fate.rng.randrange(5, 120)) if signal is Action.SNOOZE else None
    actions.act(connection, who, Click(alert=row.id, signal=signal, outcome=outcome, until=until), now)


def _on_reading(connection: Connection, who: Actor, fate: Fate, now: datetime) -> None:
    table = tables.reading
    claimed = select(table.c.id, table.c.patient_id).where(table.c.patient_id.is_not(None)).order_by(table.c.seq)
    rows = connection.execute(claimed).all()
    if not rows:
        return
    row = fate.rng.choice(rows)
    signal = fate.rng.choice((Action.INVALIDATE, Action.ACCEPT))
    which = ReadingClick(
        patient=row.patient_id, reading=row.id, signal=signal, slot_fulfilled=True, reason=Mistake.MISTAKE
    )
    actions.act_on_reading(connection, who, which, now)
