"""Three naive ways of alerting, by the limits of the same shipped rulebook: what differs is the logic, not the numbers.

Their limits are those of the rulebook's plain limit rules; for weight, a gain of more than 2.0 kg over the lowest of
the three days before. None of them asks for a second measurement, knows the person's own level, or looks at quality.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from alerts import rulebook
from alerts.arrival import Arrival
from alerts.priority import Priority
from alerts.rules import Missing, Side, Threshold
from benchmarks.rules.people import ZONE, Person, moment
from benchmarks.rules.said import Said

GAIN = "weight_gain_3d"
_GAIN_DAYS, _GAIN_KG, _GAIN_BACK = 3, Decimal("2.1"), Decimal("0.4")  # more than 2.0; over at 1.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of one metric; `bands` from mild to severe."""

    rule: str
    metric: str
    side: Side
    bands: tuple[tuple[Decimal, Priority], ...]
    back: Decimal  # a value so far inside the mildest limit is well again

    def reached(self, value: Decimal) -> Priority | None:
        """The most severe band that the value is beyond."""
        beyond = [priority for limit, priority in self.bands if self._is_beyond(value, limit)]
        return max(beyond, default=None)

    def is_well(self, value: Decimal) -> bool:
        """Whether the value is back by the margin."""
        mildest = self.bands[0][0]
        return value >= mildest + self.back if self.side is Side.BELOW else value <= mildest - self.back

    def _is_beyond(self, value: Decimal, limit: Decimal) -> bool:
        return value <= limit if self.side is Side.BELOW else value >= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of one metric as it arrived."""

    at: datetime
    metric: str
    value: Decimal


def limits(book: str) -> tuple[Limit, ...]:
    """The plain limits of a shipped rulebook; offsets from a baseline are nothing that a naive program has."""
    found = []
    for rule in rulebook.load(book).rules.values():
        if not isinstance(rule, Threshold) or rule.relative:
            continue
        for number, metric in enumerate(rule.metrics):
            bands = [(band.limits[number], band.priority) for band in rule.bands if not band.is_run]
            known = tuple((limit, priority) for limit, priority in bands if limit is not None)
            back = rule.deadband[number]
            found.append(Limit(rule=rule.name, metric=metric, side=rule.side, bands=known, back=back))
    if GAIN in rulebook.load(book).rules:
        band = ((_GAIN_KG, Priority.MEDIUM),)
        found.append(Limit(rule=GAIN, metric=GAIN, side=Side.ABOVE, bands=band, back=_GAIN_BACK))
    return tuple(found)


def values(arrivals: Sequence[Arrival]) -> Iterator[Value]:
    """Every number as it arrived, and the gain of weight over the days before as a metric of its own."""
    weights: dict[int, Decimal] = {}  # ordinal of the local day -> that day's first weight
    for each in arrivals:
        for metric, value in each.values.items():
            if not isinstance(value, Decimal):
                continue
            yield Value(at=each.received_at, metric=metric, value=value)
            if metric == "weight":
                today = each.taken_at.astimezone(ZONE).toordinal()
                before = [weights[day] for day in range(today - _GAIN_DAYS, today) if day in weights]
                if before:
                    yield Value(at=each.received_at, metric=GAIN, value=value - min(before))
                weights.setdefault(today, value)


def traffic_light(person: Person, book: str) -> tuple[Said, ...]:
    """Every value beyond a limit is an alert, every time."""
    said = []
    for each in values(person.arrivals):
        for limit in limits_of(book, each.metric):
            priority = limit.reached(each.value)
            if priority is not None:
                said.append(Said(at=each.at, rule=limit.rule, priority=priority))
    return tuple(said)


def open_tele(person: Person, book: str) -> tuple[Said, ...]:
    """As OpenTele: each submission gets the colour of its worst value; a deadline without one is blue (low)."""
    worst: dict[datetime, Priority] = {}
    for each in traffic_light(person, book):
        worst[each.at] = max(each.priority, worst.get(each.at, Priority.LOW))
    said = [Said(at=at, rule="submission", priority=priority) for at, priority in worst.items()]
    for rule in rulebook.load(book).rules.values():
        if isinstance(rule, Missing) and not rule.weekly:
            said += _missed(person, rule)
    return tuple(sorted(said, key=lambda each: (each.at, each.rule)))


def things_board(person: Person, book: str, duration: timedelta) -> tuple[Said, ...]:
    """As a ThingsBoard rule: an alert when a value has been beyond its limit for `duration` without one that is not.

    One alert per limit while it is open; it rises with the value, and closes at a value back by the margin.
    """
    since: dict[str, datetime] = {}
    held: dict[str, Priority] = {}
    said = []
    for each in values(person.arrivals):
        for limit in limits_of(book, each.metric):
            priority = limit.reached(each.value)
            if priority is None:
                since.pop(limit.rule, None)
                if limit.is_well(each.value):
                    held.pop(limit.rule, None)
                continue
            began = since.setdefault(limit.rule, each.at)
            if each.at - began >= duration and (limit.rule not in held or priority > held[limit.rule]):
                held[limit.rule] = priority
                said.append(Said(at=each.at, rule=limit.rule, priority=priority))
    return tuple(said)


_LIMITS: dict[str, dict[str, tuple[Limit, ...]]] = {}


def limits_of(book: str, metric: str) -> tuple[Limit, ...]:
    """The book's limits of one metric."""
    if book not in _LIMITS:
        every = limits(book)
        metrics = {each.metric for each in every}
        _LIMITS[book] = {name: tuple(each for each in every if each.metric == name) for name in metrics}
    return _LIMITS[book].get(metric, ())


def _missed(person: Person, rule: Missing) -> Iterator[Said]:
    taken = [each.taken_at for each in person.arrivals if rule.metric in each.values]
    day = 0
    while moment(day) < person.until:
        for slot in rule.slots:
            start, end = moment(day, slot.start), moment(day, slot.end) + rule.grace
            is_away = any(stay.touches(start, end) for stay in person.stays)
            if end < person.until and not is_away and not any(start <= each <= end for each in taken):
                yield Said(at=end, rule=rule.name, priority=rule.priority)
        day += 1
