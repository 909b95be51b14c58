"""How fast what an alert is about gets worse, as one small number: it sorts the worklist, and decides nothing else.

The newest value is compared with the middle one of the three before it that are half a day to two and a half days
older, so that a second measurement to confirm the first is not a change. The steps are an assumption of this project,
about twice what a healthy person's values differ from day to day; whoever has none is never said to get worse.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select

from alerts.alert import OPEN, Alert, State
from server.db import tables
from server.db.asking import Question, Within, asked_about
from server.db.types import UTCDateTime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The alerts whose pace can be known, and what is to be asked for it."""

    about: Mapping[str, tuple[str, str, str]]  # alert id -> patient, metric and side

    def question(self, now: datetime) -> Question:
        """What was measured lately of their patients."""
        return lately({patient for patient, _, _ in self.about.values()}, now)

    def paces(self, measured: Iterable[Any]) -> Mapping[str, int]:
        """Alert id -> its pace, from the answer."""
        points: dict[tuple[str, str], list[Point]] = {}
        for row in measured:
            points.setdefault((row.patient_id, row.metric), []).append(Point(row.taken_at, row.value))
        return {
            alert: pace(metric, side, points.get((patient, metric), ()))
            for alert, (patient, metric, side) in self.about.items()
        }


def lately(patients: Iterable[str], now: datetime) -> Question:
    """What was measured of these patients in the days that a pace looks at."""
    return _measured.about(patients, since=now - 2 * _OLDEST)


def course(alerts: Iterable[Alert]) -> Course:
    """Of those of these alerts that are about a metric whose steps are known."""
    return Course(about={each.id: (each.patient, *asked) for each in alerts if (asked := _about(each))})


@asked_about
def _measured(within: Within) -> Select[Any]:
    table = tables.measurement.c
    since = table.taken_at >= bindparam("since", type_=UTCDateTime())
    columns = (table.patient_id, table.metric, table.taken_at, table.value)
    chosen = select(*columns).where(within(table.patient_id), table.metric.in_(sorted(_STEPS)), since)
    return chosen.order_by(table.taken_at.desc())


def _about(alert: Alert) -> tuple[str, str] | None:
    why: Mapping[str, Any] = alert.why
    metric, side = why.get("metric"), why.get("side")
    is_shown = alert.state in OPEN and alert.state is not State.PENDING
    return (metric, side) if is_shown and metric in _STEPS and side in ("above", "below") else None
