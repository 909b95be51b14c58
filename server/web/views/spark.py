"""A small line of the newest values with its limit, as numbers ready for SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from vitals.reading import Extreme

# The least height of the line, so that the noise of a healthy person does not look like a fall.
_LEAST_SPAN = {"spo2": 10.0, "pulse": 40.0, "systolic": 50.0, "diastolic": 30.0, "temperature": 2.0, "weight": 4.0}
_MARGIN = 0.12  # of the height, above and below


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value and when it was true."""

    at: datetime
    value: Decimal | Extreme


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A line in a square of 100 by 100; y grows downwards. `beyond_*` is the field on the wrong side of the limit."""

    metric: str
    path: str
    last_x: float
    last_y: float
    limit_y: float | None
    beyond_y: float | None
    beyond_height: float | None
    first_at: datetime
    newest: Decimal | Extreme
    lowest: Decimal
    highest: Decimal
    count: int


def draw(metric: str, points: Sequence[Point], limit: Decimal | None, side: str | None) -> Spark | None:
    """The line through `points` (oldest first); None when there are fewer than two to draw it through."""
    numbers = [point.value for point in points if isinstance(point.value, Decimal)]
    if len(points) < 2 or not numbers:
        return None
    low, high = _range(metric, [*numbers, *([limit] if limit is not None else [])])
    begin, length = points[0].at, (points[-1].at - points[0].at).total_seconds()

    def across(at: datetime) -> float:
        return round(1 + 97 * ((at - begin).total_seconds() / length if length else 1), 2)

    def down(value: Decimal | Extreme) -> float:
        if isinstance(value, Extreme):
            return 96.0 if value is Extreme.LO else 4.0
        return round(100 * (1 - (float(value) - low) / (high - low)), 2)

    places = [(across(point.at), down(point.value)) for point in points]
    limit_y = down(limit) if limit is not None else None
    below = side == "below"
    return Spark(
        metric=metric,
        path="M" + "L".join(f"{x} {y}" for x, y in places),
        last_x=places[-1][0],
        last_y=places[-1][1],
        limit_y=limit_y,
        beyond_y=None if limit_y is None else (limit_y if below else 0),
        beyond_height=None if limit_y is None else (round(100 - limit_y, 2) if below else limit_y),
        first_at=begin,
        newest=points[-1].value,
        lowest=min(numbers),
        highest=max(numbers),
        count=len(points),
    )


def _range(metric: str, values: Sequence[Decimal]) -> tuple[float, float]:
    low, high = float(min(values)), float(max(values))
    missing = max(_LEAST_SPAN.get(metric, 1.0) - (high - low), 0.0)
    low, high = low - missing / 2, high + missing / 2
    margin = (high - low) * _MARGIN
    return low - margin, high + margin
