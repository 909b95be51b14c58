"""COPD: 100 people followed for 120 days, 40 exacerbations.

Stated statistics: the spread of daily saturation around its own level, at most 2 points while well and at least 4
before an exacerbation [R120]; the rise of the CAT score [R124]; faults as in `measuring`. Everything else is an
assumption of ours, named in the report.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal

from alerts.plan import Period
from benchmarks.rules.covid import cold_finger, housemate
from benchmarks.rules.measuring import Device, Values, measure, merged
from benchmarks.rules.people import DAY, START, ZONE, Person, chance, event_at, moment
from device_sims.physiology import Body, Course

PEOPLE, DAYS, EVENTS = 100, 120, 40
WINDOW_DAYS = 14
SPREAD, SPREAD_BEFORE = (1.2, 2.0), (4.0, 5.0)  # standard deviation around the own level, drawn evenly between
BEFORE_DAYS = 10  # how long before the event the spread is wide
CAT_RISE = (6.07, 3.0)  # points, mean and (ours) standard deviation
STAY = timedelta(days=7)
_READING_NOISE = 1.0  # the part of the spread that another measurement minutes later does not share
_DECLINE, _DECLINE_DAYS = -1.5, 5
_PULSE, _PULSE_BEFORE = (84.0, 9.0, 5.0), 6.0
_CAT, _CAT_NOISE, _CAT_DAYS = (17.0, 5.0), 1.5, 7
_FIRST_EVENT = 28
_MORNING = ((time(8), time(11)),)
_MORNING_SHARE = 9.5 / 24


def cohort(seed: int, people: int = PEOPLE) -> Iterator[Person]:
    """The people of one seed; fewer than 100 have as much fewer exacerbations."""
    luck = chance(seed, "copd events")
    ill = {number: luck.randrange(_FIRST_EVENT, DAYS) for number in luck.sample(range(people), _events(people))}
    for number in range(people):
        yield _person(chance(seed, "copd", number), f"copd-{seed}-{number:03}", ill.get(number))


def _events(people: int) -> int:
    return round(EVENTS * people / PEOPLE)


def _person(luck: random.Random, key: str, event: int | None) -> Person:
    usual = {
        "spo2": min(max(luck.gauss(91.5, 1.5), 88.5), 95.0),
        "pulse": luck.gauss(*_PULSE[:2]),
        "cat": min(max(luck.gauss(*_CAT), 4.0), 32.0),
    }
    body = Body(seed=luck.getrandbits(48), began=START - DAY, courses=_courses(luck, usual, event))
    admitted = () if event is None else (event_at(event),)
    stays = tuple(Period(start=each, end=each + STAY) for each in admitted)
    until = moment(DAYS)
    taken = merged(measure(body, device, until, stays) for device in (_oximeter(luck, usual["cat"], admitted),))
    return Person(
        key=key,
        until=until,
        arrivals=taken.arrivals,
        again=taken.again,
        events=admitted,
        stays=stays,
        facts={"age": 70, "spo2_scale": 2, "spo2_floor": 84, "on_oxygen": False},
        usual=usual,
    )


def _courses(luck: random.Random, usual: Mapping[str, float], event: int | None) -> tuple[Course, ...]:
    well, ill = luck.uniform(*SPREAD), luck.uniform(*SPREAD_BEFORE)
    levels = []
    for day in range(DAYS):
        left = DAYS if event is None else event - day
        spread = ill if 0 < left <= BEFORE_DAYS else well
        sunk = _DECLINE * (1 - left / _DECLINE_DAYS) if 0 < left <= _DECLINE_DAYS else 0.0
        levels.append(usual["spo2"] + sunk + luck.gauss(0, (spread**2 - _READING_NOISE**2) ** 0.5))
    ill_days = set() if event is None else set(range(event - _DECLINE_DAYS, event))
    pulse = [usual["pulse"] + (_PULSE_BEFORE if day in ill_days else 0.0) for day in range(DAYS)]
    one = Decimal(1)
    return (
        Course(metric="spo2", points=_daily(levels), noise=_READING_NOISE, step=one, lowest=60, highest=100),
        Course(metric="pulse", points=_daily(pulse), noise=_PULSE[2], step=one, lowest=40, highest=170),
    )


def _daily(levels: list[float]) -> tuple[tuple[float, float], ...]:
    """A level for the middle of each day's slot, on courses that begin a day before the start."""
    return tuple((day + 1 + _MORNING_SHARE, level) for day, level in enumerate(levels))


def _oximeter(luck: random.Random, usual_cat: float, admitted: tuple[datetime, ...]) -> Device:
    rise = max(luck.gauss(*CAT_RISE), 0.0)

    def answers(at: datetime, luck: random.Random) -> Values:
        if at.astimezone(ZONE).weekday() != 0:  # the eight questions are asked on Mondays
            return {}
        is_ill = any(timedelta() < each - at <= _CAT_DAYS * DAY for each in admitted)
        score = usual_cat + luck.gauss(0, _CAT_NOISE) + (rise if is_ill else 0.0)
        return {"cat": Decimal(min(max(round(score), 0), 40))}

    return Device(
        name="oximeter",
        metrics=("spo2", "pulse"),
        slots=_MORNING,
        spoilt=cold_finger,
        other=housemate,
        flagged=0.5,
        answers=answers,
    )
