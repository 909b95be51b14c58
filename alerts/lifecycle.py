"""The life of an alert: one table.

Theory of operation. An alert exists because a rule's condition was met, or because a value that would meet it waits
for a second reading (*pending*: nobody has been told yet). Once *active* it asks for a person. Two things then happen
independently of each other: the condition ends or comes back (signals from readings and time), and people take the
alert on, pass it on or close it (signals from clicks). The state says where people stand; `condition` on the alert
says where the patient stands. That is why an active alert whose condition ends is *cleared* and not gone: it stays on
the worklist until somebody has seen it, unless it was so mild that no outcome is needed. An *acknowledged* alert has
an owner; what rises above the priority that was acknowledged is active again, because the acknowledgement covered
less. *Resolved* and *withdrawn* are ends. Only a pending alert is ever withdrawn, whatever late data say.

What is not a state: snoozed (computed from `snoozed_until`), escalated (a level), dispatched (only within
acknowledged), paused (a property of the plan).

Every pair of state and signal that has no row, or whose guards all fail, is refused with `IllegalSignal` and changes
nothing. Buttons, diagram and engine all read this table and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from alerts.alert import Alert, Dispatch, State
from alerts.command import Action, IllegalSignal
from alerts.priority import Priority


class Signal(StrEnum):
    """What can happen to an alert; the clicks have the same words as in `command.Action`."""

    MET = "met"  # the condition is present, or (guard) a value waits
    PAST = "past"  # a condition that began and ended before anybody could know
    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    WORSEN = "worsen"
    OVER = "over"
    RETURN = "met again"
    ACKNOWLEDGE = "acknowledge"
    TAKE_OVER = "take_over"
    RELEASE = "release"
    RESOLVE = "resolve"
    SNOOZE = "snooze"
    DISPATCH = "dispatch"
    DISPATCH_ACCEPT = "dispatch_accept"
    DISPATCH_REFUSE = "dispatch_refuse"


@dataclass(frozen=True, slots=True)
class Guard:
    """A named condition on the alert as it was before the signal."""

    words: str
    holds: Callable[[Alert], bool]


ALWAYS = Guard("", lambda alert: True)
WAITING = Guard("a value waits", lambda alert: alert.waiting and not alert.condition)
SETTLED = Guard("nothing waits", lambda alert: alert.condition)
OUTCOME = Guard("an outcome is needed", lambda alert: alert.outcome_is_needed)
NO_OUTCOME = Guard("no outcome is needed", lambda alert: not alert.outcome_is_needed)
PRESENT = Guard("the condition is present", lambda alert: alert.condition)
GONE = Guard("the condition is over", lambda alert: not alert.condition)
WAS_OVER = Guard("it was over", lambda alert: not alert.condition)
MILD = Guard("below high", lambda alert: alert.priority < Priority.HIGH)
NOT_SENT = Guard("nobody is sent", lambda alert: alert.dispatch is None)
SENT = Guard("a home team was asked", lambda alert: alert.dispatch is Dispatch.SENT)


@dataclass(frozen=True, slots=True)
class Row:
    """From a state (None: no open alert), by a signal, to a state."""

    start: State | None
    signal: Signal
    end: State
    guard: Guard = ALWAYS


_PENDING, _ACTIVE, _ACK = State.PENDING, State.ACTIVE, State.ACKNOWLEDGED
_CLEARED, _RESOLVED, _WITHDRAWN = State.CLEARED, State.RESOLVED, State.WITHDRAWN

TABLE: tuple[Row, ...] = (
    Row(None, Signal.MET, _PENDING, WAITING),
    Row(None, Signal.MET, _ACTIVE, SETTLED),
    Row(None, Signal.PAST, _CLEARED),
    Row(_PENDING, Signal.CONFIRMED, _ACTIVE),
    Row(_PENDING, Signal.REFUTED, _WITHDRAWN),
    Row(_ACTIVE, Signal.ACKNOWLEDGE, _ACK),
    Row(_ACTIVE, Signal.RESOLVE, _RESOLVED),
    Row(_ACTIVE, Signal.WORSEN, _ACTIVE),
    Row(_ACTIVE, Signal.OVER, _CLEARED, OUTCOME),
    Row(_ACTIVE, Signal.OVER, _RESOLVED, NO_OUTCOME),
    Row(_ACTIVE, Signal.SNOOZE, _ACTIVE, MILD),
    Row(_ACK, Signal.WORSEN, _ACTIVE),
    Row(_ACK, Signal.RETURN, _ACTIVE, WAS_OVER),
    Row(_ACK, Signal.OVER, _ACK, OUTCOME),
    Row(_ACK, Signal.OVER, _RESOLVED, NO_OUTCOME),
    Row(_ACK, Signal.TAKE_OVER, _ACK),
    Row(_ACK, Signal.RELEASE, _ACTIVE, PRESENT),
    Row(_ACK, Signal.RELEASE, _CLEARED, GONE),
    Row(_ACK, Signal.DISPATCH, _ACK, NOT_SENT),
    Row(_ACK, Signal.DISPATCH_ACCEPT, _ACK, SENT),
    Row(_ACK, Signal.DISPATCH_REFUSE, _ACK, SENT),
    Row(_ACK, Signal.RESOLVE, _RESOLVED),
    Row(_ACK, Signal.SNOOZE, _ACK),
    Row(_CLEARED, Signal.RETURN, _ACTIVE),
    Row(_CLEARED, Signal.ACKNOWLEDGE, _ACK, OUTCOME),
    Row(_CLEARED, Signal.ACKNOWLEDGE, _RESOLVED, NO_OUTCOME),
    Row(_CLEARED, Signal.RESOLVE, _RESOLVED),
)


def _by_start() -> Mapping[tuple[State | None, Signal], tuple[Row, ...]]:
    table: dict[tuple[State | None, Signal], tuple[Row, ...]] = {}
    for row in TABLE:
        table[row.start, row.signal] = (*table.get((row.start, row.signal), ()), row)
    return table


_ROWS = _by_start()


def opening(signal: Signal, draft: Alert) -> State:
    """The first state of a new alert, described by `draft` (whose own state does not count)."""
    return _follow(None, signal, draft)


def after(alert: Alert, signal: Signal) -> State:
    """The state that `signal` leads to; raises `IllegalSignal`."""
    return _follow(alert.state, signal, alert)


def is_legal(alert: Alert, signal: Signal) -> bool:
    """Whether the table has a way for `signal`."""
    return any(row.guard.holds(alert) for row in _ROWS.get((alert.state, signal), ()))


def buttons(alert: Alert) -> tuple[Action, ...]:
    """The clicks that mean something for this alert as it stands, in the order of `Action`."""
    signals = frozenset(Signal)
    return tuple(each for each in Action if each.value in signals and is_legal(alert, Signal(each.value)))


def _follow(start: State | None, signal: Signal, alert: Alert) -> State:
    rows = _ROWS.get((start, signal), ())
    for row in rows:
        if row.guard.holds(alert):
            return row.end
    where = f"{alert.rule}: {signal.value} means nothing for " + (f"a {start} alert" if start else "no alert")
    unmet = " or ".join(row.guard.words for row in rows)
    raise IllegalSignal(f"{where} unless {unmet}" if unmet else where)
