"""Within how long a device should be heard again, by its patient's own plan. Pure.

Nearly every device sleeps between uses, so its silence says something only where the plan asks for what it measures:
a device that no rule counts on may sleep for ever. One slot without a measurement is a matter between the patient and
the rule for missing readings. After two in a row without any sign of the device somebody should look at the device.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from alerts.plan import Period, Plan
from alerts.rules import Missing

# What a device of each kind measures; a kind that is not here is never waited for.
MEASURES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "oximeter": frozenset({"spo2", "pulse"}),
        "scale": frozenset({"weight"}),
        "body_scale": frozenset({"weight", "body_fat"}),
        "mi_scale": frozenset({"weight"}),
        "cuff": frozenset({"systolic", "diastolic", "mean_pressure"}),
        "thermometer": frozenset({"temperature"}),
        "blood_pressure": frozenset({"systolic", "diastolic", "mean_pressure"}),
        "glucometer": frozenset({"glucose"}),
        "glucose": frozenset({"glucose"}),
        "pulse_belt": frozenset({"pulse"}),
    }
)
SLOTS_IN_A_ROW = 2
SOONEST = timedelta(days=1)  # however often the plan asks: a battery is not changed at night
_CLOCK_CHANGE = timedelta(hours=1)  # between summer and winter the wall clock is so much longer
_WEEK = 7 * 24 * 60  # minutes


def within(plan: Plan, kind: str) -> timedelta | None:
    """How long a device of this kind may be silent; None where the plan does not count on it."""
    measured = MEASURES.get(kind, frozenset())
    rules = (plan.rules[name] for name in plan.missing)
    asking = (rule for rule in rules if isinstance(rule, Missing) and (rule.weekly or rule.slots) and rule.days)
    spans = [_longest(rule) for rule in asking if rule.metric in measured]
    return max(SOONEST, min(spans) + _CLOCK_CHANGE) if spans else None


def _longest(rule: Missing) -> timedelta:
    """From a measurement as early as the rule allows to the end of the last of so many slots that it then misses."""
    if rule.weekly:
        return timedelta(days=7 * (1 + SLOTS_IN_A_ROW)) + rule.grace
    starts = [
        (day * 24 * 60 + slot.start, day * 24 * 60 + slot.end) for day in sorted(rule.days) for slot in rule.slots
    ]
    minutes = 0
    for place, (start, _) in enumerate(starts):
        weeks, last = divmod(place + SLOTS_IN_A_ROW, len(starts))
        minutes = max(minutes, starts[last][1] + weeks * _WEEK - start)
    return timedelta(minutes=minutes) + rule.grace


def excused(plan: Plan, since: datetime, now: datetime) -> timedelta:
    """How much of the time since then nobody owed a measurement, or nobody could have heard the device."""
    spans = (_clipped(each, since, now) for each in (*plan.rests, *plan.offline))
    return _length([each for each in spans if each[0] < each[1]])


def _clipped(period: Period, since: datetime, now: datetime) -> tuple[datetime, datetime]:
    return max(period.start, since), now if period.end is None else min(period.end, now)


def _length(spans: Sequence[tuple[datetime, datetime]]) -> timedelta:
    """How much time is in at least one of the spans."""
    total, reached = timedelta(0), None
    for start, end in sorted(spans):
        begin = start if reached is None else max(start, reached)
        total += max(timedelta(0), end - begin)
        reached = end if reached is None else max(reached, end)
    return total


def latest(moments: Iterable[datetime | None]) -> datetime:
    """The latest of those that are known; at least one is."""
    return max(each for each in moments if each is not None)
