"""A period of a patient's follow-up in numbers, for whoever was not there. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vitals.metrics import METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One metric: how many values, what they span, and the first and last of them. Readings that read LO or HI count
    and span nothing."""

    metric: str
    count: int
    lowest: Decimal | None
    highest: Decimal | None
    mean: Decimal | None
    first: Any
    last: Any


def measured(values: Sequence[Any], out: Collection[str]) -> tuple[Measured, ...]:
    """A row for each metric that was measured, in the house's order; `values` oldest first."""
    by_metric: dict[str, list[Any]] = {}
    for row in values:
        if row.reading_id not in out:
            by_metric.setdefault(row.metric, []).append(row)
    return tuple(_one(metric, by_metric[metric]) for metric in METRICS if metric in by_metric)


def _one(metric: str, rows: Sequence[Any]) -> Measured:
    numbers = [row.value for row in rows if isinstance(row.value, Decimal)]
    return Measured(
        metric=metric,
        count=len(rows),
        lowest=min(numbers, default=None),
        highest=max(numbers, default=None),
        mean=sum(numbers, Decimal(0)) / len(numbers) if numbers else None,
        first=rows[0],
        last=rows[-1],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """One rule: how often it raised an alert in the period, and how urgent they became."""

    rule: str
    count: int
    by_priority: Mapping[str, int]


def raised(alerts: Sequence[Any], end: datetime) -> tuple[Raised, ...]:
    """A row for each rule that raised something until `end`, the most frequent first."""
    by_rule: dict[str, Counter[str]] = {}
    for row in alerts:
        if row.raised_at <= end:
            by_rule.setdefault(row.rule, Counter())[row.highest] += 1
    found = (Raised(rule=rule, count=sum(each.values()), by_priority=each) for rule, each in by_rule.items())
    return tuple(sorted(found, key=lambda each: (-each.count, each.rule)))
