"""The gateway's own state for its status topic: retained, sealed, and `OFFLINE` as the last will. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

OFFLINE = b'{"online": false}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the gateway is.

    `at` and `heard` (last notification per device address) are aware UTC on the given clock; `battery` is the
    gateway's own, None without one; `spool` is how many messages wait; `refused` counts frames that no profile could
    read, `receipts_refused` receipts without our seal.
    """

    at: datetime
    spool: int
    refused: int
    receipts_refused: int
    heard: Mapping[str, datetime]
    version: str
    battery: int | None = None


def render(status: Status) -> bytes:
    """`status` as the JSON body of version 1."""
    body = {
        "online": True,
        "at": _text(status.at),
        "battery": status.battery,
        "spool": status.spool,
        "refused": status.refused,
        "receipts_refused": status.receipts_refused,
        "heard": {device: _text(moment) for device, moment in sorted(status.heard.items())},
        "versions": {"varde": status.version},
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
