"""What made-up patients are judged by: every shipped rulebook with short slots, and two that use every key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from alerts import rulebook
from alerts.plan import PatientFacts
from alerts.rules import AnyRule, Compound, Mean, Missing, Score, Threshold, Trend
from vitals.metrics import METRICS

SLOTS = ("00:10-01:00", "01:30-02:30", "03:05-03:50", "22:40-23:30")  # at night the clocks change
_REMIND_AT = ("00:40", "02:15", "03:30", "23:10")

TABLE: dict[str, dict[str, Any]] = {
    "spo2_low": {
        "kind": "threshold",
        "metric": "spo2",
        "side": "below",
        "bands": [{"limit": 94, "priority": "medium"}, {"limit": 92, "priority": "high"}],
        "rearm_after": "90min",
    },
    "spo2_drop": {
        "kind": "threshold",
        "metric": "spo2",
        "side": "below",
        "relative_to": "baseline",
        "baseline_readings": 3,
        "baseline_days": 1,
        "bands": [{"limit": -3, "priority": "medium", "readings": 2}],
    },
    "fever": {
        "kind": "threshold",
        "metric": "temperature",
        "side": "above",
        "bands": [
            {"limit": 38.0, "priority": "high", "ask_again": "60min"},
            {
                "limit": 38.0,
                "priority": "critical",
                "readings": 2,
                "apart": "60min",
                "most": "5h",
                "silence": "120min",
            },
        ],
    },
    "pressure_high": {
        "kind": "threshold",
        "metrics": ["systolic", "diastolic"],
        "side": "above",
        "bands": [{"limit": {"systolic": 180, "diastolic": 110}, "priority": "high", "confirm": {"within": "20min"}}],
    },
    "cat_mild": {
        "kind": "threshold",
        "metric": "cat",
        "side": "above",
        "clear_readings": 1,
        "bands": [{"limit": 10, "priority": "low"}, {"limit": 20, "priority": "medium"}],
    },
    "missing_spo2": {
        "kind": "missing",
        "metric": "spo2",
        "slots": SLOTS,
        "days": ["tue-wed", "sun"],
        "grace": "45min",
        "remind_at": _REMIND_AT,
        "worse_after": 2,
        "worse_priority": "high",
    },
}


SLOW_TABLE: dict[str, dict[str, Any]] = {
    "gain": {
        "kind": "trend",
        "metric": "weight",
        "method": "delta",
        "days": 3,
        "bands": [{"more_than": 1, "priority": "medium"}, {"more_than": 2, "priority": "high"}],
        "deadband": 0.3,
    },
    "drift": {
        "kind": "trend",
        "metric": "weight",
        "method": "macd_cusum",
        "priority": "medium",
        "baseline_readings": 2,
        "baseline_days": 2,
        "rearm_after": "1d",
    },
    "loss": {"kind": "trend", "metric": "weight", "method": "loss", "days": 5, "limit": 2, "priority": "low"},
    "unsteady": {"kind": "trend", "metric": "spo2", "method": "resid_sd", "limit": 3, "priority": "medium"},
    "gain_felt": {"kind": "compound", "symptom": "symptom_yellow", "any_of": ["gain", "drift"], "priority": "high"},
    "mean": {
        "kind": "mean",
        "metrics": ["systolic", "diastolic"],
        "limits": {"systolic": 135, "diastolic": 85},
        "least": 2,
        "least_days": 1,
        "priority": "medium",
    },
    "crisis": {
        "kind": "threshold",
        "metrics": ["systolic", "diastolic"],
        "side": "above",
        "bands": [
            {
                "limit": {"systolic": 180, "diastolic": 110},
                "priority": "high",
                "confirm": {"within": "5h", "symptom": "symptom_yellow"},
            }
        ],
    },
    "spo2_low": {
        "kind": "threshold",
        "metric": "spo2",
        "side": "below",
        "baseline_readings": 3,
        "baseline_days": 2,
        "bands": [
            {"limit": 92, "priority": "medium", "own": {"offset": -3, "confirm": {"within": "3h"}}},
            {"limit": 88, "priority": "high", "own": {"offset": -6, "at_floor": True, "at_most": 88}},
        ],
    },
    "missing_weight": {"kind": "missing", "metric": "weight", "every": "7d", "grace": "2d"},
}
TABLE["news2"] = {
    "kind": "score",
    "bands": [{"sum": 5, "priority": "high"}, {"sum": 7, "priority": "critical"}],
    "single": "high",
    "rearm_after": "60min",
}


USUAL = {
    "spo2": "96",
    "pulse": "75",
    "respiration": "16",
    "systolic": "130",
    "diastolic": "80",
    "temperature": "36.8",
    "weight": "80.0",
    "glucose": "6.0",
    "cat": "10",
    "symptom_red": "0",
    "symptom_yellow": "0",
    "oxygen_flow": "0",
    "consciousness": "0",
}
# Points of the score, sums of weights, values that are not believed: what no limit of a threshold rule names.
_MORE = {
    "spo2": ("86", "90", "40"),
    "pulse": ("45", "130", "135", "230"),
    "respiration": ("8", "21", "26", "70"),
    "systolic": ("95", "215", "290"),
    "diastolic": ("125", "85"),
    "temperature": ("35.0", "46.0"),
    "weight": ("80.3", "81.1", "82.3", "83.0", "76.0", "70.0", "88.0"),
    "consciousness": ("1",),
    "oxygen_flow": ("2",),
    "symptom_red": ("1",),
    "symptom_yellow": ("1",),
    "glucose": ("0.1", "34.0"),
}
FACTS = (
    PatientFacts(),
    PatientFacts(spo2_scale=2, spo2_floor=Decimal(87), on_oxygen=False),
    PatientFacts(spo2_scale=1, on_oxygen=True, baseline={"weight": Decimal(80)}, spread={"weight": Decimal("0.2")}),
    PatientFacts(baseline={"spo2": Decimal(95), "cat": Decimal(8), "temperature": Decimal("36.9")}, spo2_scale=2),
    PatientFacts(age=9),
)
_SET = ("respiration", "systolic", "pulse", "temperature", "consciousness")


@dataclass(frozen=True)
class Book:
    """A rulebook, what a patient under it measures, and for how many days that may have gone on before."""

    name: str
    book: rulebook.Rulebook
    days: tuple[int, ...]

    def __hash__(self) -> int:
        return hash(self.name)

    @cached_property
    def acts(self) -> tuple[tuple[str, ...], ...]:
        """What is measured together: what each rule asks for; the plainest first."""
        acts = [act for rule in self.book.rules.values() for act in _acts(rule)]
        return tuple(sorted(set(acts), key=lambda act: (len(act), act)))

    def usual(self, metric: str) -> Decimal:
        """A value that troubles no rule."""
        return Decimal(USUAL[metric])


def _acts(rule: AnyRule) -> tuple[tuple[str, ...], ...]:
    if isinstance(rule, Threshold) and rule.symptom is not None:
        return (rule.metrics, (rule.symptom,))
    if isinstance(rule, Threshold | Mean):
        return (rule.metrics,)
    if isinstance(rule, Score):
        return (_SET, (*_SET, "spo2"), ("respiration", "oxygen_flow"))
    if isinstance(rule, Compound):
        return ((rule.symptom,), (rule.symptom, rule.metrics[0]))
    return ((rule.metric,),)


@lru_cache(maxsize=1024)
def values_near_limits(book: Book, metric: str) -> tuple[Decimal, ...]:
    """A usual value, and those at, beside and a deadband off each limit of the rules; some that nobody believes."""
    usual, step = book.usual(metric), Decimal(1).scaleb(-METRICS[metric].decimals)
    found = {Decimal(each) for each in _MORE.get(metric, ())}
    for rule in book.book.rules.values():
        if not isinstance(rule, Threshold) or metric not in rule.metrics:
            continue
        at = rule.metrics.index(metric)
        level = usual if rule.relative else Decimal(0)
        for band in rule.bands:
            for limit in (band.limits[at], band.unless[at] if band.unless else None):
                if limit is not None:
                    beside = (-step, Decimal(0), step, -rule.deadband[at], rule.deadband[at])
                    found |= {level + limit + each for each in beside}
    return (usual, usual, *sorted(each for each in found if each >= 0))


def _made_up(name: str, table: Mapping[str, Mapping[str, Any]], days: tuple[int, ...]) -> Book:
    read = rulebook.Rulebook(
        name=name,
        version="1",
        source="tests",
        reviewed_on=date(2026, 1, 1),
        verified=False,
        ends_after=None,
        table=table,
    )
    return Book(name, read, days)


def _shipped(name: str) -> Book:
    """The shipped rulebook with slots and second rings so near that a few hours show them."""
    book = rulebook.load(name)
    own: dict[str, dict[str, Any]] = {}
    for rule in book.rules.values():
        if isinstance(rule, Missing) and not rule.weekly:
            own[rule.name] = {"slots": SLOTS, "grace": "45min", "remind_at": _REMIND_AT, "days": ["wed", "sun"]}
        elif isinstance(rule, Mean):
            own[rule.name] = {"least": 4, "least_days": 2}
        elif not isinstance(rule, Missing):
            own[rule.name] = {"rearm_after": "75min"}
    days = (0, 7, 12) if any(isinstance(each, Trend | Mean) for each in book.rules.values()) else (0, 0, 0, 7)
    return Book(name, rulebook.merge(book, own), days)


FAST, SLOW = _made_up("every key", TABLE, (0,)), _made_up("every kind", SLOW_TABLE, (0, 7, 12))
BOOKS = (FAST, *map(_shipped, rulebook.shipped()), SLOW, FAST, SLOW)
