"""Open and closed alerts by the thousand, written as the rules would leave them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection

from alerts.alert import Alert, State, to_mapping
from alerts.priority import Priority
from benchmarks.street.town import NOW, Town, address, patient_id
from server.db import tables
from server.db.bulk import add

# rule, metric, value, limit, side, priority
_RULES: tuple[tuple[str, str, str, str, str, Priority], ...] = (
    ("spo2_low", "spo2", "90", "92", "below", Priority.HIGH),
    ("pulse_high", "pulse", "104", "100", "above", Priority.MEDIUM),
    ("temperature_high", "temperature", "38.4", "38.1", "above", Priority.MEDIUM),
    ("respiration_high", "respiration", "23", "22", "above", Priority.MEDIUM),
    ("spo2_drop", "spo2", "92", "93", "below", Priority.MEDIUM),
)
_AT_ONCE = 5_000


def write(connection: Connection, town: Town, patients: int, counts: tuple[int, int]) -> None:
    """So many open and closed alerts, spread evenly over patients and rules."""
    rows: list[dict[str, Any]] = []
    for row in _rows(town, patients, counts):
        rows.append(row)
        if len(rows) == _AT_ONCE:
            add(connection, tables.alert, rows)
            rows = []
    add(connection, tables.alert, rows)


def _rows(town: Town, patients: int, counts: tuple[int, int]) -> Iterator[dict[str, Any]]:
    for state, count in zip((State.ACTIVE, State.RESOLVED), counts, strict=True):
        for place in range(count):
            yield _row(town, place % patients, place // patients, state)


def _row(town: Town, number: int, place: int, state: State) -> dict[str, Any]:
    rule, metric, value, limit, side, priority = _RULES[place % len(_RULES)]
    raised_at = NOW - timedelta(minutes=1 + (number * 7 + place * 131) % 2_000)
    why = {
        "rule": rule,
        "rulebook": "covid19",
        "rulebook_version": "1",
        "metric": metric,
        "value": value,
        "limit": limit,
        "side": side,
        "device": address(number),
        "reading_id": str(uuid5(NAMESPACE_URL, f"{number} {place}")),
        "taken_at": raised_at.isoformat(),
        "received_at": raised_at.isoformat(),
        "evaluated_at": raised_at.isoformat(),
        "limit_set_by": "rulebook",
        "plan_version": 1,
        "quiet_at": limit,
    }
    alert = Alert(
        id=str(uuid5(NAMESPACE_URL, f"alert {state} {number} {place}")),
        patient=patient_id(number),
        rule=rule,
        state=state,
        priority=priority,
        highest=priority,
        condition=state is State.ACTIVE,
        opened_at=raised_at,
        raised_at=raised_at,
        why=why,
    )
    return _stored(town, alert)


def _stored(town: Town, alert: Alert) -> dict[str, Any]:
    body = to_mapping(alert)
    return {
        "id": alert.id,
        "municipality_id": town.municipality,
        "patient_id": alert.patient,
        "rule": alert.rule,
        "state": alert.state.value,
        "priority": alert.priority.word,
        "highest": alert.highest.word,
        "condition": alert.condition,
        "late": False,
        "waiting": False,
        "opened_at": alert.opened_at,
        "raised_at": alert.raised_at,
        "owner": None,
        "level": 0,
        "snoozed_until": None,
        "why": body["why"],
        "body": body,
        "version": 1,
        "updated_at": NOW,
    }
