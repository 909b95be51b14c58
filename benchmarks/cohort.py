"""A made-up cohort for timing: seeded patients on shipped rulebooks, measuring as agreed, some of them getting worse.

Made to exercise the rules, not to resemble a population; sensitivity and burden need another cohort.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from alerts import rulebook
from alerts.arrival import Arrival
from alerts.plan import Plan
from vitals.reading import Quality

START = datetime(2026, 3, 1, 23, tzinfo=UTC)  # midnight in Oslo; the span holds the night of 2026-03-29
_BOOKS = ("covid19", "heart_failure", "diabetes", "frail")
_HOURS = (8, 14, 20)
_POOR_SHARE, _LATE_SHARE, _SKIPPED_SHARE = 0.03, 0.02, 0.10

# metric -> usual value, noise (one standard deviation), what a bad course adds by its end
_BODY = {
    "spo2": (96.5, 0.8, -7.0),
    "pulse": (74.0, 5.0, 34.0),
    "respiration": (16.0, 1.5, 9.0),
    "systolic": (132.0, 8.0, -36.0),
    "diastolic": (78.0, 5.0, -14.0),
    "temperature": (36.8, 0.2, 2.1),
    "weight": (80.0, 0.4, 3.5),
    "glucose": (7.0, 1.5, 9.0),
}
_MEASURED = {
    "covid19": ("spo2", "pulse", "respiration", "systolic", "diastolic", "temperature"),
    "heart_failure": ("weight", "pulse", "systolic", "diastolic"),
    "diabetes": ("glucose",),
    "frail": ("spo2", "pulse", "respiration", "systolic", "diastolic", "temperature"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One made-up patient: the plan, and every reading in the order of arrival."""

    key: str
    plan: Plan
    arrivals: tuple[Arrival, ...]


def cohort(patients: int, days: int, seed: int) -> Iterator[Patient]:
    """`patients` of them over `days` days; the same arguments give the same people in every process."""
    plans = {book: _plan(book) for book in _BOOKS}
    for number in range(patients):
        book = _BOOKS[number % len(_BOOKS)]
        chance = random.Random(f"{seed} {number}")
        arrivals = sorted(_arrivals(book, days, chance), key=lambda each: (each.received_at, each.reading_id))
        yield Patient(key=f"p{number:05}", plan=plans[book], arrivals=tuple(arrivals))


def _plan(book: str) -> Plan:
    facts = {"age": 74, "spo2_scale": 1, "on_oxygen": False, "baseline": {"weight": 80.0}}
    settings = {"plan_id": book, "starts_at": START.isoformat(), "facts": facts, "hours": "08:00-15:30 mon-fri"}
    return rulebook.draft(rulebook.merge(rulebook.load(book), {}), settings)


def _arrivals(book: str, days: int, chance: random.Random) -> Iterator[Arrival]:
    ill_from = chance.uniform(0.3, 0.9) * days if chance.random() < 0.3 else None
    for day in range(days):
        for hour in _HOURS if book != "heart_failure" else _HOURS[:1]:
            if chance.random() < _SKIPPED_SHARE:
                continue
            taken_at = START + timedelta(days=day, hours=hour, minutes=chance.uniform(-40, 40))
            delay = timedelta(hours=chance.uniform(1, 30)) if chance.random() < _LATE_SHARE else timedelta(seconds=20)
            progress = 0.0 if ill_from is None else min(max((day - ill_from) / 4, 0.0), 1.0)
            yield Arrival(
                reading_id=f"{day:03}-{hour:02}",
                taken_at=taken_at.replace(microsecond=0),
                received_at=(taken_at + delay).replace(microsecond=0),
                values={metric: _value(metric, progress, chance) for metric in _MEASURED[book]},
                quality=Quality.POOR if chance.random() < _POOR_SHARE else Quality.GOOD,
            )


def _value(metric: str, progress: float, chance: random.Random) -> Decimal:
    usual, noise, worse = _BODY[metric]
    value = Decimal(f"{usual + chance.gauss(0, noise) + worse * progress:.1f}")
    return min(value, Decimal(100)) if metric == "spo2" else value
