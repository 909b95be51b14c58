"""What other limits would have raised in the last 30 days, week by week: seen before anything is in force.

The pure back-test over what is stored of one patient. Only reads. A reading that a person took out does not count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from alerts.backtest import ASSUMED, Tally, by_week
from alerts.backtest_report import tally
from alerts.episodes import Span
from alerts.fact import FactKind
from alerts.plan import Plan
from alerts.priority import Priority
from server.db import tables
from server.reports import inputs

LOOKS_BACK = timedelta(days=30)
_SPOKE_UP = (FactKind.RAISED.value, FactKind.RETURNED.value)
_BY_HAND = tuple(each.word for each in Priority if each >= Priority.MEDIUM)


def tryout(connection: Connection, patient: str, plans: tuple[Plan, Plan], now: datetime) -> dict[str, Any]:
    """Both plans (in force, tried) over the last 30 days, as JSON has it; nothing but `days: 0` where there are none.

    `weeks`: oldest first, with the groups of alerts that a person must handle and all episodes. `rules`: episodes.
    """
    start = max(now - LOOKS_BACK, plans[0].starts_at)
    if start >= now:
        return {"days": 0}
    out = _taken_out(connection, patient)
    received = inputs.arrivals(connection, patient, plans[0])
    arrivals = [each for each in received if each.received_at <= now and each.reading_id not in out]
    found = by_week(patient, plans, arrivals, Span(start=start, end=now))
    return {
        "days": round((found.span.end - found.span.start) / timedelta(days=1), 1),
        "from": found.span.start.isoformat(),
        "to": found.span.end.isoformat(),
        "readings": sum(found.span.holds(each.taken_at) for each in arrivals),
        "in_force": _numbers(found.in_force),
        "candidate": _numbers(found.candidate),
        "weeks": [
            {
                "from": week.span.start.isoformat(),
                "to": week.span.end.isoformat(),
                "in_force": sum(week.in_force.groups.values()),
                "candidate": sum(week.candidate.groups.values()),
            }
            for week in found.weeks
        ],
    }


def _numbers(counted: Tally) -> dict[str, Any]:
    told = tally(counted, ASSUMED)
    return {
        "groups": told["manual_groups"],
        "by_priority": told["manual_groups_by_priority"],
        "episodes_by_rule": told["episodes_by_rule"],
        "a_week": round(7 * (told["manual_groups_per_patient_day"] or 0), 1),
        "per_nurse_day": round(told["manual_groups_per_nurse_day"] or 0, 1),
        "minutes_per_nurse_day": round(told["minutes_per_nurse_day"] or 0),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a change came to: alerts for a person in the days before it and in as many after it, by rule."""

    days: int
    before: Mapping[str, int]
    after: Mapping[str, int]


def effect(connection: Connection, patient: str, since: datetime, now: datetime) -> Effect:
    """As many whole days after the change as have passed, 30 at most, against as many before it; from facts."""
    days = min((now - since) // timedelta(days=1), LOOKS_BACK.days)
    length = timedelta(days=days)
    return Effect(
        days=days,
        before=_spoke_up(connection, patient, since - length, since),
        after=_spoke_up(connection, patient, since, since + length),
    )


def _spoke_up(connection: Connection, patient: str, start: datetime, end: datetime) -> dict[str, int]:
    table = tables.fact
    statement = select(table.c.rule).where(
        *(table.c.patient_id == patient, table.c.at >= start, table.c.at < end),
        *(table.c.kind.in_(_SPOKE_UP), table.c.priority.in_(_BY_HAND)),
    )
    found: dict[str, int] = {}
    for rule in connection.execute(statement).scalars():
        found[rule] = found.get(rule, 0) + 1
    return found


def _taken_out(connection: Connection, patient: str) -> set[str]:
    fact = tables.fact
    said = select(fact.c.why).where(fact.c.patient_id == patient, fact.c.kind == "invalidated")
    return {str((why or {}).get("reading_id")) for why in connection.execute(said).scalars()}
