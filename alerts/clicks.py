"""From clicks to alerts: every signal that people send. Illegal ones are refused before anything is changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from alerts import escalation, kinds
from alerts.alert import Alert, Dispatch, State
from alerts.command import EVERY_RULE, Action, Command, IllegalSignal
from alerts.fact import FactKind, Role
from alerts.lifecycle import Signal, after
from alerts.memory import Quiet
from alerts.priority import Priority
from alerts.raising import QUARANTINED
from alerts.rules import AnyRule, Mean, Trend
from alerts.turn import Turn

SNOOZE_MAX = timedelta(hours=12)
_REARM_URGENT = timedelta(hours=2)
_REARM_OTHER = timedelta(hours=12)
_REARM_SLOW = timedelta(days=3)  # what moves over days does not move back in hours


def click(turn: Turn, command: Command, readings: frozenset[str]) -> None:
    """Do what the command asks; raises `IllegalSignal`. `readings`: the ids that an invalidate may name."""
    if not command.by:
        raise IllegalSignal(f"{command.signal.value}: nobody is named as the one who does it")
    if command.signal is Action.INVALIDATE:
        _invalidate(turn, command, readings)
    elif command.signal is Action.ACCEPT:
        _accept(turn, command)
    else:
        for alert in _meant(turn, command):
            _CLICKS[command.signal](turn, alert, command)


def _meant(turn: Turn, command: Command) -> list[Alert]:
    """The alerts that the command means, all of them legal for it."""
    if command.rule != EVERY_RULE:
        alert = turn.alerts.get(command.rule)
        if alert is None:
            raise IllegalSignal(f"{command.rule}: no alert of this rule is open")
        _check(turn, alert, command)
        return [alert]
    meant = []
    for rule in sorted(turn.alerts):
        try:
            _check(turn, turn.alerts[rule], command)
        except IllegalSignal:
            continue
        meant.append(turn.alerts[rule])
    if not meant:
        raise IllegalSignal(f"{command.signal.value} means nothing for any open alert")
    return meant


def _check(turn: Turn, alert: Alert, command: Command) -> None:
    """Refuse what the table does not have, and what it cannot say."""
    after(alert, Signal(command.signal.value))
    if command.signal is Action.TAKE_OVER and command.by == alert.owner:
        raise IllegalSignal(f"{alert.rule}: {command.by} has it already")
    if command.signal is Action.RESOLVE and command.outcome is None and alert.outcome_is_needed:
        raise IllegalSignal(f"{alert.rule}: an outcome is needed to resolve it", "outcome")
    if command.signal is Action.SNOOZE:
        _check_snooze(turn, alert, command)


def _check_snooze(turn: Turn, alert: Alert, command: Command) -> None:
    if command.until is None:
        raise IllegalSignal(f"{alert.rule}: a snooze needs its end", "until")
    ahead = -turn.now.since(command.until)
    if not timedelta(0) < ahead <= SNOOZE_MAX:
        raise IllegalSignal(f"{alert.rule}: a snooze ends after now and within 12 hours", "until")


def _acknowledge(turn: Turn, alert: Alert, command: Command) -> None:
    state = after(alert, Signal.ACKNOWLEDGE)
    if state is State.RESOLVED:
        _close(turn, alert, command, Signal.ACKNOWLEDGE)
        return
    alert = turn.keep(
        alert, state=state, owner=command.by, reference=alert.priority, ladder=escalation.kept(turn, alert)
    )
    turn.tell(FactKind.ACKNOWLEDGED, alert, by=command.by)


def _take_over(turn: Turn, alert: Alert, command: Command) -> None:
    ladder = escalation.kept(turn, alert)
    alert = turn.keep(alert, state=after(alert, Signal.TAKE_OVER), owner=command.by, ladder=ladder)
    turn.tell(FactKind.TAKEN_OVER, alert, by=command.by)


def _release(turn: Turn, alert: Alert, command: Command) -> None:
    state = after(alert, Signal.RELEASE)
    is_active = state is State.ACTIVE
    ladder, level = (escalation.begun(turn, alert.priority), 0) if is_active else (None, alert.level)
    alert = turn.keep(
        alert, state=state, owner=None, dispatch=None, reference=alert.priority, level=level, ladder=ladder
    )
    turn.tell(FactKind.RELEASED, alert, by=command.by)


def _resolve(turn: Turn, alert: Alert, command: Command) -> None:
    _close(turn, alert, command, Signal.RESOLVE)


def _close(turn: Turn, alert: Alert, command: Command, signal: Signal) -> None:
    if alert.rule == QUARANTINED:
        held_back = sorted({(each.reading_id, each.metric) for each in turn.history.quarantine})
        settled = replace(turn.memory.anchor, quarantine=())
        turn.memory = replace(turn.memory, unused=(*turn.memory.unused, *held_back), anchor=settled)
        turn.history = replace(turn.history, quarantine=())
    elif alert.condition:
        span = _rearm_after(turn.plan.rules.get(alert.rule), alert.priority)
        turn.quiet[alert.rule] = Quiet(since=turn.now.at, priority=alert.priority, until=turn.now.at + span)
    if kinds.sums_up(turn.plan.rules.get(alert.rule)):
        earlier = turn.memory.resets.get(alert.rule, ())
        resets = {**turn.memory.resets, alert.rule: (*earlier, turn.now.at)}
        turn.memory = replace(turn.memory, resets=resets)
    outcome = None if command.outcome is None else command.outcome.value
    alert = turn.keep(
        alert, state=after(alert, signal), outcome=outcome, closed_at=turn.now.at, ladder=None, snoozed_until=None
    )
    turn.tell(FactKind.RESOLVED, alert, by=command.by, why={"outcome": outcome})


def _rearm_after(rule: AnyRule | None, priority: Priority) -> timedelta:
    """How long the rule keeps quiet when its alert is closed while its condition holds."""
    if rule is not None and rule.rearm_after is not None:
        return rule.rearm_after
    if isinstance(rule, Trend | Mean):
        return _REARM_SLOW
    return _REARM_URGENT if priority >= Priority.HIGH else _REARM_OTHER


def _snooze(turn: Turn, alert: Alert, command: Command) -> None:
    alert = turn.keep(alert, state=after(alert, Signal.SNOOZE), snoozed_until=command.until)
    until = None if command.until is None else command.until.isoformat()
    turn.tell(FactKind.SNOOZED, alert, by=command.by, why={"until": until})


def _dispatch(turn: Turn, alert: Alert, command: Command) -> None:
    alert = turn.keep(alert, state=after(alert, Signal.DISPATCH), dispatch=Dispatch.SENT)
    turn.tell(FactKind.DISPATCHED, alert, by=command.by)


def _dispatch_accept(turn: Turn, alert: Alert, command: Command) -> None:
    state = after(alert, Signal.DISPATCH_ACCEPT)
    alert = turn.keep(alert, state=state, dispatch=Dispatch.ACCEPTED, ladder=None)
    turn.tell(FactKind.DISPATCH_ACCEPTED, alert, by=command.by)


def _dispatch_refuse(turn: Turn, alert: Alert, command: Command) -> None:
    alert = turn.keep(alert, state=after(alert, Signal.DISPATCH_REFUSE), dispatch=None)
    turn.tell(FactKind.DISPATCH_REFUSED, alert, by=command.by)
    turn.notify(Role.OWNER, alert.rule, by=alert.owner, why={"reason": "dispatch refused"})


def _invalidate(turn: Turn, command: Command, readings: frozenset[str]) -> None:
    """Take a whole reading out of the past."""
    reading, memory = command.reading, turn.memory
    if reading is None or reading not in readings:
        raise IllegalSignal(f"invalidate: there is no reading {reading!r}", "reading")
    if reading in memory.invalidated:
        raise IllegalSignal(f"invalidate: reading {reading!r} was taken out before", "reading")
    filled = (*memory.filled, reading) if command.slot_fulfilled else memory.filled
    turn.memory = replace(memory, invalidated=(*memory.invalidated, reading), filled=filled)
    why = {"reading_id": reading} | ({} if command.reason is None else {"reason": command.reason.value})
    turn.tell(FactKind.INVALIDATED, by=command.by, why=why)


def _accept(turn: Turn, command: Command) -> None:
    """Believe a value that was held back; it counts from now, at the time it was taken."""
    waiting = {each.reading_id for each in turn.history.quarantine}
    if command.reading is None or command.reading not in waiting:
        raise IllegalSignal(f"accept: no value of reading {command.reading!r} is held back", "reading")
    turn.memory = replace(turn.memory, accepted=(*turn.memory.accepted, command.reading))
    turn.tell(FactKind.ACCEPTED, turn.alerts.get(QUARANTINED), by=command.by, why={"reading_id": command.reading})


_CLICKS: Mapping[Action, Callable[[Turn, Alert, Command], None]] = {
    Action.ACKNOWLEDGE: _acknowledge,
    Action.TAKE_OVER: _take_over,
    Action.RELEASE: _release,
    Action.RESOLVE: _resolve,
    Action.SNOOZE: _snooze,
    Action.DISPATCH: _dispatch,
    Action.DISPATCH_ACCEPT: _dispatch_accept,
    Action.DISPATCH_REFUSE: _dispatch_refuse,
}
