"""A scenario: how a person's body goes and when that person measures, read from `scenarios/NAME.toml`.

`plan` is pure: the same scenario, person and window give the same measurements, whoever asks and whenever.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from device_sims.devices import personality
from device_sims.frames import Sitting, frames_of
from device_sims.habits import Habit, times
from device_sims.physiology import Body, Course

FOLDER = Path(__file__).with_name("scenarios")
# What a device can tell apart, and between which limits it measures at all.
_STEPS = {
    "spo2": ("1", 40.0, 100.0),
    "pulse": ("1", 25.0, 220.0),
    "weight": ("0.05", 20.0, 300.0),
    "body_fat": ("0.1", 3.0, 60.0),
    "systolic": ("1", 60.0, 260.0),
    "diastolic": ("1", 30.0, 160.0),
    "temperature": ("0.1", 32.0, 43.0),
    "glucose": ("0.1", 1.1, 33.3),
}
_WEIGHING = ("scale", "body_scale", "mi_scale")


class ScenarioError(ValueError):
    """The scenario cannot be used; the message names file, key and reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedFrame:
    """Bytes of a real device and where they come from."""

    characteristic: str
    frame: bytes
    kind: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How a life goes. With `frames` those are replayed; without, the courses are measured."""

    name: str
    says: str
    habit: Habit
    weighing: Habit
    courses: tuple[Course, ...]
    frames: tuple[CapturedFrame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One person's scenario, begun at `began` (aware UTC); `baselines` are the person's own, where known."""

    key: str
    scenario: Scenario
    seed: int
    zone: ZoneInfo
    began: datetime
    baselines: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """At `at` (aware UTC) the person uses the device, which then stores `frame`."""

    at: datetime
    address: str
    characteristic: str
    frame: bytes


Shown = Callable[[datetime], datetime | None]


def plan(
    life: Life, address: str, kind: str, window: tuple[datetime, datetime], shown: Shown | None = None
) -> Iterator[Planned]:
    """What the person measures with this device in `window` (from, inclusive; to, exclusive), in order.

    One use of a device may leave several records. `shown` is what the device's clock shows at a moment; without it the
    clock is the one that the device's address gives it, never set by anybody.
    """
    scenario = life.scenario
    habit = scenario.weighing if kind in _WEIGHING else scenario.habit
    moments = times(habit, seed=life.seed, zone=life.zone, began=life.began, window=window)
    frames = [each for each in scenario.frames if each.characteristic in _SPOKEN_BY[kind]]
    if frames:
        yield from (_replayed(life, address, frames, at) for at in moments)
        return
    for at in moments:
        for characteristic, frame in _measured(life, kind, at, shown or _as_delivered(life, address)):
            yield Planned(at=at, address=address, characteristic=characteristic, frame=frame)


def load(name: str) -> Scenario:
    """The scenario called `name`; raises `ScenarioError`."""
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.toml")))
        raise ScenarioError(f"no scenario is called {name!r}; known: {known}")
    table = tomllib.loads(path.read_text())
    try:
        return _scenario(name, table)
    except (KeyError, ValueError, TypeError) as error:
        raise ScenarioError(f"{path.name}: {error}") from None


_SPOKEN_BY = {
    "oximeter": ("2A5E", "2A5F"),
    "scale": ("2A9D",),
    "body_scale": ("2A9D", "2A9C"),
    "mi_scale": ("181D", "181B"),
    "cuff": ("2A35",),
    "thermometer": ("2A1C",),
    "glucometer": ("2A18",),
    "pulse_belt": ("2A37",),
}
_NUMBERED_EVERY_S = 300  # nobody measures twice within five minutes, and 16 bits last for 227 days


def _replayed(life: Life, address: str, frames: list[CapturedFrame], at: datetime) -> Planned:
    # Counted in half days since the beginning, so that it needs no memory of what was replayed before.
    turn = int((at - life.began).total_seconds() // 43_200) % len(frames)
    chosen = frames[turn]
    return Planned(at=at, address=address, characteristic=chosen.characteristic, frame=chosen.frame)


def _as_delivered(life: Life, address: str) -> Shown:
    return lambda at: personality(address).shown(at, life.began, life.zone)


def _measured(life: Life, kind: str, at: datetime, shown: Shown) -> tuple[tuple[str, bytes], ...]:
    body = Body(seed=life.seed, courses=life.scenario.courses, began=life.began, baselines=life.baselines)
    number = int((at - life.began).total_seconds() // _NUMBERED_EVERY_S) % 0x10000
    sitting = Sitting(measure=lambda metric: body.measure(metric, at), shown=shown(at), number=number)
    return frames_of(kind, sitting)


def _scenario(name: str, table: Mapping[str, Any]) -> Scenario:
    habit = table["habit"]
    return Scenario(
        name=name,
        says=str(table["says"]),
        habit=_habit(habit, "slots"),
        weighing=_habit(habit, "weigh"),
        courses=tuple(_course(each) for each in table.get("course", [])),
        frames=tuple(
            CapturedFrame(
                characteristic=str(each["characteristic"]),
                frame=bytes.fromhex(each["hex"]),
                kind=str(each["kind"]),
                source=str(each["source"]),
            )
            for each in table.get("frame", [])
        ),
    )


def _habit(table: Mapping[str, Any], slots: str) -> Habit:
    opening = table.get("opening_s")
    return Habit(
        slots=tuple(_slot(each) for each in table[slots]),
        keeps=float(table["keeps"]),
        wobble_min=float(table["wobble_min"]),
        opening=None if opening is None else (float(opening[0]), float(opening[1])),
    )


def _slot(text: str) -> tuple[time, time]:
    begin, _, end = text.partition("-")
    return time.fromisoformat(begin), time.fromisoformat(end)


def _course(table: Mapping[str, Any]) -> Course:
    step, lowest, highest = _STEPS[table["metric"]]
    baseline = table.get("baseline", (0, 0))
    return Course(
        metric=table["metric"],
        points=tuple((float(day), float(value)) for day, value in table["points"]),
        noise=float(table["noise"]),
        step=Decimal(step),
        lowest=lowest,
        highest=highest,
        relative=bool(table.get("relative", False)),
        baseline=(float(baseline[0]), float(baseline[1])),
    )
