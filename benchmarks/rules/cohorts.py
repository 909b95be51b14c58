"""The three cohorts: who is in them, which rulebook they are on, and how long before an event an alert counts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.rules import copd, covid, heart_failure, own_limits
from benchmarks.rules.measures import Window
from benchmarks.rules.people import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """`make(seed, people)`; `duration`: how long the duration arm waits, about one round of measuring."""

    name: str
    title: str
    book: str
    people: int
    make: Callable[[int, int], Iterator[Person]]
    own: Callable[[Person], own_limits.Limits]
    window: Window
    duration: timedelta
    event: str


COHORTS: Mapping[str, Cohort] = {
    each.name: each
    for each in (
        Cohort(
            name="heart_failure",
            title="Heart failure",
            book="heart_failure",
            people=heart_failure.PEOPLE,
            make=heart_failure.cohort,
            own=own_limits.heart_failure,
            window=Window(days=heart_failure.WINDOW_DAYS, start_up_days=own_limits.START_UP_DAYS),
            duration=timedelta(hours=20),
            event="admission for heart failure",
        ),
        Cohort(
            name="copd",
            title="COPD",
            book="copd",
            people=copd.PEOPLE,
            make=copd.cohort,
            own=own_limits.copd,
            window=Window(days=copd.WINDOW_DAYS, start_up_days=own_limits.START_UP_DAYS),
            duration=timedelta(hours=20),
            event="exacerbation",
        ),
        Cohort(
            name="covid19",
            title="Covid-19",
            book="covid19",
            people=covid.PEOPLE,
            make=covid.cohort,
            own=own_limits.covid19,
            window=Window(days=covid.WINDOW_DAYS, start_up_days=0),
            duration=timedelta(hours=4),
            event="admission",
        ),
    )
}
