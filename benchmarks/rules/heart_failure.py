"""Heart failure: 168 people followed for 120 days, 45 admissions for heart failure and 76 for other reasons.

Stated statistics: number of people and of events, and the change of weight in the 14 days before them [R110]; share of
missing days, artefacts and strangers on the scale (`measuring`). Everything else in here is an assumption of ours,
named in the report.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from alerts.plan import Period
from benchmarks.rules.measuring import Device, Values, measure, merged
from benchmarks.rules.people import DAY, START, Person, chance, event_at, moment
from device_sims.physiology import Body, Course

PEOPLE, DAYS = 168, 120
EVENTS, OTHERS = 45, 76
WINDOW_DAYS = 14
DRIFT, OTHER_DRIFT = (0.9, 2.1), (-0.2, 1.1)  # kg in the 14 days before: mean and standard deviation
NOISE = (0.8, 0.8)  # kg, standard deviation of a person's daily weight, drawn evenly between; may be 0.5 to 0.8
PERSISTS = 0.4  # what is left of a day's noise the day after: water and food are not gone overnight
WANDER_KG, WANDER_DAYS = 0.4, 14.0  # people who are well gain and lose a little too: slow, around their usual weight
BENT = (1.0, 3.0)  # how late in the 14 days the drift comes: 1 evenly, 3 mostly in the last days
STAY = timedelta(days=7)
_FIRST_EVENT = 28  # a start-up of 14 days and a window of 14 before it
_APART = WINDOW_DAYS + STAY.days + 7  # days between two events of one person

_PULSE, _SYSTOLIC = (74.0, 10.0, 5.0), (124.0, 16.0, 9.0)  # mean, between people, from day to day
_PULSE_BEFORE, _SYSTOLIC_BEFORE = (8.0, 6.0), (-6.0, 8.0)  # change before heart failure: mean, standard deviation
_SHORT_OF_BREATH, _SHORT_OF_BREATH_BEFORE, _ILL_DAYS = 0.03, 0.4, 7
_VERY_ILL, _VERY_ILL_BEFORE, _VERY_ILL_DAYS = 0.001, 0.15, 2
_MORNING_SHARE = 8 / 24
_MORNING = ((time(6, 30), time(9, 30)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An admission on `day`; `drift` is the kilograms of the 14 days before it, `bend` how late they come."""

    day: int
    is_heart_failure: bool
    drift: float
    bend: float

    def reached(self, day: float) -> float:
        """The share of the change that has come by `day`: 0 before its 14 days, 1 at the admission, 0 after it."""
        passed = 1 - (self.day - day) / WINDOW_DAYS
        return passed**self.bend if 0 < passed <= 1 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """The daily noise of weight: between which standard deviations people lie, and how much of it persists a day."""

    between: tuple[float, float] = NOISE
    persists: float = PERSISTS


def cohort(seed: int, people: int = PEOPLE, noise: Noise = Noise()) -> Iterator[Person]:
    """The people of one seed; fewer than 168 have as much fewer events."""
    share = people / PEOPLE
    turns: dict[int, list[Turn]] = {number: [] for number in range(people)}
    luck = chance(seed, "heart failure events")
    for is_heart_failure, count in ((True, round(EVENTS * share)), (False, round(OTHERS * share))):
        for number in luck.sample(range(people), count):
            turns[number].append(_turn(luck, is_heart_failure, turns[number]))
    for number, own in turns.items():
        yield _person(chance(seed, "heart failure", number), f"hf-{seed}-{number:03}", own, noise)


def _turn(luck: random.Random, is_heart_failure: bool, earlier: list[Turn]) -> Turn:
    days = range(_FIRST_EVENT, DAYS)
    free = [day for day in days if all(abs(day - each.day) >= _APART for each in earlier)]
    drift = luck.gauss(*(DRIFT if is_heart_failure else OTHER_DRIFT))
    return Turn(day=luck.choice(free), is_heart_failure=is_heart_failure, drift=drift, bend=luck.uniform(*BENT))


def _person(luck: random.Random, key: str, turns: list[Turn], noise: Noise) -> Person:
    usual = {
        "weight": luck.uniform(58, 105),
        "pulse": luck.gauss(*_PULSE[:2]),
        "systolic": luck.gauss(*_SYSTOLIC[:2]),
    }
    usual["diastolic"] = 0.45 * usual["systolic"] + 18
    body = Body(seed=luck.getrandbits(48), began=START - DAY, courses=_courses(luck, usual, turns, noise))
    stays = tuple(Period(start=event_at(each.day), end=event_at(each.day) + STAY) for each in turns)
    until = moment(DAYS)
    devices = (_scale(luck, usual["weight"], turns), _cuff())
    taken = merged(measure(body, device, until, stays) for device in devices)
    return Person(
        key=key,
        until=until,
        arrivals=taken.arrivals,
        again=taken.again,
        events=tuple(event_at(each.day) for each in turns if each.is_heart_failure),
        others=tuple(event_at(each.day) for each in turns if not each.is_heart_failure),
        stays=tuple(sorted(stays, key=lambda each: each.start)),
        facts={"age": 74},
        usual=usual,
    )


