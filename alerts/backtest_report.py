"""A back-test as one JSON text, the same to the byte for the same report, and its digest.

Rates are made here, from whole numbers, and rounded half up, so that no order of adding can show in them.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from alerts.backtest import Burden, Caught, Cohort, Question, Report, Tally
from alerts.episodes import Episode
from alerts.priority import Priority
from alerts.zone import Zone

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


def canonical(mapping: Mapping[str, Any]) -> str:
    """The one JSON text of a mapping: sorted keys, no blanks, characters as they are."""
    return json.dumps(mapping, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def to_mapping(found: Cohort, question: Question, burden: Burden, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The cohort as a JSON-able mapping with the `digest` (SHA-256) of its canonical text without the digest.

    `asked` says in the caller's words what was compared (rulebook, limits, what was left out).
    """
    caught = [each for report in found.reports for each in report.events]
    mapping: dict[str, Any] = {
        "asked": {
            **asked,
            "catch_from": question.catch_from.word,
            "window_days": number(question.window, _DAY),
        },
        "burden": {
            "minutes": {priority.word: float(minutes) for priority, minutes in burden.minutes.items()},
            "patients_per_nurse": burden.patients_per_nurse,
            "source": burden.source,
        },
        "patients": [_report(each, burden) for each in found.reports],
        "in_force": tally(found.in_force, burden),
        "candidate": tally(found.candidate, burden),
        "events": {
            "known": len(caught),
            "caught_in_force": sum(each.in_force is not None for each in caught),
            "caught_candidate": sum(each.candidate is not None for each in caught),
        },
    }
    return mapping | {"digest": hashlib.sha256(canonical(mapping).encode()).hexdigest()}


def tally(counted: Tally, burden: Burden) -> dict[str, Any]:
    """One side's numbers: counts as they are, rates rounded half up to four decimals (None without patient-time)."""
    days, manual = counted.length, sum(counted.groups.values())
    minutes = sum((burden.minutes[priority] * count for priority, count in counted.groups.items()), Decimal(0))
    every = sum(counted.episodes.values())
    return {
        "patient_days": number(days, _DAY),
        "episodes": sum(counted.episodes.values()),
        "episodes_by_rule": dict(counted.episodes),
        "alerts_per_week": _rate(Decimal(7 * every), days),
        "days_in_zone": {zone.value: number(counted.zones.get(zone, timedelta()), _DAY) for zone in Zone},
        "share_in_zone": {zone.value: _share(counted.zones.get(zone, timedelta()), days) for zone in Zone},
        "manual_groups": manual,
        "manual_groups_by_priority": {each.word: counted.groups.get(each, 0) for each in Priority},
        "manual_groups_per_patient_day": _rate(Decimal(manual), days),
        "manual_groups_per_nurse_day": _rate(Decimal(manual * burden.patients_per_nurse), days),
        "minutes_per_nurse_day": _rate(minutes * burden.patients_per_nurse, days),
    }


def number(length: timedelta, unit: timedelta) -> float:
    """A length of time in `unit`, rounded half up to four decimals."""
    return _rounded(Decimal(length // _MICROSECOND) / Decimal(unit // _MICROSECOND))


def _report(report: Report, burden: Burden) -> dict[str, Any]:
    return {
        "patient": report.patient,
        "from": _text(report.span.start),
        "to": _text(report.span.end),
        "in_force": tally(report.in_force, burden),
        "candidate": tally(report.candidate, burden),
        "only_in_force": [_episode(each) for each in report.only_in_force],
        "only_candidate": [_episode(each) for each in report.only_candidate],
        "events": [_event(each) for each in report.events],
    }


def _episode(episode: Episode) -> dict[str, Any]:
    return {
        "rule": episode.rule,
        "highest": episode.highest.word,
        "began_at": _text(episode.began_at),
        "ended_at": None if episode.ended_at is None else _text(episode.ended_at),
    }


def _event(caught: Caught) -> dict[str, Any]:
    lead = {"in_force": caught.in_force, "candidate": caught.candidate}
    return {
        "at": _text(caught.at),
        "lead_hours": {name: None if each is None else number(each, timedelta(hours=1)) for name, each in lead.items()},
    }


def _rate(amount: Decimal, length: timedelta) -> float | None:
    """`amount` a day of `length`."""
    if not length:
        return None
    return _rounded(amount * Decimal(_DAY // _MICROSECOND) / Decimal(length // _MICROSECOND))


def _share(part: timedelta, whole: timedelta) -> float | None:
    return _rounded(Decimal(part // _MICROSECOND) / Decimal(whole // _MICROSECOND)) if whole else None


def _rounded(value: Decimal) -> float:
    return float(value.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP))


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
