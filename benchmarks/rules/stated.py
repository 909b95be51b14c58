"""What the made-up people are like when measured: the figures that the report sets beside those they were made by."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, pstdev, stdev

from benchmarks.rules import weight_rules
from benchmarks.rules.people import DAY, Person
from benchmarks.rules.weight_rules import Weight

_ENDS = 3  # daily weights at either end of the fortnight
Samples = dict[str, list[float]]


def samples(people: Sequence[Person], cohort: str) -> Samples:
    """What can be drawn together over seeds, by name."""
    found: Samples = {"people": [float(len(people))], "events": [float(sum(len(each.events) for each in people))]}
    metric = "weight" if cohort == "heart_failure" else "spo2"
    found["readings a due one"] = [_kept(each, metric, 3 if cohort == "covid19" else 1) for each in people]
    if cohort == "heart_failure":
        found["others"] = [float(sum(len(each.others) for each in people))]
        for each in people:
            weights = weight_rules.daily(each.arrivals, screened=True)
            found.setdefault("kg before", []).extend(_changes(weights, each.events))
            found.setdefault("kg before others", []).extend(_changes(weights, each.others))
            found.setdefault("kg day to day", []).extend(_steps(weights, each))
    if cohort == "copd":
        for each in people:
            found.setdefault("spread well", []).extend(_spread(each, before=False))
            found.setdefault("spread before", []).extend(_spread(each, before=True))
    return found


def merge(into: Samples, other: Samples) -> None:
    """Put another seed's samples to these."""
    for name, values in other.items():
        into.setdefault(name, []).extend(values)


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation."""
    return fmean(values), pstdev(values)


def _kept(person: Person, metric: str, a_day: int) -> float:
    taken = sum(metric in each.values for each in person.arrivals)
    return taken / (person.followed / DAY * a_day)


def _changes(weights: Sequence[Weight], events: Sequence[datetime]) -> list[float]:
    """The last weights before each event less those 14 days earlier, each a mean of three: noise is in it."""
    found = []
    for event in events:
        last = [each.kg for each in weights if event - 4 * DAY <= each.at < event]
        first = [each.kg for each in weights if event - 18 * DAY <= each.at < event - 14 * DAY]
        if last and first:
            found.append(fmean(last[-_ENDS:]) - fmean(first[-_ENDS:]))
    return found


def _steps(weights: Sequence[Weight], person: Person) -> list[float]:
    """Changes from one day to the next, far from any event."""
    near = [*person.events, *person.others]
    return [
        after.kg - before.kg
        for before, after in pairwise(weights)
        if (after.day - before.day).days == 1 and all(abs(each - after.at) > timedelta(days=21) for each in near)
    ]


def _spread(person: Person, *, before: bool) -> list[float]:
    """The standard deviation of a person's good saturations, while well or in the ten days before an exacerbation."""
    found = []
    for each in person.arrivals:
        near = any(event - 10 * DAY <= each.taken_at < event for event in person.events)
        after = any(event <= each.taken_at for event in person.events)
        if "spo2" in each.values and near is before and not after:
            found.append(float(each.values["spo2"]))
    return [stdev(found)] if len(found) >= 5 else []
