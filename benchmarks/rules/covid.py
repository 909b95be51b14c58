"""Covid-19 at home: 100 people for 14 days, of whom 15 get worse over three days as in the project's covid story.

Stated statistics: the noise of the oximeter, one standard deviation 2 points, so that a shown 90 may be
86 to 94 [R146]; faults as in `measuring`. The course of those who get worse is the story's, stretched by none.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal

from benchmarks.rules.measuring import Device, Values, measure, merged
from benchmarks.rules.people import DAY, START, Person, chance, moment
from device_sims.physiology import Body, Course

PEOPLE, DAYS, WORSE = 100, 14, 15
WINDOW_DAYS = 3
SPO2_NOISE = 2.0
_SLOTS = ((time(7), time(10)), (time(13), time(16)), (time(19), time(22)))
_ONSET = (2, 9)  # the first day of getting worse: from, to
_DECLINE_DAYS = 2.5
# What the story's course adds by its end, and the usual of people who are well: mean, spread between people, noise.
_BODY = {
    "spo2": (-6.0, 97.0, 0.8, SPO2_NOISE),
    "pulse": (34.0, 76.0, 8.0, 4.0),
    "respiration": (8.0, 16.0, 1.2, 1.2),
    "systolic": (-14.0, 130.0, 12.0, 8.0),
    "diastolic": (-2.0, 79.0, 7.0, 5.0),
    "temperature": (1.5, 36.9, 0.2, 0.2),
}
_LIMITS = {
    "spo2": (60.0, 100.0),
    "pulse": (40.0, 170.0),
    "respiration": (8.0, 40.0),
    "systolic": (75.0, 210.0),
    "diastolic": (40.0, 120.0),
    "temperature": (35.0, 41.0),
}
_FEVER = (0.0, 1.4)  # everybody's own fever of the first days, degrees at its height: from, to
_PULSE_A_DEGREE = 8.0


@dataclass(frozen=True, slots=True)
class _Ill:
    """A person's fever, and the day on which getting worse begins."""

    fever: float
    onset: float | None


def cohort(seed: int, people: int = PEOPLE) -> Iterator[Person]:
    """The people of one seed; fewer than 100 have as much fewer who get worse."""
    worse = set(chance(seed, "covid worse").sample(range(people), round(WORSE * people / PEOPLE)))
    for number in range(people):
        luck = chance(seed, "covid", number)
        onset = luck.uniform(*_ONSET) if number in worse else None
        yield _person(luck, f"covid-{seed}-{number:03}", _Ill(luck.uniform(*_FEVER), onset))


def _person(luck: random.Random, key: str, ill: _Ill) -> Person:
    usual = {metric: luck.gauss(mean, between) for metric, (_, mean, between, _) in _BODY.items()}
    courses = tuple(_course(metric, usual[metric], ill) for metric in _BODY)
    body = Body(seed=luck.getrandbits(48), began=START - DAY, courses=courses)
    admitted = None if ill.onset is None else moment(0) + (ill.onset + _DECLINE_DAYS) * DAY
    until = moment(DAYS) if admitted is None else min(admitted.replace(microsecond=0), moment(DAYS))
    taken = merged(measure(body, device, until, ()) for device in (_oximeter(), _others()))
    return Person(
        key=key,
        until=until,
        arrivals=taken.arrivals,
        again=taken.again,
        events=() if admitted is None else (until,),
        facts={"age": 58, "spo2_scale": 1, "on_oxygen": False},
        usual=usual,
    )


def _course(metric: str, usual: float, ill: _Ill) -> Course:
    fever = {"temperature": ill.fever, "pulse": ill.fever * _PULSE_A_DEGREE}.get(metric, 0.0)
    points = [(0.0, usual + 0.6 * fever), (2.0, usual + fever), (7.0, usual)]
    level = Course(metric=metric, points=tuple(points), noise=0, step=Decimal(1), lowest=0, highest=0).level
    if ill.onset is not None:
        onset = ill.onset + 1
        end = onset + _DECLINE_DAYS
        points = [each for each in points if each[0] < onset] + [(onset, level(onset)), (end, usual + _BODY[metric][0])]
    lowest, highest = _LIMITS[metric]
    step = Decimal("0.1") if metric == "temperature" else Decimal(1)
    noise = _BODY[metric][3]
    return Course(metric=metric, points=tuple(points), noise=noise, step=step, lowest=lowest, highest=highest)


def _oximeter() -> Device:
    return Device(
        name="oximeter",
        metrics=("spo2", "pulse"),
        slots=_SLOTS,
        spoilt=cold_finger,
        other=housemate,
        flagged=0.5,
        sitting="sofa",
    )


def cold_finger(values: Values, luck: random.Random) -> Values:
    """An oximeter's artefact: too low a saturation, and a pulse that is anything."""
    return {
        "spo2": max(values["spo2"] - Decimal(round(luck.uniform(4, 12))), Decimal(60)),
        "pulse": values["pulse"] + Decimal(round(luck.uniform(-15, 30))),
    }


def housemate(values: Values, luck: random.Random) -> Values:
    """Somebody healthy on the oximeter."""
    return {"spo2": Decimal(min(round(luck.gauss(97, 1.5)), 100)), "pulse": Decimal(round(luck.gauss(72, 8)))}


def _others() -> Device:
    def spoilt(values: Values, luck: random.Random) -> Values:
        shift = Decimal(round(luck.uniform(15, 40) * luck.choice((-1, 1))))
        return {**values, "systolic": max(values["systolic"] + shift, Decimal(65))}

    def other(values: Values, luck: random.Random) -> Values:
        temperature = Decimal(f"{luck.gauss(36.7, 0.3):.1f}")
        return {**values, "systolic": Decimal(round(luck.gauss(128, 12))), "temperature": temperature}

    return Device(
        name="others",
        metrics=("respiration", "systolic", "diastolic", "temperature"),
        slots=_SLOTS,
        spoilt=spoilt,
        other=other,
        sitting="sofa",
        delay=timedelta(minutes=2),
        answers=lambda at, luck: {"consciousness": Decimal(0)},
    )
