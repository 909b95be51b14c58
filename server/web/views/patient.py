"""A patient's page as values: limits and lines per metric, what happened, and the kit at home. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from alerts.own_limits import standing
from alerts.plan import Plan
from alerts.rules import Threshold
from server.web.views.spark import Point, Spark, draw
from vitals.metrics import METRICS
from vitals.reading import Extreme


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of a rule as a chart shows it."""

    value: Decimal
    side: str
    priority: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An alert as a chart shows it: where, and how urgent."""

    at: datetime
    priority: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One value in the table beside the chart; `is_poor`: the device does not vouch for it; `is_out`: taken out."""

    reading_id: str
    at: datetime
    value: Decimal | Extreme
    is_poor: bool
    is_out: bool
    beyond: str | None  # the priority of the most severe limit that it passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One metric over time."""

    metric: str
    points: tuple[Point, ...]
    limits: tuple[Limit, ...]
    marks: tuple[Mark, ...]
    rows: tuple[TableRow, ...]  # newest first
    spark: Spark | None

    @property
    def newest(self) -> TableRow | None:
        """The newest value that counts."""
        return next((row for row in self.rows if not row.is_out), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device at home. `heard_at`: the gateway's word, or the newest reading, whichever is later."""

    address: str
    kind: str
    model: str | None
    gateway: str
    gateway_online: bool | None
    gateway_at: datetime | None
    heard_at: datetime | None
    battery: int | None
    silent_since: datetime | None  # of one that the plan counts on and nobody hears


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One fact of the timeline, or several alike: `times` of them, from `since` to `at`.

    `by` is a name, `to` a recipient's role.
    """

    at: datetime
    kind: str
    rule: str | None
    priority: str | None
    by: str | None
    to: str | None
    zone: str | None
    outcome: str | None
    metric: str | None
    value: Decimal | Extreme | None
    until: datetime | None = None  # of a snooze
    mistake: str | None = None  # why a reading was taken out
    times: int = 1
    since: datetime | None = None  # where there are several


def merged(happenings: Sequence[Happening]) -> tuple[Happening, ...]:
    """The timeline (newest first) with notices in a row about the same rule to the same recipient as one line."""
    found: list[Happening] = []
    for each in happenings:
        last = found[-1] if found else None
        if last and each.kind == "notice" and (last.kind, last.rule, last.to) == (each.kind, each.rule, each.to):
            found[-1] = replace(last, times=last.times + 1, since=each.at)
        else:
            found.append(each)
    return tuple(found)


def limits_of(plan: Plan | None) -> dict[str, list[Limit]]:
    """The limits of a plan by metric, those relative to a baseline included once it is known."""
    limits: dict[str, list[Limit]] = {}
    for rule in plan.rules.values() if plan else ():
        if not isinstance(rule, Threshold):
            continue
        for band in (standing(rule, plan, {}) if plan else rule).bands:
            for metric, number in zip(rule.metrics, band.limits, strict=True):
                base = plan.facts.baseline.get(metric) if plan and rule.relative else Decimal(0)
                if number is None or base is None:
                    continue
                limit = Limit(
                    value=base + number, side=rule.side.value, priority=band.priority.word, rule=rule.name
                )  # fmt: skip
                limits.setdefault(metric, []).append(limit)
    return limits


def charts(
    values: Sequence[Any], plan: Plan | None, marks: Sequence[tuple[str, Mark]], out: Collection[str] = ()
) -> tuple[Chart, ...]:
    """One chart for each metric that was measured, in the house's order; `values` are rows, oldest first.

    `out`: ids of the readings that were taken out; they stay in the table and leave the line.
    """
    limits = limits_of(plan)
    by_metric: dict[str, list[Any]] = {}
    for row in values:
        by_metric.setdefault(row.metric, []).append(row)
    return tuple(
        _chart(
            metric, by_metric[metric], limits.get(metric, []), [mark for where, mark in marks if where == metric], out
        )
        for metric in METRICS
        if metric in by_metric
    )


def _chart(
    metric: str, rows: Sequence[Any], limits: Sequence[Limit], marks: Sequence[Mark], out: Collection[str]
) -> Chart:
    points = tuple(Point(at=row.taken_at, value=row.value) for row in rows if row.reading_id not in out)
    nearest = min(limits, key=lambda limit: abs(limit.value - _number(rows[-1].value)), default=None)
    table = tuple(
        TableRow(
            reading_id=row.reading_id,
            at=row.taken_at,
            value=row.value,
            is_poor=row.quality != "good",
            is_out=row.reading_id in out,
            beyond=_beyond(row.value, limits),
        )
        for row in reversed(rows)
    )
    return Chart(
        metric=metric,
        points=points,
        limits=tuple(limits),
        marks=tuple(marks),
        rows=table,
        spark=draw(metric, points, nearest.value if nearest else None, nearest.side if nearest else None),
    )


def chart_data(chart: Chart, words: Mapping[str, str]) -> dict[str, Any]:
    """The chart as JSON for the script that draws it; values as numbers, because a picture needs no more."""
    return {
        "decimals": METRICS[chart.metric].decimals,
        "times": [point.at.timestamp() for point in chart.points],
        "values": [float(point.value) if isinstance(point.value, Decimal) else None for point in chart.points],
        "limits": [
            {"value": float(limit.value), "side": limit.side, "priority": limit.priority} for limit in chart.limits
        ],
        "marks": [{"time": mark.at.timestamp(), "priority": mark.priority} for mark in chart.marks],
        "words": dict(words),
    }


def device(row: Any, newest: Any | None) -> Device:
    """A row of the kit with the newest reading of that device, if any."""
    said = _moment((row.heard or {}).get(row.address))
    heard = max((at for at in (said, newest.received_at if newest else None) if at), default=None)
    return Device(
        address=row.address,
        kind=row.kind,
        model=row.model,
        gateway=row.gateway_id,
        gateway_online=row.online,
        gateway_at=row.gateway_at,
        heard_at=heard,
        battery=newest.battery if newest else None,
        silent_since=row.silent_since,
    )


def _beyond(value: Decimal | Extreme, limits: Sequence[Limit]) -> str | None:
    order = ("critical", "high", "medium", "low")
    passed = [limit.priority for limit in limits if _passes(value, limit)]
    return min(passed, key=order.index, default=None)


def _passes(value: Decimal | Extreme, limit: Limit) -> bool:
    if isinstance(value, Extreme):
        return (value is Extreme.LO) == (limit.side == "below")
    return value <= limit.value if limit.side == "below" else value >= limit.value


def _number(value: Decimal | Extreme) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(0)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
