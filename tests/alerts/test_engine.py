"""`step` and `act`: what they say, what they refuse, and that time and late news are told apart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from alerts import rulebook
from alerts.alert import State
from alerts.arrival import Arrival
from alerts.command import Action, Command, IllegalSignal, Outcome
from alerts.engine import act, step
from alerts.fact import FactKind, Role
from alerts.memory import needs_history
from alerts.plan import Period
from alerts.priority import Priority
from alerts.view import PatientView, Step
from alerts.zone import Zone

START = datetime(2026, 3, 1, 23, tzinfo=UTC)  # midnight in Oslo
EIGHT = START + timedelta(hours=8)
MINUTE = timedelta(minutes=1)
PLAN = rulebook.draft(
    rulebook.merge(rulebook.load("covid19"), {"missing_spo2": {"enabled": False}}),
    {"plan_id": "p", "starts_at": START.isoformat()},
)
READING = Arrival(
    reading_id="low",
    taken_at=EIGHT,
    received_at=EIGHT + timedelta(seconds=20),
    values={"spo2": Decimal("86.6"), "pulse": Decimal(78)},
    device="AA:BB",
)
EMPTY = PatientView(patient="anne", plan=PLAN)
SEEN = replace(EMPTY, arrivals=(READING,), complete=True)


def after(done: Step, **changes) -> PatientView:
    return replace(EMPTY, memory=done.memory, alerts=done.alerts, **changes)


def test_an_alert_says_why():
    done = step(SEEN, EIGHT + MINUTE)
    (alert,) = done.alerts
    assert (alert.rule, alert.state, alert.priority, alert.level) == ("spo2_low", State.ACTIVE, Priority.HIGH, 1)
    assert alert.why == {
        "rule": "spo2_low",
        "rulebook": "covid19",
        "rulebook_version": "1",
        "plan": "p",
        "plan_version": 1,
        "limit_set_by": "rulebook",
        "priority": "high",
        "evaluated_at": "2026-03-02T07:01:00+00:00",
        "metric": "spo2",
        "value": "87",  # rounded half up to the metric's decimals
        "unit": "%",
        "limit": "92",
        "baseline": None,
        "side": "below",
        "quality": "good",
        "device": "AA:BB",
        "reading_id": "low",
        "taken_at": "2026-03-02T07:00:00+00:00",
        "received_at": "2026-03-02T07:00:20+00:00",
        "late": False,
        "quiet_at": "95",
        "kind": "threshold",
        "limit_from": "rulebook",
    }
    assert done.zone is Zone.RED
    assert [(fact.kind, fact.to) for fact in done.facts] == [
        (FactKind.RAISED, None),
        (FactKind.NOTICE, Role.PRIMARY),
        (FactKind.ZONE, None),
        (FactKind.ADVICE, Role.PATIENT),
    ]


def test_a_moment_told_in_another_zone_is_the_same_moment():
    oslo = (EIGHT + MINUTE).astimezone(ZoneInfo("Europe/Oslo"))
    there, here = step(SEEN, oslo), step(SEEN, EIGHT + MINUTE)
    assert repr(there.facts) == repr(here.facts)
    assert [alert.id for alert in there.alerts] == [alert.id for alert in here.alerts]


def test_an_open_alert_also_says_the_newest_value_beyond_the_limit():
    done = step(SEEN, EIGHT + MINUTE)
    later = replace(READING, reading_id="lower", taken_at=EIGHT + 5 * MINUTE, values={"spo2": Decimal(83)})
    done = step(after(done, arrivals=(later,)), EIGHT + 6 * MINUTE)
    (alert,) = done.alerts
    assert alert.why["value"] == "87"  # what raised it
    assert alert.why["newest"] == {
        "metric": "spo2",
        "value": "83",
        "device": "AA:BB",
        "reading_id": "lower",
        "taken_at": "2026-03-02T07:05:00+00:00",
    }
    assert [fact.why["value"] for fact in done.facts if fact.kind is FactKind.EVIDENCE] == ["83"]


def test_the_same_question_has_the_same_answer():
    assert step(SEEN, EIGHT + MINUTE) == step(SEEN, EIGHT + MINUTE)


def test_the_next_rung_is_the_wake_up():
    assert step(SEEN, EIGHT + MINUTE).wake_at == EIGHT + 6 * MINUTE


def test_steps_missed_while_nobody_asked_fire_once_in_order():
    late = step(after(step(SEEN, EIGHT)), EIGHT + 50 * MINUTE)
    told = [fact.to for fact in late.facts if fact.kind is FactKind.NOTICE]
    assert told == [Role.PRIMARY, Role.SHIFT_LEAD, Role.BACKUP, Role.DUTY_MANAGER]
    assert FactKind.INCIDENT in [fact.kind for fact in late.facts]
    assert late.wake_at == EIGHT + 60 * MINUTE


def test_a_click_is_done_after_the_clocks_of_its_moment():
    done = act(
        after(step(SEEN, EIGHT)), Command(signal=Action.ACKNOWLEDGE, rule="spo2_low", by="bo"), EIGHT + 15 * MINUTE
    )
    kinds = [(fact.kind, fact.to, fact.by) for fact in done.facts]
    assert kinds == [
        (FactKind.NOTICE, Role.PRIMARY, None),
        (FactKind.NOTICE, Role.SHIFT_LEAD, None),
        (FactKind.ACKNOWLEDGED, None, "bo"),
    ]
    assert done.alerts[0].owner == "bo"


@pytest.mark.parametrize(
    "command",
    [
        Command(signal=Action.RELEASE, rule="spo2_low", by="bo"),
        Command(signal=Action.ACKNOWLEDGE, rule="pulse_high", by="bo"),
        Command(signal=Action.ACKNOWLEDGE, rule="spo2_low", by=""),
        Command(signal=Action.RESOLVE, rule="spo2_low", by="bo"),
        Command(signal=Action.SNOOZE, rule="spo2_low", by="bo", until=EIGHT + timedelta(hours=1)),
        Command(signal=Action.DISPATCH, rule="*", by="bo"),
    ],
    ids=lambda command: f"{command.signal}-{command.rule}-{command.by}",
)
def test_what_means_nothing_is_refused(command):
    view = after(step(SEEN, EIGHT))
    with pytest.raises(IllegalSignal):
        act(view, command, EIGHT + MINUTE)


def test_clicks_on_the_past_need_all_of_it():
    view = after(step(SEEN, EIGHT))
    command = Command(signal=Action.INVALIDATE, reading="low", by="bo")
    assert needs_history(view.memory, (), plan=PLAN, command=command)
    with pytest.raises(ValueError, match="complete view"):
        act(view, command, EIGHT + MINUTE)


def test_late_news_and_a_changed_plan_want_history():
    memory = step(SEEN, EIGHT).memory
    newer = replace(READING, reading_id="new", taken_at=EIGHT + MINUTE)
    older = replace(READING, reading_id="old", taken_at=EIGHT - MINUTE)
    assert needs_history(None, ())
    assert not needs_history(memory, (newer,), plan=PLAN)
    assert needs_history(memory, (newer, older), plan=PLAN)
    assert needs_history(memory, (newer,), plan=replace(PLAN, version=2))
    assert needs_history(memory, (newer,), plan=replace(PLAN, pauses=(Period(start=EIGHT),)))


def test_late_news_without_history_asks_for_it_and_decides_nothing():
    older = replace(READING, reading_id="old", taken_at=EIGHT - MINUTE, values={"pulse": Decimal(150)})
    done = step(after(step(SEEN, EIGHT), arrivals=(older,)), EIGHT + MINUTE)
    assert done.memory.stale
    assert needs_history(done.memory, ())
    assert done.wake_at is not None
    assert [alert.rule for alert in done.alerts] == ["spo2_low"]


def test_what_taking_a_reading_out_brings_to_light_is_told_once_and_unmarked():
    """Without the second reading the first one was confirmed by silence, and is over by the time of the third."""
    values = {"first": 90, "second": 97, "third": 97, "fourth": 97}
    minutes = {"first": 0, "second": 10, "third": 60, "fourth": 120}
    arrivals = tuple(
        replace(
            READING,
            reading_id=name,
            taken_at=EIGHT + minutes[name] * MINUTE,
            received_at=EIGHT + minutes[name] * MINUTE,
            values={"spo2": Decimal(value)},
        )
        for name, value in values.items()
    )
    done = step(replace(EMPTY, arrivals=arrivals, complete=True), EIGHT + 121 * MINUTE)
    assert done.alerts == ()
    judged = tuple(replace(each, judged=True) for each in arrivals)
    view = after(done, arrivals=judged, complete=True)
    changed = act(view, Command(signal=Action.INVALIDATE, reading="second", by="bo"), EIGHT + 130 * MINUTE)
    (alert,) = changed.alerts
    assert (alert.state, alert.priority, alert.highest) == (State.CLEARED, Priority.MEDIUM, Priority.HIGH)
    assert not alert.late
    assert [fact.kind for fact in changed.facts] == [FactKind.INVALIDATED, FactKind.RAISED]


def test_no_priority_of_medium_or_more_ends_without_a_person():
    done = step(SEEN, EIGHT)
    for hour in range(1, 30):
        fine = replace(
            READING,
            reading_id=f"fine {hour}",
            taken_at=EIGHT + timedelta(hours=hour),
            received_at=EIGHT + timedelta(hours=hour),
            values={"spo2": Decimal(98)},
        )
        done = step(after(done, arrivals=(fine,)), EIGHT + timedelta(hours=hour))
    assert [alert.state for alert in done.alerts] == [State.CLEARED]
    closed = act(
        after(done),
        Command(signal=Action.RESOLVE, rule="spo2_low", by="bo", outcome=Outcome.SELF_RESOLVED),
        fine.taken_at,
    )
    assert [alert.state for alert in closed.alerts] == [State.RESOLVED]
    assert closed.alerts[0].outcome == "self_resolved"


def test_after_the_end_of_the_plan_nothing_new_rings():
    late = replace(READING, taken_at=START + timedelta(days=15), received_at=START + timedelta(days=15))
    assert PLAN.ends_at == START + timedelta(days=14)
    done = step(replace(EMPTY, arrivals=(late,), complete=True), late.received_at)
    assert done.alerts == ()
    assert {fact.kind for fact in done.facts} <= {FactKind.ZONE}


def test_two_steps_to_one_role_within_five_minutes_are_one_notice_unless_more_urgent():
    feverish = replace(READING, reading_id="hot", values={"temperature": Decimal("39.5")})
    both = step(replace(EMPTY, arrivals=(READING, feverish), complete=True), EIGHT)
    assert [fact.rule for fact in both.facts if fact.to is Role.PRIMARY] == ["spo2_low"]
    assert [alert.level for alert in both.alerts] == [1, 1]
