"""How many alerts there are, of which rules and patients, and how soon somebody answers: computed from facts.

A look back over so many days. The alerts are those that were raised in that time, as far as the reader may know of
them; what happened to each is read from its facts. At most so many are looked at, the newest: a page must stay a page.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, func, select

from alerts.escalation import COURSES
from alerts.fact import FactKind, Role
from alerts.priority import Priority
from server.access import Actor, scope
from server.db import tables

SPANS = (7, 30, 90)
ALERTS_MAX = 20_000
WORST = 10
_DAY = timedelta(days=1)
_TAKEN = (FactKind.ACKNOWLEDGED.value, FactKind.RESOLVED.value)


def _in_time(ladder: str, until: Role) -> timedelta:
    """How long somebody has before the ladder tells the next one."""
    return timedelta(minutes=min(rung.minutes for rung in COURSES[ladder].rungs if rung.to is until))


# Whoever answers before the next one is told has answered in time. Yellow and blue alerts have until the working day
# ends, which is the ladder's own measure and not one in minutes: they are not counted.
IN_TIME: Mapping[str, timedelta] = {
    Priority.CRITICAL.word: _in_time("critical", Role.BACKUP),
    Priority.HIGH.word: _in_time("high", Role.SHIFT_LEAD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """One alert and what came of it; `taken_at`: first acknowledged or closed by a person."""

    patient: str
    rule: str
    priority: str  # with which it was raised
    at: datetime
    taken_at: datetime | None
    closed_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of how many alerts, the median and the slowest tenth; None where there is nothing to measure."""

    count: int
    median: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One rule of one patient, and how much of all there was it made."""

    patient: str
    rule: str
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLoad:
    """One rule over the time."""

    rule: str
    count: int
    patients: int
    acted_on: int  # closed because something was done, or is watched
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLoad:
    """One day, by priority."""

    day: date
    by_priority: Mapping[str, int]

    @property
    def count(self) -> int:
        return sum(self.by_priority.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class InTime:
    """How many of a priority were answered before the next one was told; those that still have time are not counted."""

    priority: str
    within: timedelta
    answered: int
    count: int

    @property
    def share(self) -> float | None:
        return self.answered / self.count if self.count else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the page shows. `is_cut`: there were more alerts than are looked at."""

    days: int
    since: datetime
    alerts: int
    patients: int
    patient_days: float
    by_day: tuple[DayLoad, ...]
    by_rule: tuple[RuleLoad, ...]
    in_time: tuple[InTime, ...]
    worst: tuple[Pair, ...]
    to_take: Times
    to_close: Times
    outcomes: tuple[tuple[str, int], ...]
    still_open: int
    is_cut: bool

    @property
    def per_patient_day(self) -> float | None:
        """Alerts a patient and day."""
        return self.alerts / self.patient_days if self.patient_days else None

    @property
    def worst_share(self) -> float:
        """How much of all alerts the worst pairs make."""
        return sum(each.share for each in self.worst)


