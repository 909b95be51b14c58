"""A person's click: the same engine, the same save, the same facts as when time or a reading asks.

Each kind of click is an action of its own in `access`, under the word that the engine has for it, and stands in the
audit with it. What the engine refuses is refused here: nothing in this file knows what is legal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from alerts import engine
from alerts.command import Action as Signal
from alerts.command import Command, IllegalSignal, Mistake, Outcome
from alerts.view import Step
from server import audit
from server.access import Action, Actor, require, scope
from server.care.people import NotFoundError
from server.db import tables
from server.watch.evaluate import evaluate
from server.watch.patient import Loaded, load, save


class ChangedMeanwhileError(Exception):
    """The alert is no longer what the person saw when clicking; `version` is what it is now."""

    def __init__(self, version: int, alert: str = "") -> None:
        super().__init__("the alert has changed since it was shown")
        self.version = version
        self.alert = alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a person decides by: one more measurement or notice of the same kind does not change what was meant."""

    state: str
    priority: str
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """What somebody asks of one alert. `until` is aware.

    It must be what they saw: exactly (`version`), or as far as it matters (`seen`); with neither, whatever it is now.
    """

    alert: str
    signal: Signal
    outcome: Outcome | None = None
    until: datetime | None = None
    version: int | None = None
    seen: Seen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingClick:
    """What somebody asks of a patient's reading: take it out (invalidate), or believe what was held back (accept)."""

    patient: str
    reading: str
    signal: Signal
    slot_fulfilled: bool = False
    reason: Mistake | None = None


def act(connection: Connection, actor: Actor, click: Click, now: datetime) -> Step:
    """Do it, in the caller's transaction, and note it in the audit. `now` was read inside that transaction.

    Raises `RefusedError`, `NotFoundError`, `ChangedMeanwhileError` and `IllegalSignal`; the caller then rolls back, and
    nothing is changed.
    """
    return act_together(connection, actor, (click,), now)


def act_together(connection: Connection, actor: Actor, clicks: Sequence[Click], now: datetime) -> Step:
    """The same click on several alerts of one patient, as one: each for which it is legal, refused when none is.

    Every alert must be what the person saw, or nothing is done to any. Raises as `act` does.
    """
    for each in clicks:
        require(actor, Action(each.signal.value))
    patients = {_alert(connection, actor, each).patient_id for each in clicks}
    if len(patients) != 1:
        raise IllegalSignal("alerts of more than one patient are not clicked as one")
    (patient,) = patients
    # Readings that nobody has judged come first: the click must mean what the alert is now, not what it was.
    evaluate(connection, patient, now)
    rows = [_alert(connection, actor, each) for each in clicks]
    done: Step | None = None
    refused: list[IllegalSignal] = []
    for row, each in zip(rows, clicks, strict=True):
        until = None if each.until is None else each.until.astimezone(UTC)
        command = Command(signal=each.signal, by=actor.id, rule=row.rule, outcome=each.outcome, until=until)
        try:
            done = _do(connection, _loaded(connection, row, command), command, now)
        except IllegalSignal as refusal:
            refused.append(refusal)
            continue
        entry = audit.Entry(action=Action(each.signal.value), patient=patient, subject=row.id)
        audit.write(connection, actor, entry, now)
    if done is None:
        raise refused[0]
    return done


def act_on_reading(connection: Connection, actor: Actor, click: ReadingClick, now: datetime) -> Step:
    """Change the past of the reading's patient, in the caller's transaction; raises as `act` does."""
    action = Action(click.signal.value)
    require(actor, action)
    table = tables.reading
    patient = click.patient
    which = select(table.c.seq).where(table.c.id == click.reading, table.c.patient_id == patient)
    if connection.execute(scope(which, table, actor)).first() is None:
        raise NotFoundError("no such reading")
    evaluate(connection, patient, now)
    command = Command(
        signal=click.signal,
        by=actor.id,
        reading=click.reading,
        slot_fulfilled=click.slot_fulfilled,
        reason=click.reason,
    )
    loaded = load(connection, patient, command)
    if loaded is None:
        raise IllegalSignal(f"{click.signal.value}: no plan judges this patient's readings")
    step = _do(connection, loaded, command, now)
    audit.write(connection, actor, audit.Entry(action=action, patient=patient, subject=click.reading), now)
    return step


def recorded(command: Command) -> Mapping[str, Any]:
    """The command as `evaluation.click` keeps it; `server.reports.recorded` reads it again."""
    said: dict[str, Any] = {"signal": command.signal.value, "by": command.by}
    said |= {"rule": command.rule} if command.rule else {}
    said |= {"outcome": command.outcome.value} if command.outcome else {}
    said |= {"until": command.until.isoformat()} if command.until else {}
    said |= {"reading": command.reading} if command.reading else {}
    said |= {"slot_fulfilled": command.slot_fulfilled} if command.signal is Signal.INVALIDATE else {}
    return said | ({"reason": command.reason.value} if command.reason else {})


def _do(connection: Connection, loaded: Loaded, command: Command, now: datetime) -> Step:
    step = engine.act(loaded.view, command, now)
    save(connection, loaded, step, now, recorded(command))
    return step


def _loaded(connection: Connection, row: Row[Any], command: Command) -> Loaded:
    """The alert's patient, if the alert is still one that the rules know."""
    loaded = load(connection, row.patient_id, command)
    if loaded is None or not any(each.id == row.id for each in loaded.view.alerts):
        raise IllegalSignal(f"{row.rule}: {command.signal.value} means nothing for an alert that is {row.state}")
    return loaded


def _alert(connection: Connection, actor: Actor, click: Click) -> Row[Any]:
    """The alert as it is now, if the actor may know of it and it is still what they saw."""
    table = tables.alert
    row = connection.execute(scope(select(table).where(table.c.id == click.alert), table, actor)).first()
    if row is None:
        raise NotFoundError("no such alert")
    now = Seen(state=row.state, priority=row.priority, owner=row.owner)
    if click.version not in (None, row.version) or click.seen not in (None, now):
        raise ChangedMeanwhileError(row.version, click.alert)
    return row
