"""What the rules that count say for themselves: complete, and what would have kept them quiet really would."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from alerts.replay import Replay, run
from alerts.story_file import load

STORIES = Path(__file__).parents[2] / "alerts" / "rulebooks" / "stories"
HEAD = {"rule", "rulebook", "rulebook_version", "plan", "plan_version", "limit_set_by", "priority", "evaluated_at"}
READING = {"device", "reading_id", "taken_at", "received_at", "late", "quality"}
ANSWER = {"kind", "metric", "value", "unit", "limit", "side", "quiet_at"}


def raised(story, rule):
    """The first alert of the rule in that story, as it was raised."""
    told = load(STORIES / f"{story}.toml")
    replay = Replay(plan=told.plan)
    run(replay, told.arrivals, [], told.expects[-1].at)
    return next(fact.why for fact in replay.facts if fact.rule == rule and fact.kind == "raised")


@pytest.mark.parametrize(
    ("story", "rule", "expected"),
    [
        (
            "score_needs_five",
            "news2",
            {
                "kind": "score",
                "value": "3",
                "limit": None,
                "quiet_at": "4",
                "sum": 3,
                "upper": 9,
                "single": ["respiration"],
                "missing": ["consciousness", "spo2"],
                "partial": True,
            },
        ),
        (
            "gain_in_three_days",
            "weight_gain_3d",
            {
                "kind": "trend",
                "method": "delta",
                "value": "82.6",
                "limit": "2.0",
                "compared": "80.5",
                "compared_on": "2026-03-03",
                "change": "2.1",
                "quiet_at": "82.5",
            },
        ),
        (
            "loss_in_a_month",
            "weight_loss_1m",
            {"method": "loss", "value": "57.0", "compared": "60.0", "change": "5.00", "quiet_at": "57.1"},
        ),
        ("unsteady_saturation", "spo2_unstable", {"method": "resid_sd", "limit": "4", "compared": "90"}),
        (
            "drift_resolved_starts_the_sum_again",
            "weight_trend",
            {"method": "macd_cusum", "macd": None, "cusum": "2.40", "cusum_limit": "1.60", "baseline": "80.0"},
        ),
        (
            "mean_on_the_limit",
            "bp_mean_high",
            {"kind": "mean", "metric": "systolic", "value": "135.0", "limit": "135", "readings": 12, "on_days": 3},
        ),
        (
            "gain_and_felt",
            "gain_with_symptoms",
            {"kind": "compound", "metric": "symptom_yellow", "present": ["weight_gain_3d"], "quiet_at": "0"},
        ),
    ],
)
def test_an_answer_says_why(story, rule, expected):
    why = raised(story, rule)
    assert set(why) >= HEAD | READING | ANSWER
    assert {name: why[name] for name in expected} == expected
    assert why["rule"] == rule
    assert why["taken_at"]


def test_a_score_names_every_part_with_its_source():
    parts = raised("score_needs_five", "news2")["parts"]
    assert parts["oxygen"] == {"value": "no", "points": 0, "from": "plan"}
    assert parts["respiration"] == {
        "value": "25",
        "points": 3,
        "reading_id": "1",
        "taken_at": "2026-03-02T07:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("story", "rule"),
    [("gain_in_three_days", "weight_gain_3d"), ("loss_in_a_month", "weight_loss_1m")],
)
def test_the_quiet_value_is_the_last_quiet_one(story, rule):
    """With today's value at `quiet_at` nothing is raised; one step further it is."""
    told, why = load(STORIES / f"{story}.toml"), raised(story, rule)
    step = Decimal("0.1") if why["side"] == "above" else Decimal("-0.1")
    for value, is_raised in ((Decimal(why["quiet_at"]), False), (Decimal(why["quiet_at"]) + step, True)):
        replay = Replay(plan=told.plan)
        until = next(each for each in told.arrivals if each.reading_id == why["reading_id"])
        before = [each for each in told.arrivals if each.key < until.key]
        run(replay, [*before, _with(until, value)], [], until.received_at)
        assert any(fact.rule == rule and fact.kind == "raised" for fact in replay.facts) is is_raised


def _with(arrival, value):
    return replace(arrival, values={"weight": value})
