"""People made by hand, for counting on paper."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from alerts.arrival import Arrival
from alerts.plan import Period
from alerts.priority import Priority
from benchmarks.rules.people import Person, moment
from benchmarks.rules.said import Said

MORNING = 8 * 60


def at(day: float, minute: int = MORNING):
    """A moment of a local day; a share of a day is added to it."""
    return moment(int(day), minute) + (day - int(day)) * timedelta(days=1)


def said(day: float, rule: str = "weight_gain_3d", priority: Priority = Priority.MEDIUM, minute: int = MORNING) -> Said:
    return Said(at=at(day, minute), rule=rule, priority=priority)


def weighed(values: Sequence[float | None]) -> tuple[Arrival, ...]:
    """A weight a day from the first; None: not weighed."""
    return tuple(measured(day, weight=value) for day, value in enumerate(values) if value is not None)


def measured(day: float, minute: int = MORNING, **values: float) -> Arrival:
    taken_at = at(day, minute)
    numbers = {metric: Decimal(str(value)) for metric, value in values.items()}
    return Arrival(reading_id=taken_at.isoformat(), taken_at=taken_at, received_at=taken_at, values=numbers)


def person(
    arrivals: Sequence[Arrival] = (), *, days: int = 60, events: Sequence[float] = (), stay_days: int = 7
) -> Person:
    admitted = tuple(at(day) for day in events)
    stays = tuple(Period(start=each, end=each + timedelta(days=stay_days)) for each in admitted)
    return Person(key="by hand", until=moment(days), arrivals=tuple(arrivals), events=admitted, stays=stays)
