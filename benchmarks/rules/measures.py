"""Counting: what one arm said about one person, as whole numbers that add up; and the rates of a sum.

Burden counts everything that was said. Sensitivity, lead time and predictive value count only what speaks of the
person (`Said.is_clinical`) and needs one (`Said.is_manual`): what was not
measured before an admission caught nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from alerts.priority import Priority
from benchmarks.rules.people import DAY, Person, moment
from benchmarks.rules.said import Said, groups

MINUTES = {Priority.LOW: 2.5, Priority.MEDIUM: 6.0, Priority.HIGH: 15.0, Priority.CRITICAL: 15.0}  # an assumption
_YEAR = 365.25
Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One person under one arm, or the sum of many."""

    days: float = 0.0  # followed
    said: int = 0  # alerts of any priority
    manual: int = 0  # of medium or more
    groups: int = 0  # of any priority
    manual_groups: int = 0  # with one of medium or more
    minutes: float = 0.0  # of a nurse, by each group's highest priority
    events: int = 0
    caught: int = 0
    true: int = 0  # clinical manual alerts within the window before an event
    false: int = 0
    quiet_spells: int = 0  # stretches as long as the window, with no event in them or within the window after them
    disturbed: int = 0  # of these, with a clinical manual alert

    def numbers(self) -> Numbers:
        """The counts in the order of their names here."""
        return tuple(float(getattr(self, each.name)) for each in fields(self))


NAMES = tuple(each.name for each in fields(Counted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How long before an event an alert counts, and how many days of start-up no stretch is taken from."""

    days: int
    start_up_days: int


def count(person: Person, said: Sequence[Said], window: Window) -> Counted:
    """Everything that is counted about one person."""
    length = window.days * DAY
    telling = [each.at for each in said if each.is_manual and each.is_clinical]
    met = groups(said)
    true = sum(_is_before(at, person.events, length) for at in telling)
    spells = _quiet(person, window)
    return Counted(
        days=person.followed / DAY,
        said=len(said),
        manual=sum(each.is_manual for each in said),
        groups=len(met),
        manual_groups=sum(any(each.is_manual for each in group) for group in met),
        minutes=sum(MINUTES[max(each.priority for each in group)] for group in met),
        events=len(person.events),
        caught=len(leads(person, said, window)),
        true=true,
        false=len(telling) - true,
        quiet_spells=len(spells),
        disturbed=sum(any(start <= at < end for at in telling) for start, end in spells),
    )


def leads(person: Person, said: Sequence[Said], window: Window) -> list[float]:
    """For each event that was caught, the days from the first clinical manual alert of its window to it."""
    found = []
    for event in person.events:
        first = min((each.at for each in said if _counts(each, event, window.days * DAY)), default=None)
        if first is not None:
            found.append((event - first) / DAY)
    return found


def alone(said: Sequence[Said], rule: str) -> int:
    """How many manual groups there would be no more without the rule's alerts."""
    found = 0
    for group in groups(said):
        manual = {each.rule for each in group if each.is_manual}
        found += manual == {rule}
    return found


def rate(name: str, sums: Numbers) -> float | None:
    """One figure of a sum; None: nothing to divide by."""
    value = dict(zip(NAMES, sums, strict=True))
    over, under, factor = _RATES[name]
    divisor = sum(value[each] for each in under)
    return None if not divisor else value[over] / divisor * factor


# figure -> what is divided by the sum of what, times
_RATES = {
    "sensitivity": ("caught", ("events",), 1.0),
    "disturbed": ("disturbed", ("quiet_spells",), 1.0),
    "ppv": ("true", ("true", "false"), 1.0),
    "false_a_year": ("false", ("days",), _YEAR),
    "alerts_a_day": ("said", ("days",), 1.0),
    "manual_a_day": ("manual", ("days",), 1.0),
    "groups_a_day": ("manual_groups", ("days",), 1.0),
    "minutes_a_day": ("minutes", ("days",), 1.0),
}
FIGURES = tuple(_RATES)


def _counts(each: Said, event: datetime, length: timedelta) -> bool:
    return each.is_manual and each.is_clinical and event - length <= each.at < event


def _is_before(at: datetime, events: Sequence[datetime], length: timedelta) -> bool:
    return any(event - length <= at < event for event in events)


def _quiet(person: Person, window: Window) -> list[tuple[datetime, datetime]]:
    """Stretches side by side, as long as the window, in which nobody is in hospital and before which no event lies."""
    found = []
    day = window.start_up_days
    while moment(day + window.days) <= person.until:
        start, end = moment(day), moment(day + window.days)
        soon = any(start < event < end + window.days * DAY for event in person.events)
        if not soon and not any(stay.touches(start, end) for stay in person.stays):
            found.append((start, end))
        day += window.days
    return found
