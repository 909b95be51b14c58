"""From a body to what arrives: when somebody measures, and what goes wrong in it.

Every cohort has the same three faults: days without measuring, artefacts, and somebody else on the device.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from alerts.arrival import Arrival
from alerts.plan import Period
from benchmarks.rules.people import START, ZONE, chance
from device_sims.habits import Habit, times
from device_sims.physiology import Body
from vitals.reading import Quality

MISSING, ARTEFACT, WRONG_PERSON = 0.10, 0.03, 0.01  # shares of due measurements
ANSWERS = 0.7  # of those asked to measure again
_AFTER = timedelta(minutes=8)  # asked, rested, measured again
_ON_THE_WAY = timedelta(seconds=20)

Values = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What one device measures at a time, and its faults.

    `spoilt` makes an artefact of good values; `other` is what somebody else in the home would have measured;
    `flagged` is the share of artefacts that the device itself calls poor. Devices of one `sitting` are used one after
    the other, this one `delay` after the first.
    """

    name: str
    metrics: tuple[str, ...]
    slots: tuple[tuple[time, time], ...]
    spoilt: Callable[[Values, random.Random], Values]
    other: Callable[[Values, random.Random], Values]
    flagged: float = 0.0
    sitting: str = ""  # empty: a sitting of its own
    delay: timedelta = timedelta()
    answers: Callable[[datetime, random.Random], Values] | None = None  # questions asked along with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """All that one person's device delivers."""

    arrivals: tuple[Arrival, ...]
    again: Mapping[str, Arrival]


def measure(body: Body, device: Device, until: datetime, stays: tuple[Period, ...]) -> Taken:
    """The device's readings from the start to `until` (exclusive), and the second ones for when they are asked for."""
    habit = Habit(slots=device.slots, keeps=1 - MISSING)
    arrivals, again = [], {}
    began = START - timedelta(days=1)  # else the first hour would count as settling in
    for seated_at in times(habit, seed=_seed(body, device), zone=ZONE, began=began, window=(START, until)):
        taken_at = seated_at + device.delay
        if any(stay.holds(taken_at) for stay in stays):
            continue
        luck = chance(body.seed, device.name, taken_at.isoformat())
        values, quality = _faulty(_values(body, device, taken_at), device, luck)
        if device.answers is not None:
            values = {**values, **device.answers(taken_at, luck)}
        arrival = _arrival(f"{device.name} {taken_at.isoformat()}", taken_at, values, quality)
        arrivals.append(arrival)
        if luck.random() < ANSWERS:
            second_at = taken_at + _AFTER
            second = _values(body, device, second_at)
            again[arrival.reading_id] = _arrival(f"{arrival.reading_id} again", second_at, second, Quality.GOOD)
    return Taken(arrivals=tuple(arrivals), again=again)


def merged(taken: Iterator[Taken]) -> Taken:
    """What several devices deliver, in received order."""
    every = list(taken)
    arrivals = sorted((each for one in every for each in one.arrivals), key=lambda each: (each.received_at, each.key))
    return Taken(arrivals=tuple(arrivals), again={key: each for one in every for key, each in one.again.items()})


def _seed(body: Body, device: Device) -> int:
    return chance(body.seed, device.sitting or device.name).getrandbits(48)


def _values(body: Body, device: Device, at: datetime) -> Values:
    found = {metric: body.measure(metric, at) for metric in device.metrics}
    return {metric: value for metric, value in found.items() if value is not None}


def _faulty(values: Values, device: Device, luck: random.Random) -> tuple[Values, Quality]:
    fault = luck.random()
    if fault < WRONG_PERSON:
        return device.other(values, luck), Quality.GOOD
    if fault < WRONG_PERSON + ARTEFACT:
        return device.spoilt(values, luck), Quality.POOR if luck.random() < device.flagged else Quality.GOOD
    return values, Quality.GOOD


def _arrival(name: str, taken_at: datetime, values: Values, quality: Quality) -> Arrival:
    received_at = taken_at + _ON_THE_WAY
    return Arrival(reading_id=name, taken_at=taken_at, received_at=received_at, values=dict(values), quality=quality)
