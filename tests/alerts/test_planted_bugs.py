"""Bugs that would hurt somebody, each planted in one line of the engine: the property that is there for it finds it."""

from dataclasses import dataclass

import pytest

from tests.alerts.planting import examples_until_found, planted

MOST = 1_000  # what CI tries


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One line of a module, how it would be wrong, and which property must notice."""

    name: str
    module: str
    sound: str
    wrong: str
    found_by: str  # module of tests.alerts and test


_CLICKS, _DEADLINES = "test_properties_clicks", "test_properties_deadlines"
_MINUTES = "test_properties.test_event_to_event_is_minute_by_minute"
_SPECIFIED = "test_properties_threshold.test_a_threshold_rule_says_what_its_specification_says"
_INSIDE = "test_properties_envelope.test_inside_the_envelope_a_reading_changes_nothing"
_LOSES = f"{_CLICKS}.test_random_clicks_never_lose_an_unacknowledged_high"
_ONCE = f"{_DEADLINES}.test_every_deadline_fires_once_across_restarts"

BUGS = (
    Bug(
        name="an acknowledgement is kept over a worsening",
        module="alerts.lifecycle",
        sound="Row(_ACK, Signal.WORSEN, _ACTIVE)",
        wrong="Row(_ACK, Signal.WORSEN, _ACK)",
        found_by=_LOSES,
    ),
    Bug(
        name="what was acknowledged never worsens",
        module="alerts.raising",
        sound="elif alert.reference is not None and level.priority > alert.reference:",
        wrong="elif alert.owner is None and alert.reference is not None and level.priority > alert.reference:",
        found_by=_LOSES,
    ),
    Bug(
        name="the next step of a ladder is counted from now",
        module="alerts.escalation",
        sound="changed(ladder, done=ladder.done + 1)",
        wrong="changed(ladder, done=ladder.done + 1, started_at=ladder.started_at + (turn.now.at - ladder.due_at))",
        found_by=_ONCE,
    ),
    Bug(
        name="the window for a second reading is counted from now",
        module="alerts.threshold",
        sound="_let_pass(_Question(rule, (), ()), state, now.reached)",
        wrong="_let_pass(_Question(rule, (), ()), state, lambda end: now.reached(max(end, now.at + _AFTER_ARRIVAL)))",
        found_by=_SPECIFIED,
    ),
    Bug(
        name="the deadband holds bands that were not entered",
        module="alerts.threshold",
        sound="if own.clear is None and beyond[at]:",
        wrong="if own.clear is None and True in beyond and (beyond[at] or not _is_back(rule, band, sample, offsets)):",
        found_by=_SPECIFIED,
    ),
    Bug(
        name="a poor reading refutes",
        module="alerts.threshold",
        sound="    if sample.good:\n        for wait in state.waits:",
        wrong="    if True:\n        for wait in state.waits:",
        found_by=_SPECIFIED,
    ),
    Bug(
        name="the latest wake-up is kept, not the first",
        module="alerts.now",
        sound="deadline < self.wake_at",
        wrong="deadline > self.wake_at",
        found_by=_MINUTES,
    ),
    Bug(
        name="nobody wakes when a slot was missed",
        module="alerts.missing",
        sound="if now.reached(slot.grace_end):",
        wrong="if slot.grace_end <= now.at:",
        found_by=_MINUTES,
    ),
    Bug(
        name="nobody wakes when a window for a second reading ends",
        module="alerts.threshold",
        sound="_let_pass(_Question(rule, (), ()), state, now.reached)",
        wrong="_let_pass(_Question(rule, (), ()), state, lambda end: end <= now.at)",
        found_by=_MINUTES,
    ),
    Bug(
        name="nobody wakes for the next step of a ladder",
        module="alerts.escalation",
        sound="or not turn.now.reached(ladder.due_at)",
        wrong="or not ladder.due_at <= turn.now.at",
        found_by=_MINUTES,
    ),
    Bug(
        name="nobody wakes when a snooze ends",
        module="alerts.turn",
        sound="not self.now.reached(alert.snoozed_until)",
        wrong="not alert.snoozed_until <= self.now.at",
        found_by=f"{_CLICKS}.test_a_snooze_never_outlives_its_bound",
    ),
    Bug(
        name="nobody wakes when what was resolved while it holds may ring again",
        module="alerts.raising",
        sound="not turn.now.reached(quiet.until)",
        wrong="not quiet.until <= turn.now.at",
        found_by=_MINUTES,
    ),
    Bug(
        name="nobody wakes when a pause is over",
        module="alerts.engine",
        sound="if each.end is None or not turn.now.reached(each.end):",
        wrong="if each.end is None or not each.end <= turn.now.at:",
        found_by=_MINUTES,
    ),
    Bug(
        name="a value on the limit is called quiet",
        module="alerts.rules",
        sound="rounding=ROUND_FLOOR) + step",
        wrong="rounding=ROUND_FLOOR)",
        found_by=_INSIDE,
    ),
    Bug(
        name="readings are quiet for a minute after the wake-up",
        module="alerts.envelope",
        sound="Now(now), wake_at)",
        wrong="Now(now), wake_at + LATE_AFTER / 15)",
        found_by=_INSIDE,
    ),
    Bug(
        name="readings are quiet while a value waits for an answer",
        module="alerts.envelope",
        sound="if memory.stale or memory.tail:",
        wrong="if memory.stale:",
        found_by=_INSIDE,
    ),
    Bug(
        name="a reading is quiet that makes an unknown zone known",
        module="alerts.envelope",
        sound="room.leave_out(need.metrics)",
        wrong="pass",
        found_by=_INSIDE,
    ),
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "-"))
def test_the_bug_is_found(bug: Bug):
    module, _, test = bug.found_by.partition(".")
    with planted(bug.module, bug.sound, bug.wrong):
        examples = examples_until_found(f"tests.alerts.{module}", test)
    print(f"{bug.name}: after {examples} examples")
    assert examples <= MOST


def test_a_bug_whose_line_is_gone_says_so():
    with pytest.raises(AssertionError, match="plant this bug where"), planted("alerts.now", "no such line", ""):
        pass


def test_without_a_bug_nothing_is_found_and_the_engine_is_put_back():
    import alerts.now

    before = alerts.now.Now
    with planted("alerts.now", "deadline < self.wake_at", "deadline < self.wake_at"):
        from alerts.now import Now

        assert Now is not before
    from alerts.now import Now

    assert Now is before
