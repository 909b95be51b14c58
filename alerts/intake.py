"""From a reading to usable values: rounded, believed or not, good or poor.

Unbelievable values are not thrown away: where a rule stands on their side they ask (a poor value beyond every band of
it, so that silence confirms), otherwise they are quarantined until a person accepts them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from alerts.arrival import Arrival
from alerts.history import BaselineState, MetricPast, Quarantined
from alerts.own_limits import offsets
from alerts.plan import Plan
from alerts.rules import Side, Threshold
from vitals.metrics import METRICS
from vitals.reading import Extreme, Quality

LATE_AFTER = timedelta(minutes=15)
JUMP = Decimal("5.0")  # kg from the newest accepted weight ...
_JUMP_WITHIN = timedelta(hours=48)  # ... of so long: clothes, another person, the wrong scale
_PULSE_PRESSURE = Decimal(10)  # mmHg: a cuff that slipped reads less
_EXTREMES = {Extreme.LO: Decimal("-Infinity"), Extreme.HI: Decimal("Infinity")}


class Value(NamedTuple):  # this and the next are made for every reading, and quicker to make than dataclasses
    """One usable value. `beyond` names the rules for which it lies beyond every band (Extreme: all on its side)."""

    number: Decimal  # infinite for LO and HI
    good: bool
    beyond: tuple[str, ...] = ()


class Seen(NamedTuple):
    """One reading as the rules see it: the usable values by metric, and those held back."""

    reading: Arrival
    values: Mapping[str, Value]
    late: bool
    quarantined: tuple[Quarantined, ...] = ()


@dataclass(slots=True, kw_only=True)
class Marks:
    """What people said about readings, by id, or about single values, by id and metric; what newer ones refuted."""

    invalidated: frozenset[str] = frozenset()
    filled: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    unused: frozenset[tuple[str, str]] = frozenset()
    superseded: set[tuple[str, str]] = field(default_factory=set)
    resets: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)  # rule -> when its alert was closed


def see(
    reading: Arrival,
    plan: Plan,
    marks: Marks,
    metrics: Mapping[str, MetricPast],
    baselines: Mapping[str, BaselineState],
) -> Seen:
    """The usable values of `reading`, given what the metrics' past makes believable."""
    values: dict[str, Value] = {}
    held_back: list[Quarantined] = []
    good = reading.quality is Quality.GOOD
    accepted = reading.reading_id in marks.accepted
    slipped = not accepted and has_slipped(reading)
    for metric in sorted(reading.values):
        raw = reading.values[metric]
        named = (reading.reading_id, metric)
        if named in marks.superseded or named in marks.unused:
            continue
        if isinstance(raw, Extreme):
            values[metric] = Value(_EXTREMES[raw], good)
            continue
        number = METRICS[metric].rounded(raw)
        doubt = None if accepted else _doubt(reading, metric, number, metrics)
        if doubt is None and not (slipped and metric in ("systolic", "diastolic")):
            values[metric] = Value(number, good)
            continue
        beyond = () if doubt is None else _on_that_side(plan, metric, doubt[0], baselines)
        if beyond:
            values[metric] = Value(number, good=False, beyond=beyond)
        else:
            reason = "pulse pressure under 10" if doubt is None else doubt[1]
            held_back.append(_quarantined(reading, metric, number, reason))
    late = reading.received_at - reading.taken_at > LATE_AFTER
    return Seen(reading=reading, values=values, late=late, quarantined=tuple(held_back))


def has_slipped(reading: Arrival) -> bool:
    """Whether the two pressures lie closer than a cuff that sits well can read."""
    high, low = reading.values.get("systolic"), reading.values.get("diastolic")
    if not isinstance(high, Decimal) or not isinstance(low, Decimal):
        return False
    return METRICS["systolic"].rounded(high) - METRICS["diastolic"].rounded(low) < _PULSE_PRESSURE


def _doubt(
    reading: Arrival, metric: str, number: Decimal, metrics: Mapping[str, MetricPast]
) -> tuple[Side, str] | None:
    """On which side the value is not believable, and why; None when it is."""
    plausible = METRICS[metric].plausible
    if plausible is not None and not plausible[0] <= number <= plausible[1]:
        side = Side.BELOW if number < plausible[0] else Side.ABOVE
        return side, f"outside {plausible[0]}-{plausible[1]}"
    past = metrics.get(metric)
    if metric != "weight" or past is None or past.value is None or past.good_at is None:
        return None
    if reading.taken_at - past.good_at > _JUMP_WITHIN or abs(number - past.value) <= JUMP:
        return None
    return Side.BELOW if number < past.value else Side.ABOVE, f"more than {JUMP} kg from {past.value}"


def _on_that_side(plan: Plan, metric: str, side: Side, baselines: Mapping[str, BaselineState]) -> tuple[str, ...]:
    """The threshold rules that can judge this metric on this side now."""
    return tuple(
        rule.name
        for rule in plan.listeners.get(metric, ())
        if isinstance(rule, Threshold)
        and metric in rule.metrics
        and rule.side is side
        and offsets(rule, plan, baselines) is not None
    )


def _quarantined(reading: Arrival, metric: str, number: Decimal, reason: str) -> Quarantined:
    return Quarantined(
        reading_id=reading.reading_id,
        metric=metric,
        value=str(number),
        taken_at=reading.taken_at,
        received_at=reading.received_at,
        reason=reason,
        device=reading.device,
    )
