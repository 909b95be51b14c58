"""What a threshold says for itself: the band that spoke, what it asked for, and a quiet value that really is quiet."""

from dataclasses import replace
from decimal import Decimal

import pytest

from alerts.history import Quarantined
from alerts.replay import Replay, run
from alerts.story_file import load
from alerts.why_band import doubt
from tests.alerts.test_why_counting import STORIES

ABSENT = object()


def reasons(story, rule):
    """Every reason that the rule gave in that story, as (kind, why)."""
    told = load(STORIES / f"{story}.toml")
    replay = Replay(plan=told.plan)
    run(replay, told.arrivals, [], told.expects[-1].at)
    return [(fact.kind.value, fact.why) for fact in replay.facts if fact.rule == rule and "kind" in fact.why]


@pytest.mark.parametrize(
    ("story", "rule", "at", "expected"),
    [
        (
            "diabetes_high_for_two_hours",
            "glucose_high",
            0,
            {"readings": 2, "apart_s": 7200, "most_s": 86400, "silence_s": None, "confirm_s": ABSENT},
        ),
        ("cancer_fever_by_degrees", "fever", 0, {"limit": "38.0", "readings": ABSENT, "priority": "high"}),
        # critical at once, though the run at 38.0 is critical too
        ("cancer_fever_by_degrees", "fever", 1, {"limit": "38.3", "readings": ABSENT, "priority": "critical"}),
        ("copd_prescribed_floor", "spo2_low", 0, {"limit_from": "floor", "limit": "86", "baseline": "91"}),
        ("copd_prescribed_floor", "spo2_low", 1, {"limit_from": "baseline", "baseline_set_by": "plan"}),
        ("copd_limits_follow_the_patient", "spo2_low", 0, {"limit_from": "rulebook", "baseline": None}),
        ("copd_limits_follow_the_patient", "spo2_low", 1, {"limit_from": "baseline", "baseline_set_by": "start_up"}),
        ("own_limits", "spo2_low", 0, {"limit_set_by": "plan", "limit_from": "plan"}),
        ("silence_confirms", "spo2_low", 1, {"confirm_s": 900, "quality": "good"}),
        ("poor_readings_only_ask", "temperature_high", 1, {"confirm_s": 900, "quality": "poor"}),
        ("too_low_for_the_device", "glucose_low", 0, {"value": "LO", "confirm_s": ABSENT}),
        ("drop_from_own_level", "spo2_drop", 0, {"limit": "95.5", "baseline": "98.5", "quiet_at": "96"}),
        (
            "hypertension_very_high",
            "bp_crisis",
            1,
            {
                "values": {"systolic": "180", "diastolic": "100"},
                "limits": {"systolic": "180", "diastolic": "110"},
                "quiet": {"systolic": "179", "diastolic": "109"},
            },
        ),
    ],
)
def test_the_band_that_spoke_says_what_it_asked_for(story, rule, at, expected):
    _, why = reasons(story, rule)[at]
    assert {name: why.get(name, ABSENT) for name in expected} == expected


@pytest.mark.parametrize(
    ("story", "rule", "metric"),
    [
        ("drop_from_own_level", "spo2_drop", "spo2"),
        ("copd_limits_follow_the_patient", "spo2_low", "spo2"),
        ("cancer_fever_by_degrees", "fever", "temperature"),
        ("diabetes_low_by_steps", "glucose_low", "glucose"),
        ("diabetes_high_for_two_hours", "glucose_high", "glucose"),
        ("hypertension_too_low", "systolic_low", "systolic"),
    ],
)
def test_the_quiet_value_is_the_last_quiet_one(story, rule, metric):
    """Had the reading that raised it been at `quiet_at`, nothing were raised then; one step further out it is."""
    told = load(STORIES / f"{story}.toml")
    _, why = next(each for each in reasons(story, rule) if each[0] == "raised")
    quiet = Decimal(why["quiet_at"])
    step = Decimal(1).scaleb(quiet.as_tuple().exponent) * (1 if why["side"] == "above" else -1)
    for value, is_raised in ((quiet, False), (quiet + step, True)):
        until = next(each for each in told.arrivals if each.reading_id == why["reading_id"])
        before = [each for each in told.arrivals if each.key < until.key]
        changed = replace(until, values={**until.values, metric: value})
        replay = Replay(plan=told.plan)
        run(replay, [*before, changed], [], until.received_at)
        met = [fact for fact in replay.facts if fact.rule == rule and fact.kind in ("raised", "pending")]
        assert bool(met) is is_raised


@pytest.mark.parametrize(
    ("metric", "value", "reason", "expected"),
    [
        ("spo2", "120", "outside 50-100", {"doubt": "range", "least": "50", "most": "100"}),
        ("weight", "91.3", "more than 5.0 kg from 75.0", {"doubt": "jump", "compared": "75.0"}),
        ("systolic", "90", "pulse pressure under 10", {"doubt": "pulse_pressure"}),
    ],
)
def test_a_value_that_is_not_believed_says_what_would_have_been(metric, value, reason, expected):
    at = load(STORIES / "not_believed.toml").plan.starts_at
    held = Quarantined(reading_id="1", metric=metric, value=value, taken_at=at, received_at=at, reason=reason)
    assert doubt(held) == expected
