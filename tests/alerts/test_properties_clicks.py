"""What no click may do, however people click: leave the table, lose what is urgent, close what nobody saw."""

from datetime import timedelta

from hypothesis import given

from alerts.alert import Alert, State
from alerts.fact import Fact, FactKind
from alerts.priority import Priority
from tests.alerts.table import MOVES, STAYS
from tests.alerts.watched import Asked, Watched, tell
from tests.alerts.worlds import EXAMPLES, World, worlds

_LONGEST = timedelta(hours=12)


@EXAMPLES
@given(worlds())
def test_random_clicks_never_leave_the_table(world: World):
    states: dict[str | None, frozenset[str | None]] = {}

    def follow(_: Watched, asked: Asked) -> None:
        for fact in asked.facts:
            if fact.alert_id is not None and fact.kind not in STAYS:
                before = states.get(fact.alert_id, frozenset({None}))
                after = frozenset().union(*(MOVES.get((each, fact.kind), frozenset()) for each in before))
                assert after, f"{fact.kind} of {fact.rule}, which was {set(before)}"
                states[fact.alert_id] = after
        for alert in asked.after.values():
            assert alert.state in states[alert.id], f"{alert.rule} is {alert.state}, told was {states[alert.id]}"
            states[alert.id] = frozenset({alert.state.value})
        shown = {alert.id for alert in asked.after.values()}
        for name, state in states.items():
            assert name in shown or state & {"resolved", "withdrawn"}, "an alert is gone that nobody closed"
        if asked.refused:
            assert (asked.after, list(asked.facts)) == (asked.before, [])

    tell(world, watch=follow)


@EXAMPLES
@given(worlds())
def test_random_clicks_never_lose_an_unacknowledged_high(world: World):
    taken_on: dict[str, Fact] = {}  # alert -> the newest time that it rang or was taken on

    def follow(_: Watched, asked: Asked) -> None:
        for fact in asked.facts:
            if fact.kind in _RINGS or fact.kind in (FactKind.ACKNOWLEDGED, FactKind.TAKEN_OVER):
                taken_on[str(fact.alert_id)] = fact
        for rule, alert in asked.before.items():
            if _is_unanswered_high(alert):
                now = asked.after.get(rule)
                same = now is not None and now.id == alert.id
                assert same or _closed_by_hand(asked, alert), f"{rule}: nobody closed it"
        for alert in asked.after.values():
            if alert.state is State.ACKNOWLEDGED:
                newest = taken_on[alert.id]
                assert newest.kind not in _RINGS, f"{alert.rule} rang again, and is still counted as taken on"
                assert newest.priority is not None
                assert alert.priority <= newest.priority, f"{alert.rule} is worse than what was taken on"
            if _is_unanswered_high(alert) and alert.state is State.ACTIVE:
                _assert_somebody_will_be_called(alert, asked)

    tell(world, watch=follow)


_RINGS = frozenset({FactKind.RAISED, FactKind.RETURNED, FactKind.WORSENED, FactKind.RELEASED})


def _is_unanswered_high(alert: Alert) -> bool:
    return alert.priority >= Priority.HIGH and alert.state in (State.ACTIVE, State.CLEARED)


def _closed_by_hand(asked: Asked, alert: Alert) -> bool:
    return any(
        fact.kind is FactKind.RESOLVED and fact.alert_id == alert.id and fact.by in ("anna", "bo")
        for fact in asked.facts
    )


def _assert_somebody_will_be_called(alert: Alert, asked: Asked) -> None:
    assert alert.owner is None
    assert alert.ladder is not None, alert.rule
    assert alert.ladder.name in (alert.priority.word, "response", "high", "critical"), alert.ladder
    assert alert.ladder.due_at is not None, alert.rule
    call_at = max(alert.ladder.due_at, alert.snoozed_until or alert.ladder.due_at)
    assert call_at > asked.at
    assert asked.wake_at is not None
    assert asked.wake_at <= call_at


@EXAMPLES
@given(worlds())
def test_nothing_clinical_of_medium_or_more_is_resolved_without_a_person(world: World):
    highest: dict[str | None, Priority] = {}

    def follow(_: Watched, asked: Asked) -> None:
        for alert in (*asked.before.values(), *asked.after.values()):
            highest[alert.id] = max(highest.get(alert.id, alert.highest), alert.highest)
        for fact in asked.facts:
            if fact.alert_id is not None and fact.priority is not None and fact.kind is not FactKind.PENDING:
                was_told = fact.kind is not FactKind.WITHDRAWN
                highest[fact.alert_id] = max(highest.get(fact.alert_id, Priority.LOW), fact.priority if was_told else 0)
            if fact.kind is FactKind.RESOLVED and highest[fact.alert_id] >= Priority.MEDIUM:
                assert fact.by in ("anna", "bo"), f"{fact.rule} was closed by nobody"
                assert fact.why["outcome"], f"{fact.rule} was closed without an outcome"
                assert asked.command is not None
                assert asked.command.signal in ("resolve", "acknowledge")
            if fact.kind is FactKind.WITHDRAWN:
                assert asked.before[fact.rule].state is State.PENDING, f"{fact.rule} was taken back after it was shown"

    tell(world, watch=follow)


@EXAMPLES
@given(worlds())
def test_a_snooze_never_outlives_its_bound(world: World):
    promised: dict[str, object] = {}  # alert -> the end that the newest snooze named

    def follow(_: Watched, asked: Asked) -> None:
        for fact in asked.facts:
            if fact.kind is FactKind.SNOOZED:
                assert asked.command is not None
                assert asked.command.until is not None
                assert timedelta(0) < asked.command.until - asked.at <= _LONGEST
                assert fact.priority is not None
                before = asked.before[fact.rule]
                assert before.priority < Priority.HIGH or before.state is State.ACKNOWLEDGED
                promised[str(fact.alert_id)] = asked.command.until
            elif fact.kind is FactKind.WORSENED:
                promised.pop(str(fact.alert_id), None)
        for alert in asked.after.values():
            if alert.snoozed_until is not None and alert.snoozed_until > asked.at:
                assert alert.snoozed_until == promised.get(alert.id), f"{alert.rule} sleeps longer than anybody said"
            elif _has_running_ladder(alert):
                assert alert.ladder is not None
                assert alert.ladder.due_at is None or alert.ladder.due_at > asked.at, f"{alert.rule} is still asleep"
            if alert.snoozed_until is not None and _is_held_back(alert, asked):
                assert asked.wake_at is not None
                assert asked.wake_at <= alert.snoozed_until, f"{alert.rule}: nobody wakes when its snooze ends"

    tell(world, watch=follow)


def _has_running_ladder(alert: Alert) -> bool:
    if alert.ladder is None:
        return False
    return alert.state is (State.ACKNOWLEDGED if alert.ladder.name == "kept" else State.ACTIVE) and (
        alert.dispatch is None or alert.dispatch.value != "accepted"
    )


def _is_held_back(alert: Alert, asked: Asked) -> bool:
    """Whether a step is already due that only the snooze keeps from being taken."""
    if not _has_running_ladder(alert) or alert.ladder is None or alert.ladder.due_at is None:
        return False
    return alert.ladder.due_at <= asked.at and alert.snoozed_until is not None and alert.snoozed_until > asked.at
