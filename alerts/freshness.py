"""Which values must be young for a patient to be shown green: worked out once for a plan's rules."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from alerts.rules import AnyRule, Mean, Method, Missing, Threshold, Trend

_DAILY = timedelta(hours=36)  # daily measuring, and half a day for a late morning
_WEEKLY = timedelta(days=9)


class Need(NamedTuple):
    """One of `metrics` must have a good value at most so old, as long as one of `rules` counts."""

    metrics: tuple[str, ...]
    max_age: timedelta
    owed: bool  # counts from the start; else once any value of the metrics was delivered
    rules: tuple[str, ...]


def needs(rules: Mapping[str, AnyRule]) -> tuple[Need, ...]:
    """What the rules need, those that need the same together."""
    owed = {rule.metric: rule.weekly for rule in rules.values() if isinstance(rule, Missing)}
    found: dict[tuple[tuple[str, ...], timedelta], list[str]] = {}
    for rule in rules.values():
        if metrics := _judged(rule):
            own = rule.max_age if isinstance(rule, Threshold) else None
            max_age = own or (_WEEKLY if any(owed.get(metric) for metric in metrics) else _DAILY)
            found.setdefault((metrics, max_age), []).append(rule.name)
    return tuple(
        Need(metrics, max_age, any(metric in owed for metric in metrics), tuple(names))
        for (metrics, max_age), names in found.items()
    )


def _judged(rule: AnyRule) -> tuple[str, ...]:
    """The metrics without whose good values the rule cannot say that all is well; none for those that only raise."""
    if isinstance(rule, Threshold | Mean):
        return rule.metrics
    return (rule.metric,) if isinstance(rule, Trend) and rule.method is Method.LOSS else ()
