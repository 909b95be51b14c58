"""95 % intervals by resampling people: whoever is drawn brings everything that was counted about him or her."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.rules.measures import FIGURES, Numbers, rate

RESAMPLES = 500
_LOW, _HIGH = 0.025, 0.975


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval; all None where there was nothing to divide by."""

    value: float | None
    low: float | None
    high: float | None


def figures(people: Sequence[Numbers], seed: int, resamples: int = RESAMPLES) -> dict[str, Figure]:
    """Every figure of `measures` over these people. Equal seeds draw the same people for every arm."""
    luck = random.Random(f"{seed} {len(people)}")
    columns = list(zip(*people, strict=True))
    whole = tuple(map(sum, columns))
    drawn = []
    for _ in range(resamples):
        chosen = luck.choices(range(len(people)), k=len(people))
        drawn.append(tuple(sum(map(column.__getitem__, chosen)) for column in columns))
    return {name: _figure(name, whole, drawn) for name in FIGURES}


def _figure(name: str, whole: Numbers, drawn: Sequence[Numbers]) -> Figure:
    values = sorted(value for value in (rate(name, each) for each in drawn) if value is not None)
    if not values:
        return Figure(rate(name, whole), None, None)
    return Figure(rate(name, whole), quantile(values, _LOW), quantile(values, _HIGH))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share of the ordered values lies, between neighbours where it falls between."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