def _courses(luck: random.Random, usual: Mapping[str, float], turns: list[Turn], noise: Noise) -> tuple[Course, ...]:
    wander = _coming_and_going(luck, WANDER_KG, 1 - 1 / WANDER_DAYS)
    noise_kg = _coming_and_going(luck, luck.uniform(*noise.between), noise.persists)
    weights = tuple(
        (_measured(day), usual["weight"] + wander[day] + noise_kg[day] + _drift(turns, day)) for day in range(DAYS)
    )
    pulse = _before(luck, usual["pulse"], turns, _PULSE_BEFORE)
    systolic = _before(luck, usual["systolic"], turns, _SYSTOLIC_BEFORE)
    diastolic = tuple((day, 0.45 * value + 18) for day, value in systolic)
    one = Decimal(1)
    return (
        Course(metric="weight", points=weights, noise=0.05, step=Decimal("0.1"), lowest=35, highest=200),
        Course(metric="pulse", points=pulse, noise=_PULSE[2], step=one, lowest=35, highest=180),
        Course(metric="systolic", points=systolic, noise=_SYSTOLIC[2], step=one, lowest=70, highest=230),
        Course(metric="diastolic", points=diastolic, noise=4.0, step=one, lowest=40, highest=120),
    )


def _coming_and_going(luck: random.Random, spread: float, persists: float) -> list[float]:
    """Day by day around nought with that standard deviation, of which a share is still there the day after."""
    levels = [luck.gauss(0, spread)]
    for _ in range(1, DAYS):
        levels.append(levels[-1] * persists + luck.gauss(0, spread) * (1 - persists**2) ** 0.5)
    return levels


def _drift(turns: list[Turn], day: int) -> float:
    return sum(each.drift * each.reached(day + _MORNING_SHARE) for each in turns)


def _measured(day: int) -> float:
    """The time of `day`'s measuring on the courses, which begin a day before the start."""
    return day + 1 + _MORNING_SHARE


def _before(
    luck: random.Random, usual: float, turns: list[Turn], change: tuple[float, float]
) -> tuple[tuple[float, float], ...]:
    """A level that moves in the 14 days before an admission for heart failure only."""
    moves = [(each, luck.gauss(*change)) for each in turns if each.is_heart_failure]
    return tuple(
        (_measured(day), usual + sum(by * each.reached(day + _MORNING_SHARE) for each, by in moves))
        for day in range(DAYS)
    )


def _scale(luck: random.Random, usual: float, turns: list[Turn]) -> Device:
    """The scale in the bathroom, two questions on the tablet beside it, and another person in the home."""
    apart = luck.uniform(8, 25) * luck.choice((-1, 1))
    housemate = usual + apart if usual + apart > 40 else usual - apart
    admissions = [event_at(each.day) for each in turns if each.is_heart_failure]

    def spoilt(values: Values, luck: random.Random) -> Values:
        shift = luck.uniform(1, 4) * (1 if luck.random() < 0.7 else -1)  # clothes and bags, or a hand on the wall
        return {"weight": values["weight"] + Decimal(f"{shift:.1f}")}

    def other(values: Values, luck: random.Random) -> Values:
        return {"weight": Decimal(f"{luck.gauss(housemate, 0.6):.1f}")}

    def answers(at: datetime, luck: random.Random) -> Values:
        left = min((each - at for each in admissions if each > at), default=timedelta(days=999)) / DAY
        breathless = _SHORT_OF_BREATH_BEFORE if left <= _ILL_DAYS else _SHORT_OF_BREATH
        very_ill = _VERY_ILL_BEFORE if left <= _VERY_ILL_DAYS else _VERY_ILL
        return {
            "symptom_yellow": Decimal(luck.random() < breathless),
            "symptom_red": Decimal(luck.random() < very_ill),
        }

    return Device(name="scale", metrics=("weight",), slots=_MORNING, spoilt=spoilt, other=other, answers=answers)


def _cuff() -> Device:
    def spoilt(values: Values, luck: random.Random) -> Values:
        shift = Decimal(round(luck.uniform(15, 40) * luck.choice((-1, 1))))  # talking, a sleeve, a loose cuff
        return {**values, "systolic": max(values["systolic"] + shift, Decimal(65))}

    def other(values: Values, luck: random.Random) -> Values:
        systolic = round(luck.gauss(132, 12))
        return {
            "systolic": Decimal(systolic),
            "diastolic": Decimal(round(0.45 * systolic + 18)),
            "pulse": Decimal(round(luck.gauss(72, 8))),
        }

    return Device(
        name="cuff", metrics=("systolic", "diastolic", "pulse"), slots=_MORNING, spoilt=spoilt, other=other, flagged=0.5
    )
