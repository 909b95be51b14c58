"""Bars as the numbers of an SVG, so that a template only writes them down. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from server.reports.load import DayLoad, RuleLoad

WIDTH, HEIGHT = 720, 180
_PRIORITIES = ("low", "medium", "high", "critical")  # from the bottom of a bar to its top


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a bar; `kind` chooses its colour and pattern."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A plot. `top`: the number at its upper edge; `marks`: days to be written under it, with their place."""

    parts: tuple[Part, ...]
    top: int
    marks: tuple[tuple[float, date], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A lying bar, in percent of the longest."""

    name: str
    count: int
    percent: float


def by_day(days: Sequence[DayLoad]) -> Bars:
    """A standing bar a day, stacked by priority."""
    top = _round(max((each.count for each in days), default=0))
    step = WIDTH / max(1, len(days))
    parts = [part for place, each in enumerate(days) for part in _stack(each.by_priority, place * step, step, top)]
    every = max(1, len(days) // 6)
    marks = [((place + 0.5) * step, each.day) for place, each in enumerate(days) if place % every == every // 2]
    return Bars(parts=tuple(parts), top=top, marks=tuple(marks))


def by_rule(rules: Sequence[RuleLoad]) -> tuple[Row, ...]:
    """A lying bar a rule, the longest first."""
    most = max((each.count for each in rules), default=1)
    return tuple(Row(name=each.rule, count=each.count, percent=_one(100 * each.count / most)) for each in rules)


def _stack(counts: Mapping[str, int], left: float, step: float, top: int) -> list[Part]:
    parts, base = [], float(HEIGHT)
    gap = min(4.0, step * 0.2)
    for kind in _PRIORITIES:
        count = counts.get(kind, 0)
        if count:
            height = HEIGHT * count / top
            base -= height
            parts.append(
                Part(kind=kind, x=_one(left + gap / 2), y=_one(base), width=_one(step - gap), height=_one(height))
            )
    return parts


def _round(most: int) -> int:
    """A number not below `most` that reads well at the edge of a plot."""
    size = 1
    while True:
        for step in (1, 2, 4, 5, 10):
            if step * size >= max(most, 4):
                return step * size
        size *= 10


def _one(value: float) -> float:
    return round(value, 1)
