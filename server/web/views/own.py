"""A patient's own measurements as a page shows them: one course a metric, a line for the eye and a table. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from alerts.plan import Plan
from server.web.views.patient import limits_of
from server.web.views.spark import Point, Spark, draw
from vitals.metrics import METRICS
from vitals.reading import Extreme

_ROWS_MAX = 60
ANSWERED = frozenset({"symptom_red", "symptom_yellow", "consciousness"})  # yes or no: nothing to draw a line through


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One value; `is_own`: somebody at home typed it in."""

    at: datetime
    value: Decimal | Extreme
    is_own: bool
    is_poor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One metric over the last days. `rows` are newest first and `hidden` of them are left out."""

    metric: str
    spark: Spark | None
    rows: tuple[Taken, ...]
    hidden: int


def courses(rows: Sequence[Any], plan: Plan | None) -> tuple[Course, ...]:
    """A course for each metric, in the house's order; `rows` oldest first."""
    by_metric: dict[str, list[Any]] = {}
    for row in rows:
        by_metric.setdefault(row.metric, []).append(row)
    limits = limits_of(plan)
    return tuple(
        _course(metric, by_metric[metric], limits.get(metric, ())) for metric in METRICS if metric in by_metric
    )


def _course(metric: str, rows: Sequence[Any], limits: Sequence[Any]) -> Course:
    points = [Point(at=row.taken_at, value=row.value) for row in rows]
    newest = rows[-1].value if isinstance(rows[-1].value, Decimal) else Decimal(0)
    nearest = min(limits, key=lambda limit: abs(limit.value - newest), default=None)
    shown = [
        Taken(at=row.taken_at, value=row.value, is_own=row.gateway_id is None, is_poor=row.quality != "good")
        for row in reversed(rows)
    ]
    return Course(
        metric=metric,
        spark=None if metric in ANSWERED else _line(metric, points, nearest),
        rows=tuple(shown[:_ROWS_MAX]),
        hidden=max(0, len(shown) - _ROWS_MAX),
    )


def _line(metric: str, points: Sequence[Point], limit: Any | None) -> Spark | None:
    return draw(metric, points, limit.value if limit else None, limit.side if limit else None)
