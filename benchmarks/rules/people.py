"""Made-up people under follow-up: what they measured, what they would measure again when asked, what befell them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.arrival import Arrival
from alerts.plan import Period
from alerts.service_hours import wall

ZONE = ZoneInfo("Europe/Oslo")
START = datetime(2026, 3, 2, tzinfo=ZONE)  # a Monday at midnight; the span holds the night of summer time
DAY = timedelta(days=1)
_EVENT_MINUTE = 6 * 60  # admitted early in the morning, before that day's measuring


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One made-up person.

    `arrivals` in received order; `again`: reading id -> the second measurement that this person takes when asked to
    (no entry: does not answer). `events` are what an alert should come before, `others` admissions for other reasons;
    `stays` are spent in hospital, without measuring. `usual` is the true level of each metric, known to nobody.
    """

    key: str
    until: datetime  # aware UTC, the end of follow-up
    arrivals: tuple[Arrival, ...]
    again: Mapping[str, Arrival] = field(default_factory=dict)
    events: tuple[datetime, ...] = ()
    others: tuple[datetime, ...] = ()
    stays: tuple[Period, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)  # of the plan, as a clinician would enter them
    usual: Mapping[str, float] = field(default_factory=dict)

    @property
    def starts_at(self) -> datetime:
        """The first moment of follow-up."""
        return moment(0)

    @property
    def followed(self) -> timedelta:
        """The length of follow-up without the days in hospital."""
        away = sum((min(stay.end or self.until, self.until) - stay.start for stay in self.stays), timedelta())
        return self.until - self.starts_at - away


def moment(day: int, minute: int = 0) -> datetime:
    """The moment, in UTC, so many local days and wall-clock minutes after the start."""
    return wall((START + day * DAY).date(), minute, ZONE)


def event_at(day: int) -> datetime:
    """When somebody who is admitted on that day is admitted."""
    return moment(day, _EVENT_MINUTE)


def chance(seed: int, *label: object) -> random.Random:
    """A source of chance of its own for every purpose: adding one moves no other."""
    return random.Random(" ".join(map(str, (seed, *label))))
