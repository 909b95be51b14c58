"""The tables of the rules that count are read strictly: what is wrong is named by its key."""

from decimal import Decimal
from typing import Any

import pytest

from alerts import rulebook
from alerts.keys import KeyProblem, Keys
from alerts.priority import Priority
from alerts.rule_table import read_rules
from alerts.rules import Compound, Mean, Method, Score, Threshold, Trend

SCORE: dict[str, Any] = {
    "kind": "score",
    "bands": [{"sum": 7, "priority": "critical"}, {"sum": 5, "priority": "high"}],
    "single": "high",
}
DELTA: dict[str, Any] = {
    "kind": "trend",
    "metric": "weight",
    "method": "delta",
    "days": 3,
    "more_than": 2,
    "priority": "medium",
}
MEAN: dict[str, Any] = {
    "kind": "mean",
    "metrics": ["systolic", "diastolic"],
    "limits": {"diastolic": 85, "systolic": 135},
    "least": 12,
    "least_days": 3,
    "priority": "medium",
}
FELT: dict[str, Any] = {"kind": "compound", "symptom": "symptom_yellow", "any_of": ["gain"], "priority": "high"}
LOW: dict[str, Any] = {
    "kind": "threshold",
    "metric": "spo2",
    "side": "below",
    "bands": [{"limit": 92, "priority": "medium", "own": {"offset": -3}}],
}
GOOD: dict[str, dict[str, Any]] = {"news2": SCORE, "gain": DELTA, "mean": MEAN, "felt": FELT, "spo2_low": LOW}


def read(table: dict[str, Any]) -> dict[str, Any]:
    """The rules of a table as a rulebook has it."""
    return dict(read_rules(Keys(table, "rules")))


def test_good_tables_read() -> None:
    rules = read(GOOD)
    score, gain, mean, felt = (rules[name] for name in ("news2", "gain", "mean", "felt"))
    assert isinstance(score, Score)
    assert [band.sum for band in score.bands] == [5, 7]
    assert score.levels == (Priority.HIGH, Priority.CRITICAL)
    assert isinstance(gain, Trend)
    assert (gain.method, gain.days, gain.clear_readings, gain.bands[0].is_past) == (Method.DELTA, 3, 2, True)
    assert isinstance(mean, Mean)
    assert mean.limits == (Decimal(135), Decimal(85))
    assert isinstance(felt, Compound)
    assert felt.listens_to == ("symptom_yellow", "weight")


def test_a_compound_without_its_rules_listens_to_the_symptom_alone() -> None:
    rules = read({**GOOD, "gain": {**DELTA, "enabled": False}})
    assert rules["felt"].listens_to == ("symptom_yellow",)


@pytest.mark.parametrize(
    ("rule", "changes", "key"),
    [
        ("news2", {"bands": [{"sum": 5, "priority": "high"}, {"sum": 5, "priority": "critical"}]}, "news2.bands"),
        ("news2", {"bands": [{"sum": 0, "priority": "high"}]}, "news2.bands[0].sum"),
        ("news2", {"bands": [{"limit": 5, "priority": "high"}]}, "news2.bands[0].sum: missing"),
        ("news2", {"single": 3}, "news2.single"),
        ("news2", {"metric": "spo2"}, "news2.metric: unknown key"),
        ("gain", {"method": "slope"}, "gain.method"),
        ("gain", {"metric": "wieght"}, "gain.metric"),
        ("gain", {"days": 0}, "gain.days"),
        ("gain", {"limit": 2}, "gain.limit: either"),
        ("gain", {"more_than": -1}, "gain.more_than: must be more than 0"),
        ("gain", {"bands": []}, "gain.bands: either"),
        ("gain", {"method": "resid_sd"}, "gain.days: means nothing"),
        ("gain", {"method": "macd_cusum"}, "gain.more_than: means nothing"),
        ("gain", {"deadband": -1}, "gain.deadband"),
        ("mean", {"metrics": ["systolic"]}, "mean.limits.diastolic"),
        ("mean", {"limits": {"systolic": 135}}, "mean.limits.diastolic: missing"),
        ("mean", {"least": 0}, "mean.least"),
        ("mean", {"metrics": ["systolic", "pressure"]}, "mean.metrics"),
        ("felt", {"any_of": []}, "felt.any_of"),
        ("felt", {"any_of": ["loss"]}, "felt.any_of: 'loss' is no rule"),
        ("felt", {"any_of": ["felt"]}, "felt.any_of"),
        ("felt", {"symptom": "cough"}, "felt.symptom"),
        ("spo2_low", {"side": "above"}, "spo2_low.bands: own limits"),
        ("spo2_low", {"bands": [{"limit": 92, "priority": "medium", "own": {"ofset": -3}}]}, "own.offset: missing"),
        (
            "spo2_low",
            {"bands": [{"limit": 92, "priority": "high", "confirm": {"within": "15min", "symptom": "pain"}}]},
            "confirm.symptom: unknown metric 'pain'",
        ),
    ],
)
def test_what_is_wrong_is_named(rule: str, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(KeyProblem) as caught:
        read({**GOOD, rule: {**GOOD[rule], **changes}})
    assert key in str(caught.value)


def test_trend_bands_go_outwards() -> None:
    bands = [{"limit": 10, "priority": "high"}, {"limit": 5, "priority": "medium"}]
    table = {"kind": "trend", "metric": "weight", "method": "loss", "days": 30, "bands": bands}
    assert [band.limit for band in read({"loss": table})["loss"].bands] == [5, 10]
    bands[0]["limit"] = 4
    with pytest.raises(KeyProblem, match=r"rules\.loss\.bands"):
        read({"loss": table})


@pytest.mark.parametrize(
    ("book", "rules"),
    [
        ("covid19", {"spo2_low", "spo2_drop", "pulse_high", "temperature_high", "respiration_high", "symptom_red"}),
        ("copd", {"spo2_low", "spo2_unstable", "pulse_high", "cat_rise", "temperature_high", "symptom_red", "news2"}),
        ("heart_failure", {"weight_gain_3d", "weight_gain_7d", "weight_trend", "gain_with_symptoms", "pulse_low"}),
        ("hypertension", {"bp_mean_high", "bp_crisis", "systolic_low", "symptom_red", "missing_pressure"}),
        ("cancer", {"fever", "spo2_low", "pulse_high", "symptom_red", "weight_loss"}),
        ("nutrition", {"weight_loss_1m", "weight_loss_6m", "missing_weight"}),
        ("frail", {"temperature_high", "temperature_rise", "news2", "weight_loss_1m"}),
    ],
)
def test_shipped_rulebooks_have_their_rules(book: str, rules: set[str]) -> None:
    assert rules <= set(rulebook.load(book).rules)


def test_the_lowest_limit_less_three_rings_at_once_where_a_floor_is_prescribed() -> None:
    table = Keys(rulebook.load("covid19").table, "rules")
    usual, floored = (read_rules(table, floored=each)["spo2_low"] for each in (False, True))
    assert isinstance(usual, Threshold)
    assert isinstance(floored, Threshold)
    assert (usual.bands[-1].unless, floored.bands[-1].unless) == ((Decimal(88),), (Decimal(89),))
