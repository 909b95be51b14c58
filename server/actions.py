"""A person's click on an alert: the same engine, the same save, the same facts as when time or a reading asks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from alerts import engine
from alerts.command import Action as Signal
from alerts.command import Command, IllegalSignal, Outcome
from alerts.view import Step
from server import audit
from server.access import Action, Actor, require, scope
from server.care.people import NotFoundError
from server.db import tables
from server.watch.evaluate import evaluate
from server.watch.patient import load, save

_ACTIONS = {
    Signal.ACKNOWLEDGE: Action.ACKNOWLEDGE,
    Signal.RESOLVE: Action.RESOLVE,
}


class ChangedMeanwhileError(Exception):
    """The alert is no longer what the person saw when clicking; `version` is what it is now."""

    def __init__(self, version: int) -> None:
        super().__init__("the alert has changed since it was shown")
        self.version = version


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """What somebody asks of one alert; `version`: the one they saw, None: whatever it is now."""

    alert: str
    signal: Signal
    outcome: Outcome | None = None
    version: int | None = None


def act(connection: Connection, actor: Actor, click: Click, now: datetime) -> Step:
    """Do it, in the caller's transaction, and note it in the audit. `now` was read inside that transaction.

    Raises `RefusedError`, `NotFoundError`, `ChangedMeanwhileError` and `IllegalSignal`; then nothing is changed.
    """
    action = _ACTIONS.get(click.signal)
    if action is None:
        raise IllegalSignal(f"{click.signal} cannot be asked for yet")
    require(actor, action)
    row = _alert(connection, actor, click)
    # Readings that nobody has judged come first: the click must mean what the alert is now, not what it was.
    evaluate(connection, row.patient_id, now)
    row = _alert(connection, actor, click)
    command = Command(signal=click.signal, by=actor.id, rule=row.rule, outcome=click.outcome)
    loaded = load(connection, row.patient_id, command)
    if loaded is None or not any(each.id == click.alert for each in loaded.view.alerts):
        raise IllegalSignal(f"{click.signal} means nothing for an alert that is {row.state}")
    step = engine.act(loaded.view, command, now)
    asked = {"signal": click.signal.value, "rule": row.rule, "by": actor.id}
    save(connection, loaded, step, now, asked | ({"outcome": click.outcome.value} if click.outcome else {}))
    audit.write(connection, actor, audit.Entry(action=action, patient=row.patient_id, subject=click.alert), now)
    return step


def _alert(connection: Connection, actor: Actor, click: Click) -> Row[Any]:
    """The alert as it is now, if the actor may know of it and it is still what they saw."""
    table = tables.alert
    row = connection.execute(scope(select(table).where(table.c.id == click.alert), table, actor)).first()
    if row is None:
        raise NotFoundError("no such alert")
    if click.version is not None and row.version != click.version:
        raise ChangedMeanwhileError(row.version)
    return row
