"""A gateway's word about itself: what it can still do, and which devices it last heard. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vitals.wire import BODY_BYTES_MAX, WireError

_HEARD_MAX = 200  # devices; a kit has a handful
_TEXT_MAX = 64
_COMMANDS_MAX = 64  # a gateway tells of its last 16
_OUTCOME_MAX = 400
_COUNT_MAX = 10**9
_ADAPTER = ("sessions", "failures", "rescans", "resets", "strangers")
_DEVICE = ("sessions", "failures", "records_refused", "clock_sets")
_COUNTS = ("given_up", "receipts_refused", "commands_refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """What one status message says; `at` is None when the broker spoke the gateway's last will."""

    online: bool
    at: datetime | None = None
    battery: int | None = None  # percent
    spool: int | None = None  # messages not yet receipted
    refused: int | None = None  # frames that no profile could read
    heard: Mapping[str, str] = field(default_factory=dict)  # device address -> RFC 3339 time
    versions: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)  # id -> what became of it
    more: Mapping[str, Any] = field(default_factory=dict)  # radio, bonds, clock: for whoever looks after the kit


def parse_status(body: bytes) -> GatewayStatus:
    """The status in a JSON body; raises `WireError`. Unknown fields are ignored."""
    if len(body) > BODY_BYTES_MAX:
        raise WireError("", f"{len(body)} bytes are more than the {BODY_BYTES_MAX} allowed")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise WireError("", "not JSON") from None
    if not isinstance(fields, dict):
        raise WireError("", "not a JSON object")
    if not isinstance(fields.get("online"), bool):
        raise WireError("online", "must be true or false")
    heard = _texts(fields, "heard")
    for address, moment in heard.items():
        _moment(f"heard.{address}", moment)
    return GatewayStatus(
        online=fields["online"],
        at=None if fields.get("at") is None else _moment("at", fields["at"]),
        battery=_count(fields, "battery", 100),
        spool=_count(fields, "spool", _COUNT_MAX),
        refused=_count(fields, "refused", _COUNT_MAX),
        heard=heard,
        versions=_texts(fields, "versions"),
        commands=_texts(fields, "commands", most=_COMMANDS_MAX, longest=_OUTCOME_MAX),
        more=_more(fields),
    )


def _more(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the kit's page shows beside the rest; what the gateway does not say is not in it."""
    more: dict[str, Any] = {name: count for name in _COUNTS if (count := _count(fields, name, _COUNT_MAX)) is not None}
    if isinstance(fields.get("time_sure"), bool):
        more["time_sure"] = fields["time_sure"]
    for name in ("pairing", "configuration"):
        if fields.get(name) is not None:
            more[name] = _text(name, fields[name])
    adapters = {name: _counts(f"adapters.{name}", row, _ADAPTER) for name, row in _rows(fields, "adapters")}
    devices = {
        name: _counts(f"devices.{name}", row, _DEVICE) | {"bonds": dict(_texts(row, "bonds"))}
        for name, row in _rows(fields, "devices")
    }
    return more | ({"adapters": adapters} if adapters else {}) | ({"devices": devices} if devices else {})


def _rows(fields: Mapping[str, Any], field: str) -> list[tuple[str, Mapping[str, Any]]]:
    rows = fields.get(field, {})
    if not isinstance(rows, dict) or len(rows) > _HEARD_MAX or not all(isinstance(row, dict) for row in rows.values()):
        raise WireError(field, f"must be an object of at most {_HEARD_MAX} objects")
    return [(_text(field, name), row) for name, row in rows.items()]


def _counts(field: str, row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    try:
        return {name: count for name in names if (count := _count(row, name, _COUNT_MAX)) is not None}
    except WireError as error:
        raise WireError(f"{field}.{error.field}", error.reason) from None


def _text(field: str, value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > _TEXT_MAX:
        raise WireError(field, f"must be a text of at most {_TEXT_MAX} characters that can be printed")
    return value


def _moment(field: str, value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # no such date, or one before the year 1 in UTC
        pass
    raise WireError(field, "must be an RFC 3339 time with its zone")


def _count(fields: Mapping[str, Any], field: str, highest: int) -> int | None:
    value = fields.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
        raise WireError(field, f"must be a whole number from 0 to {highest}")
    return value


def _texts(
    fields: Mapping[str, Any], field: str, *, most: int = _HEARD_MAX, longest: int = _TEXT_MAX
) -> Mapping[str, str]:
    value = fields.get(field, {})
    if not isinstance(value, dict) or len(value) > most:
        raise WireError(field, f"must be an object of at most {most} texts")
    for name, text in value.items():
        if not isinstance(text, str) or len(text) > longest or len(name) > _TEXT_MAX:
            raise WireError(f"{field}.{name[:_TEXT_MAX]}", f"must be a text of at most {longest} characters")
    return dict(value)
