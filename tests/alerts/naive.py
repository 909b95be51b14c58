"""One threshold rule, judged a second time: from the specification, from nothing, slowly, at any moment.

Only what needs no memory: bands, deadband, waiting for a second reading, poor and off-scale values. No runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from alerts.arrival import Arrival
from alerts.priority import Priority
from vitals.reading import Extreme, Quality

_WINDOW, _AFTER_ARRIVAL = timedelta(minutes=15), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Band:
    """A limit below which trouble lies."""

    limit: int
    priority: Priority
    confirm: bool = False
    unless: int | None = None


@dataclass(frozen=True, slots=True)
class Low:
    """A rule of one metric with its trouble below; bands from mild to severe."""

    metric: str
    bands: tuple[Band, ...]
    deadband: int


@dataclass(slots=True)
class _Story:
    """What is held and what waits, as far as the readings were read."""

    clear: dict[int, int] = field(default_factory=dict)  # band held -> consecutive readings that were back
    waits: list[tuple[datetime, Arrival, list[int]]] = field(default_factory=list)  # deadline, reading, bands


def judged(rule: Low, readings: Sequence[Arrival], now: datetime) -> tuple[Priority | None, bool]:
    """The priority of the most severe band held at `now`, and whether something waits."""
    known = {each.reading_id: each for each in sorted(readings, key=lambda each: each.received_at, reverse=True)}
    counted = sorted((each for each in known.values() if each.received_at <= now), key=lambda each: each.key)
    while True:  # until no reading takes another one out
        story, refuted = _read(rule, counted)
        if refuted is None:
            break
        counted.remove(refuted)
    _let_pass(rule, story, now, included=True)
    held = max(story.clear, default=None)
    return (None if held is None else rule.bands[held].priority), bool(story.waits)


def _read(rule: Low, readings: Sequence[Arrival]) -> tuple[_Story, Arrival | None]:
    story = _Story()
    for reading in readings:
        value, good = reading.values[rule.metric], reading.quality is Quality.GOOD
        _let_pass(rule, story, reading.taken_at, included=False)
        beyond = [at for at, band in enumerate(rule.bands) if _passes(value, band.limit)]
        if good:
            for wait in list(story.waits):
                _, first, bands = wait
                if wait in story.waits and first.taken_at < reading.taken_at:
                    if bands[-1] not in beyond:
                        return story, first
                    _enter(rule, story, bands)
        _leave(rule, story, beyond, None if not good else Decimal("Infinity") if value is Extreme.HI else value)
        _reach(rule, story, reading, [at for at in beyond if at not in story.clear])
    return story, None


def _passes(value: Decimal | Extreme, limit: int) -> bool:
    return value is Extreme.LO if isinstance(value, Extreme) else value <= limit


def _let_pass(rule: Low, story: _Story, moment: datetime, *, included: bool) -> None:
    """Silence confirms what waited until before `moment`, or until it."""
    for wait in sorted(story.waits, key=lambda each: each[0]):
        if wait in story.waits and (wait[0] < moment or (included and wait[0] == moment)):
            _enter(rule, story, wait[2])


def _enter(rule: Low, story: _Story, bands: Sequence[int]) -> None:
    for at in bands:
        story.clear.setdefault(at, 0)
    held = rule.bands[max(story.clear)].priority
    story.waits = [each for each in story.waits if rule.bands[each[2][-1]].priority > held]


def _leave(rule: Low, story: _Story, beyond: Sequence[int], value: Decimal | Extreme | None) -> None:
    """Bands are left on the second of two good readings in a row that are back by the deadband."""
    for at in list(story.clear):
        if at in beyond:
            story.clear[at] = 0
        elif isinstance(value, Decimal):
            story.clear[at] = story.clear[at] + 1 if value >= rule.bands[at].limit + rule.deadband else 0
            if story.clear[at] == 2:
                del story.clear[at]


def _reach(rule: Low, story: _Story, reading: Arrival, reached: list[int]) -> None:
    """A reading enters the bands whose limit it passes, or waits where the most severe of them asks for a second."""
    if not reached:
        return
    asked, value = rule.bands[reached[-1]], reading.values[rule.metric]
    is_worse = not story.clear or asked.priority > rule.bands[max(story.clear)].priority
    is_good = reading.quality is Quality.GOOD
    if is_good and (not asked.confirm or not is_worse or _passes(value, -1 if asked.unless is None else asked.unless)):
        _enter(rule, story, reached)
    elif is_worse:
        end = reading.taken_at + _WINDOW
        if reading.received_at - reading.taken_at <= timedelta(minutes=15):
            end = max(end, reading.received_at + _AFTER_ARRIVAL)
        story.waits.append((end, reading, reached))
