"""How fast what an alert is about gets worse, as one small number: it sorts the worklist, and decides nothing else.

The newest value is compared with the middle one of the three before it that are half a day to two and a half days
older, so that a second measurement to confirm the first is not a change. The steps are an assumption of this project,
about twice what a healthy person's values differ from day to day; whoever has none is never said to get worse.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from alerts.alert import OPEN, Alert, State
from server.db import tables
from server.db.dialect import among
from vitals.reading import Extreme

STEADY, WORSE, FAST = 0, 1, 2
_OLDER, _OLDEST = timedelta(hours=12), timedelta(hours=60)
_COMPARED = 3
# How much worse counts as worse; twice that is fast.
_STEPS = {
    "spo2": Decimal(2),
    "pulse": Decimal(10),
    "respiration": Decimal(3),
    "systolic": Decimal(15),
    "diastolic": Decimal(10),
    "temperature": Decimal("0.5"),
    "weight": Decimal(1),
    "glucose": Decimal(3),
    "cat": Decimal(3),
}


class Point(NamedTuple):
    """One value and when it was true."""

    at: datetime
    value: Decimal | Extreme


def pace(metric: str, side: str, points: Sequence[Point]) -> int:
    """How fast the metric goes to the wrong side (above or below); `points` newest first."""
    step = _STEPS.get(metric)
    if step is None or not points:
        return STEADY
    newest = points[0]
    before = [each for each in points[1:] if _OLDER <= newest.at - each.at <= _OLDEST][:_COMPARED]
    known = [each.value for each in before if isinstance(each.value, Decimal)]
    if not known:
        return STEADY
    if isinstance(newest.value, Extreme):  # the device could put no number to it, and lately it could
        return FAST if (newest.value is Extreme.LO) == (side == "below") else STEADY
    moved = median(known) - newest.value if side == "below" else newest.value - median(known)
    return FAST if moved >= 2 * step else WORSE if moved >= step else STEADY


def paces(connection: Connection, alerts: Iterable[Alert], now: datetime) -> Mapping[str, int]:
    """Alert id -> its pace, of those alerts that are about a metric whose steps are known."""
    about = {each.id: (each.patient, *asked) for each in alerts if (asked := _about(each))}
    if not about:
        return {}
    table = tables.measurement
    statement = (
        select(table.c.patient_id, table.c.metric, table.c.taken_at, table.c.value)
        .where(
            among(connection, table.c.patient_id, {patient for patient, _, _ in about.values()}),
            table.c.metric.in_(sorted({metric for _, metric, _ in about.values()})),
            table.c.taken_at >= now - 2 * _OLDEST,
        )
        .order_by(table.c.taken_at.desc())
    )
    points: dict[tuple[str, str], list[Point]] = {}
    for row in connection.execute(statement):
        points.setdefault((row.patient_id, row.metric), []).append(Point(row.taken_at, row.value))
    return {
        alert: pace(metric, side, points.get((patient, metric), ())) for alert, (patient, metric, side) in about.items()
    }


def _about(alert: Alert) -> tuple[str, str] | None:
    why: Mapping[str, Any] = alert.why
    metric, side = why.get("metric"), why.get("side")
    is_shown = alert.state in OPEN and alert.state is not State.PENDING
    return (metric, side) if is_shown and metric in _STEPS and side in ("above", "below") else None