def load(connection: Connection, actor: Actor, days: int, now: datetime, zone: ZoneInfo) -> Load:
    """The load of the last `days` days up to `now`; days of the plot are those of `zone`."""
    since = now - days * _DAY
    raised = _raised(connection, actor, since)
    spans = _enrolled(connection, actor, since, now)
    return summed(raised[:ALERTS_MAX], spans, Span(days=days, now=now, zone=zone), is_cut=len(raised) > ALERTS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time that is looked at."""

    days: int
    now: datetime
    zone: ZoneInfo


def summed(raised: Sequence[Raised], enrolled: Sequence[timedelta], span: Span, *, is_cut: bool = False) -> Load:
    """The figures. Pure."""
    outcomes = Counter(each.outcome for each in raised if each.outcome is not None)
    return Load(
        days=span.days,
        since=span.now - span.days * _DAY,
        alerts=len(raised),
        patients=len({each.patient for each in raised}),
        patient_days=sum((each / _DAY for each in enrolled), 0.0),
        by_day=_by_day(raised, span),
        by_rule=_by_rule(raised),
        in_time=tuple(_answered(raised, priority, within, span.now) for priority, within in IN_TIME.items()),
        worst=_worst(raised),
        to_take=_times(each.taken_at - each.at for each in raised if each.taken_at is not None),
        to_close=_times(each.closed_at - each.at for each in raised if each.closed_at is not None),
        outcomes=tuple(sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))),
        still_open=sum(each.closed_at is None for each in raised),
        is_cut=is_cut,
    )


def _raised(connection: Connection, actor: Actor, since: datetime) -> list[Raised]:
    """The newest alerts raised since then; one more than are looked at, if there are."""
    alert, fact = tables.alert, tables.fact
    newest = (
        select(alert.c.id, alert.c.patient_id, alert.c.rule, alert.c.raised_at)
        .where(alert.c.raised_at >= since)
        .order_by(alert.c.raised_at.desc(), alert.c.id)
        .limit(ALERTS_MAX + 1)
    )
    chosen = scope(newest, alert, actor).subquery()
    is_persons = fact.c.kind.in_(_TAKEN) & fact.c.by.is_not(None)
    closing = fact.c.kind == FactKind.RESOLVED.value
    rows = connection.execute(
        select(
            chosen.c.patient_id,
            chosen.c.rule,
            chosen.c.raised_at,
            func.min(case((is_persons, fact.c.at))).label("taken_at"),
            func.max(case((closing, fact.c.at))).label("closed_at"),
            func.max(case((closing, fact.c.why["outcome"].as_string()))).label("outcome"),  # it is closed once
            func.max(case((fact.c.kind == FactKind.RAISED.value, fact.c.priority))).label("priority"),
        )
        .join(fact, fact.c.alert_id == chosen.c.id)
        .where(fact.c.kind.in_((*_TAKEN, FactKind.RAISED.value)))
        .group_by(chosen.c.id, chosen.c.patient_id, chosen.c.rule, chosen.c.raised_at)
        .order_by(chosen.c.raised_at.desc(), chosen.c.id)
    )
    return [
        Raised(
            patient=row.patient_id,
            rule=row.rule,
            priority=row.priority or Priority.LOW.word,
            at=row.raised_at,
            taken_at=row.taken_at,
            closed_at=row.closed_at,
            outcome=None if row.closed_at is None else row.outcome or "by_itself",
        )
        for row in rows
    ]


def _enrolled(connection: Connection, actor: Actor, since: datetime, now: datetime) -> list[timedelta]:
    """For how long each enrolment fell into the time."""
    table = tables.enrolment
    statement = select(table.c.starts_at, table.c.ends_at, table.c.state).where(table.c.starts_at < now)
    return [
        max(min(row.ends_at or now, now) - max(row.starts_at, since), timedelta(0))
        for row in connection.execute(scope(statement, table, actor))
        if row.ends_at is not None or row.state != "ended"
    ]


def _by_day(raised: Iterable[Raised], span: Span) -> tuple[DayLoad, ...]:
    last = span.now.astimezone(span.zone).date()
    counted: dict[date, Counter[str]] = {last - _DAY * back: Counter() for back in range(span.days - 1, -1, -1)}
    for each in raised:
        day = each.at.astimezone(span.zone).date()
        if day in counted:  # the first day began before the time that is looked at
            counted[day][each.priority] += 1
    return tuple(DayLoad(day=day, by_priority=dict(counts)) for day, counts in counted.items())


def _by_rule(raised: Iterable[Raised]) -> tuple[RuleLoad, ...]:
    rules: dict[str, list[Raised]] = {}
    for each in raised:
        rules.setdefault(each.rule, []).append(each)
    found = [
        RuleLoad(
            rule=rule,
            count=len(each),
            patients=len({one.patient for one in each}),
            acted_on=sum(one.outcome in ("actionable", "watch") for one in each),
            closed=sum(one.outcome is not None for one in each),
        )
        for rule, each in rules.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.count, each.rule)))


def _worst(raised: Sequence[Raised]) -> tuple[Pair, ...]:
    pairs = Counter((each.patient, each.rule) for each in raised)
    first = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:WORST]
    return tuple(Pair(patient=p, rule=rule, count=n, share=n / len(raised)) for (p, rule), n in first)


def _answered(raised: Iterable[Raised], priority: str, within: timedelta, now: datetime) -> InTime:
    of = [each for each in raised if each.priority == priority]
    over = [each for each in of if each.taken_at is not None or now - each.at > within]
    answered = sum(each.taken_at is not None and each.taken_at - each.at <= within for each in over)
    return InTime(priority=priority, within=within, answered=answered, count=len(over))


def _times(spans: Iterable[timedelta]) -> Times:
    ordered = sorted(spans)
    if not ordered:
        return Times(count=0, median=None, p90=None)
    # The nearest rank: a time that somebody really had to wait, not one in between.
    rank = [max(0, -(-len(ordered) * percent // 100) - 1) for percent in (50, 90)]
    return Times(count=len(ordered), median=ordered[rank[0]], p90=ordered[rank[1]])
