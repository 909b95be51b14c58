"""A patient's page as values: limits and lines per metric, what happened, and the kit at home. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from alerts.own_limits import standing
from alerts.plan import Period, Plan
from alerts.rules import AnyRule, Threshold
from server.care.reports import BY_HAND
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
    """One value in the table beside the chart.

    `by_hand`: typed in at home; `is_poor`: the device does not vouch for it; `is_out`: taken out; `is_held`: nobody
    believes it yet.
    """

    reading_id: str
    at: datetime
    value: Decimal | Extreme
    by_hand: bool
    is_poor: bool
    is_out: bool
    is_held: bool
    beyond: str | None  # the priority of the most severe limit that it passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One metric over time. `held`: values that wait for a person to believe them; no line goes through them."""

    metric: str
    points: tuple[Point, ...]
    held: tuple[Point, ...]
    limits: tuple[Limit, ...]
    marks: tuple[Mark, ...]
    rests: tuple[Period, ...]
    baseline: Decimal | None
    rows: tuple[TableRow, ...]  # newest first, no more than a page shows at once
    more: bool  # whether there are older ones
    spark: Spark | None

    @property
    def newest(self) -> TableRow | None:
        """The newest value that counts."""
        return next((row for row in self.rows if not row.is_out and not row.is_held), None)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLimit(Limit):
    """The same with whose it is, where no chart says so."""

    metric: str


def limits_of_rules(rules: Mapping[str, AnyRule]) -> tuple[tuple[str, tuple[BookLimit, ...]], ...]:
    """Every rule with the limits that it has for all patients alike, the mildest first; none where it counts."""
    return tuple((name, _book_limits(rule)) for name, rule in rules.items())


def _book_limits(rule: AnyRule) -> tuple[BookLimit, ...]:
    if not isinstance(rule, Threshold) or rule.relative:
        return ()
    return tuple(
        BookLimit(metric=metric, value=number, side=rule.side.value, priority=band.priority.word, rule=rule.name)
        for band in rule.bands
        for metric, number in zip(rule.metrics, band.limits, strict=True)
        if number is not None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """What sets some values apart: readings that were taken out, values that are held back, and times of rest."""

    out: Collection[str] = ()  # reading ids
    held: Collection[tuple[str, str]] = ()  # reading id and metric
    rests: tuple[Period, ...] = ()


def charts(
    values: Sequence[Any], plan: Plan | None, marks: Sequence[tuple[str, Mark]], apart: Set | None = None
) -> tuple[Chart, ...]:
    """One chart for each metric that was measured, in the house's order; `values` are rows, oldest first.

    What was taken out or is held back stays in the table and leaves the line.
    """
    limits = limits_of(plan)
    by_metric: dict[str, list[Any]] = {}
    for row in values:
        by_metric.setdefault(row.metric, []).append(row)
    baseline = plan.facts.baseline if plan else {}
    return tuple(
        replace(
            _chart(metric, by_metric[metric], limits.get(metric, []), apart or Set()),
            marks=tuple(mark for where, mark in marks if where == metric),
            baseline=baseline.get(metric),
        )
        for metric in METRICS
        if metric in by_metric
    )


ROWS_AT_ONCE = 40  # in the table beside a chart; a page of its own has them all


def _chart(metric: str, rows: Sequence[Any], limits: Sequence[Limit], apart: Set) -> Chart:
    counting = [row for row in rows if row.reading_id not in apart.out]
    points = tuple(_point(row) for row in counting if (row.reading_id, metric) not in apart.held)
    nearest = min(limits, key=lambda limit: abs(limit.value - _number(rows[-1].value)), default=None)
    return Chart(
        metric=metric,
        points=points,
        held=tuple(_point(row) for row in counting if (row.reading_id, metric) in apart.held),
        limits=tuple(limits),
        marks=(),
        rests=apart.rests,
        baseline=None,
        rows=tuple(table_row(row, limits, apart) for row in reversed(rows[-ROWS_AT_ONCE:])),
        more=len(rows) > ROWS_AT_ONCE,
        spark=draw(metric, points, nearest.value if nearest else None, nearest.side if nearest else None),
    )


def table_row(row: Any, limits: Sequence[Limit], apart: Set) -> TableRow:
    """One measurement as a line of a table."""
    return TableRow(
        reading_id=row.reading_id,
        at=row.taken_at,
        value=row.value,
        by_hand=row.device == BY_HAND,
        is_poor=row.quality != "good",
        is_out=row.reading_id in apart.out,
        is_held=(row.reading_id, row.metric) in apart.held,
        beyond=_beyond(row.value, limits),
    )


def _point(row: Any) -> Point:
    return Point(at=row.taken_at, value=row.value)


def chart_data(chart: Chart, words: Mapping[str, str]) -> dict[str, Any]:
    """The chart as JSON for the script that draws it; values as numbers, because a picture needs no more."""
    return {
        "decimals": METRICS[chart.metric].decimals,
        "times": [point.at.timestamp() for point in chart.points],
        "values": [float(point.value) if isinstance(point.value, Decimal) else None for point in chart.points],
        "limits": [
            {"value": float(limit.value), "side": limit.side, "priority": limit.priority} for limit in chart.limits
        ],
        "held": [
            {"time": point.at.timestamp(), "value": float(point.value)}
            for point in chart.held
            if isinstance(point.value, Decimal)
        ],
        "rests": [[each.start.timestamp(), each.end.timestamp() if each.end else None] for each in chart.rests],
        "baseline": None if chart.baseline is None else float(chart.baseline),
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
