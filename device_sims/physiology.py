"""How a body changes: a course over days with the noise of every single measurement. Pure and seeded."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One metric over time: straight lines between `points` (day, value), level after the last.

    `noise` is the standard deviation of a single measurement; `step` what the device can tell apart. With `relative`
    the values are changes from a person's own baseline, which is drawn from `baseline` (low, high) when not given.
    """

    metric: str
    points: tuple[tuple[float, float], ...]
    noise: float
    step: Decimal
    lowest: float
    highest: float
    relative: bool = False
    baseline: tuple[float, float] = (0.0, 0.0)

    def level(self, days: float) -> float:
        """The course at `days` after its beginning, without noise."""
        return _between(self.points, days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One person's courses. Equal seeds give equal bodies."""

    seed: int
    courses: tuple[Course, ...]
    began: datetime
    baselines: tuple[tuple[str, Decimal], ...] = ()

    def measure(self, metric: str, at: datetime) -> Decimal | None:
        """What a device would read at `at`; None when this body has no such course. The first moment has no noise."""
        course = next((each for each in self.courses if each.metric == metric), None)
        if course is None:
            return None
        elapsed = (at - self.began).total_seconds()
        chance = random.Random(f"{self.seed} {metric} {at.isoformat()}")  # noqa: S311 - a body, not a secret
        noise = 0.0 if elapsed < _FIRST_S else chance.gauss(0.0, course.noise)
        value = self._base(course) + course.level(elapsed / _DAY_S) + noise
        return _rounded(min(max(value, course.lowest), course.highest), course.step)

    def _base(self, course: Course) -> float:
        if not course.relative:
            return 0.0
        given = dict(self.baselines).get(course.metric)
        if given is not None:
            return float(given)
        chance = random.Random(f"{self.seed} {course.metric} baseline")  # noqa: S311
        return chance.uniform(*course.baseline)


_FIRST_S = 60.0


def _between(points: Sequence[tuple[float, float]], at: float) -> float:
    before = points[0]
    for point in points:
        if point[0] > at:
            share = (at - before[0]) / (point[0] - before[0]) if at > before[0] else 0.0
            return before[1] + share * (point[1] - before[1])
        before = point
    return before[1]


def _rounded(value: float, step: Decimal) -> Decimal:
    return (Decimal(str(value)) / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step
