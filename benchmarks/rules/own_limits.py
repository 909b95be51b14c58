"""Limits of a person's own, as a clinician might set them after the start-up: the formulas of the arm "own plan".

Level and spread are the median and the scaled median distance from it of the first 14 days of measuring. Limits only
ever move away from normal, by stated formulas and within stated bounds: nothing here looks at what came later.
"""

from collections.abc import Mapping
from statistics import median
from typing import Any

from benchmarks.rules.people import Person, moment

START_UP_DAYS = 14
_STEADY_KG = 0.6
Limits = dict[str, dict[str, Any]]


def heart_failure(person: Person) -> Limits:
    """Pulse and pressure around the person's own level; weight gain beyond the person's own spread.

    The trend rule's limit is fixed at half a kilogram: it is switched off for whose weight comes and goes by more.
    """
    levels = _levels(person)
    own: Limits = {}
    if "pulse" in levels:
        level, _ = levels["pulse"]
        medium = max(100, round(level) + 20)
        own["pulse_high"] = {"bands": _bands(min(medium, 115), max(120, min(medium, 115) + 15))}
        medium = max(42, min(50, round(level) - 15))
        own["pulse_low"] = {"bands": _bands(medium, min(40, medium - 5))}
    if "systolic" in levels:
        level, _ = levels["systolic"]
        medium = max(88, min(100, round(level) - 25))
        own["systolic_low"] = {"bands": _bands(medium, min(90, medium - 6))}
        medium = min(175, max(160, round(level) + 25))
        own["systolic_high"] = {"bands": _bands(medium, max(180, medium + 15))}
    if "weight" in levels:
        _, spread = levels["weight"]
        own["weight_gain_3d"] = {"more_than": round(min(max(2.0, 3.5 * spread), 3.5), 1)}
        own["weight_gain_7d"] = {"more_than": round(min(max(2.2, 4.5 * spread), 4.0), 1)}
        own["weight_trend"] = {"enabled": spread <= _STEADY_KG}
    return own


def copd(person: Person) -> Limits:
    """Saturation below the person's own spread and not merely 3 below the level."""
    levels = _levels(person)
    if "spo2" not in levels:
        return {}
    level, spread = levels["spo2"]
    medium = max(86, round(level - max(3.0, 2.5 * spread)))
    ask = {"within": "15min"}
    return {
        "spo2_low": {
            "bands": [
                {"limit": medium, "priority": "medium", "confirm": ask},
                {"limit": min(84, medium - 1), "priority": "high"},
            ]
        }
    }


def covid19(person: Person) -> Limits:
    """No start-up to learn from: a yellow value counts when the next one is yellow too; a red one as before."""
    del person
    return {
        "spo2_low": {"bands": _twice(94, 92)},
        "pulse_high": {"bands": _twice(100, 111)},
        "temperature_high": {"bands": _twice(38.1, 39.1)},
        "respiration_high": {"bands": _twice(22, 25)},
    }


def _twice(medium: float, high: float) -> list[dict[str, Any]]:
    return [{"limit": medium, "priority": "medium", "readings": 2}, {"limit": high, "priority": "high"}]


def _bands(medium: int, high: int) -> list[dict[str, Any]]:
    return [{"limit": medium, "priority": "medium"}, {"limit": high, "priority": "high"}]


def _levels(person: Person) -> Mapping[str, tuple[float, float]]:
    """Metric -> level and spread in the start-up; metrics with fewer than 7 values have none."""
    found: dict[str, list[float]] = {}
    for each in person.arrivals:
        if each.taken_at < moment(START_UP_DAYS):
            for metric, value in each.values.items():
                found.setdefault(metric, []).append(float(value))
    levels = {}
    for metric, values in found.items():
        if len(values) >= 7:
            level = median(values)
            levels[metric] = (level, 1.4826 * median(abs(each - level) for each in values))
    return levels
