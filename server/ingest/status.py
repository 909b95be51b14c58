"""A gateway's word about itself: what it can still do, and which devices it last heard. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vitals.wire import BODY_BYTES_MAX, WireError

_HEARD_MAX = 200  # devices; a kit has a handful
_TEXT_MAX = 64


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
        spool=_count(fields, "spool", 10**9),
        refused=_count(fields, "refused", 10**9),
        heard=heard,
        versions=_texts(fields, "versions"),
    )


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


def _texts(fields: Mapping[str, Any], field: str) -> Mapping[str, str]:
    value = fields.get(field, {})
    if not isinstance(value, dict) or len(value) > _HEARD_MAX:
        raise WireError(field, f"must be an object of at most {_HEARD_MAX} texts")
    for name, text in value.items():
        if not isinstance(text, str) or len(text) > _TEXT_MAX or len(name) > _TEXT_MAX:
            raise WireError(f"{field}.{name[:_TEXT_MAX]}", f"must be a text of at most {_TEXT_MAX} characters")
    return dict(value)
