"""Rows as items of the API's lists. No name and no number of a person is in them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Row


def alert_item(row: Row[Any]) -> dict[str, Any]:
    """An alert as the contract has it; `patient` is the opaque id."""
    return {
        "id": row.id,
        "patient": row.patient_id,
        "rule": row.rule,
        "state": row.state,
        "priority": row.priority,
        "highest": row.highest,
        "condition": row.condition,
        "late": row.late,
        "raised_at": row.raised_at,
        "why": reasons(row.why),
    }


def reasons(why: Mapping[str, Any]) -> dict[str, Any]:
    """Why an alert stands, its exact numbers as numbers, as those of a reading are; "LO" and "HI" stay words."""
    plain = {name: _number(each) if name in _EXACT else each for name, each in why.items()}
    return {name: reasons(each) if isinstance(each, Mapping) else each for name, each in plain.items()}


_EXACT = frozenset({"value", "limit", "baseline", "quiet_at"})
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _number(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def reading_item(row: Row[Any], values: dict[str, Any]) -> dict[str, Any]:
    """A reading with its values, exact as they came; `unclaimed` says why it is nobody's."""
    return {
        "id": row.id,
        "patient": row.patient_id,
        "unclaimed": row.unclaimed,
        "gateway": row.gateway_id,
        "device": row.device,
        "model": row.model,
        "taken_at": row.taken_at,
        "received_at": row.received_at,
        "clock": row.clock,
        "offset_s": row.offset_s,
        "values": values,
        "quality": row.quality,
        "flags": row.flags,
        "battery": row.battery,
    }


def command_item(row: Row[Any]) -> dict[str, Any]:
    """What was asked of a gateway, without the passkey that may have been in it."""
    return {
        "id": row.id,
        "gateway": row.gateway_id,
        "kind": row.kind,
        "device": row.device,
        "asked_by": row.asked_by,
        "asked_at": row.asked_at,
        "expires_at": row.expires_at,
        "outcome": row.outcome,
        "told_at": row.told_at,
    }


def quarantine_item(row: Row[Any]) -> dict[str, Any]:
    """A refused message, its bytes in hex, cut where they were too many."""
    return {
        "id": str(row.seq),
        "kind": row.kind,
        "reason": row.reason,
        "gateway": row.gateway,
        "device": row.device,
        "message": row.message_id,
        "topic": row.topic,
        "payload": row.payload.hex(),
        "payload_bytes": row.payload_bytes,
        "times": row.times,
        "first_at": row.first_at,
        "last_at": row.last_at,
        "state": row.state,
    }
