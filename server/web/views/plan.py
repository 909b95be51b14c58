"""A plan as values to be shown: what differs between two, and the bars of a back-test. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.plan import Plan
from server.care.approval import plain
from server.care.plans import ZONES_WITH_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is otherwise in the second plan; None: there is none. `kind` says which words fit.

    limit (rule, metric, priority), slots (rule), rule (another part of a rule), baseline (metric), fact (name),
    outside, text (zone).
    """

    kind: str
    name: str
    before: Any
    after: Any
    metric: str | None = None
    priority: str | None = None


def differences(
    before: Plan | None, after: Plan, texts: tuple[Mapping[str, str], Mapping[str, str]]
) -> list[Difference]:
    """Everything that differs, limits first; without a plan before only what is individual counts. `texts` likewise."""
    found = [*_of_rules(before, after), *_of_facts(before, after)]
    if before is None or before.outside is not after.outside:
        was = None if before is None else before.outside.value
        found.append(Difference(kind="outside", name="outside", before=was, after=after.outside.value))
    for zone in ZONES_WITH_TEXT:
        was, now = (each.get(zone) or None for each in texts)
        if was != now:
            found.append(Difference(kind="text", name=zone, before=was, after=now))
    return found


def _of_rules(before: Plan | None, after: Plan) -> Iterator[Difference]:
    if before is None:
        return
    for name, rule in sorted(after.table.items()):
        was, now = plain(before.table.get(name, {})), plain(rule)
        if was == now:
            continue
        parts = [part for part in sorted({*was, *now}) if was.get(part) != now.get(part)]
        for part in parts:
            if part == "bands" and len(was.get("bands", ())) == len(now["bands"]):
                yield from _of_bands(name, was, now)
            elif part == "slots":
                yield Difference(kind="slots", name=name, before=was.get("slots"), after=now.get("slots"))
            else:
                yield Difference(kind="rule", name=name, before=None, after=None)


def _of_bands(rule: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    for old, new in zip(was["bands"], now["bands"], strict=True):
        if old != new:
            yield Difference(
                kind="limit",
                name=rule,
                before=old.get("limit"),
                after=new.get("limit"),
                metric=now.get("metric"),
                priority=new.get("priority"),
            )


def _of_facts(before: Plan | None, after: Plan) -> Iterator[Difference]:
    was = None if before is None else before.facts
    for metric in sorted({*(was.baseline if was else ()), *after.facts.baseline}):
        old, new = (was.baseline.get(metric) if was else None), after.facts.baseline.get(metric)
        if old != new:
            yield Difference(kind="baseline", name=metric, before=old, after=new, metric=metric)
    for name in ("spo2_floor", "spo2_scale", "on_oxygen"):
        old, new = getattr(was, name, None), getattr(after.facts, name)
        if old != new:
            yield Difference(kind="fact", name=name, before=old, after=new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a week in the units of the picture's view box."""

    x: float
    y: float
    width: float
    height: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One week: alerts under the plan in force, and under the other one."""

    start: datetime
    end: datetime
    middle: float
    now: Bar
    then: Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The bars of a back-test. `lines`: height and count of each line to read by."""

    width: int
    height: int
    floor: float
    pairs: tuple[Pair, ...]
    lines: tuple[tuple[float, int], ...]


WIDTH, HEIGHT = 460, 200
_LEFT, _TOP, _BOTTOM = 34, 16, 30


def picture(weeks: Sequence[Mapping[str, Any]]) -> Picture:
    """The weeks of a report as `server.reports.tryout` writes it, oldest first."""
    most = max([4, *(max(week["in_force"], week["candidate"]) for week in weeks)])
    most += -most % 4  # lines at whole numbers
    floor = float(HEIGHT - _BOTTOM)
    unit, step = (floor - _TOP) / most, (WIDTH - _LEFT) / max(len(weeks), 1)
    thick = min(44.0, step * 0.32)
    pairs = []
    for place, week in enumerate(weeks):
        middle = _LEFT + step * (place + 0.5)
        counts = (week["in_force"], week["candidate"])
        bars = [
            Bar(x=middle + side, y=floor - count * unit, width=thick, height=count * unit, count=count)
            for side, count in zip((-thick - 2, 2), counts, strict=True)
        ]
        start, end = datetime.fromisoformat(week["from"]), datetime.fromisoformat(week["to"])
        pairs.append(Pair(start=start, end=end, middle=middle, now=bars[0], then=bars[1]))
    lines = tuple((floor - count * unit, count) for count in range(0, most + 1, most // 4))
    return Picture(width=WIDTH, height=HEIGHT, floor=floor, pairs=tuple(pairs), lines=lines)
