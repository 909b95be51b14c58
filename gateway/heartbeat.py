"""The gateway's own state for its status topic: retained, sealed, and `OFFLINE` as the last will. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from gateway.health import Health

OFFLINE = b'{"online": false}'
_DEVICES_MAX = 50  # a kit has a handful, a status at most 16 kB


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the gateway is.

    `at` and `heard` (last notification per device address) are aware UTC on the given clock; `battery` is the
    gateway's own, None without one; `spool` is how many messages wait; `refused` counts frames that no profile could
    read, `receipts_refused` and `commands_refused` what came without our seal; `given_up` how often the process ended
    because its radio was silent. `commands` is what became of the last ones, by id; `pairing` the device whose window
    is open; `time_sure` is false until a time server was reached; `configuration` the order that sent the list of
    devices in force, None for the one of the settings file.
    """

    at: datetime
    spool: int
    refused: int
    receipts_refused: int
    heard: Mapping[str, datetime]
    version: str
    battery: int | None = None
    health: Health | None = None
    given_up: int = 0
    commands: Mapping[str, str] = field(default_factory=dict)
    commands_refused: int = 0
    pairing: str | None = None
    time_sure: bool = True
    configuration: str | None = None


def render(status: Status) -> bytes:
    """`status` as the JSON body of version 1."""
    body: dict[str, Any] = {
        "online": True,
        "at": _text(status.at),
        "battery": status.battery,
        "spool": status.spool,
        "refused": status.refused,
        "receipts_refused": status.receipts_refused,
        "heard": {device: _text(moment) for device, moment in sorted(status.heard.items())},
        "versions": {"varde": status.version},
        "commands": dict(status.commands),
        "commands_refused": status.commands_refused,
        "pairing": status.pairing,
        "given_up": status.given_up,
        "time_sure": status.time_sure,
        "configuration": status.configuration,
        **(_radio(status.health) if status.health is not None else {}),
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _radio(health: Health) -> dict[str, Any]:
    return {
        "adapters": {
            name: {
                "sessions": each.sessions,
                "failures": each.failures,
                "rescans": each.rescans,
                "resets": each.resets,
                "strangers": len(each.strangers),
            }
            for name, each in health.adapters.items()
        },
        "devices": {
            address: {
                "sessions": each.sessions,
                "failures": each.failures,
                "records_refused": each.records_refused,
                "clock_sets": each.clock_sets,
                "bonds": {adapter: bond.value for adapter, bond in each.bonds.items()},
            }
            for address, each in islice(health.devices.items(), _DEVICES_MAX)
        },
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
