import json
from datetime import UTC, datetime
from typing import Any

import pytest

from server.ingest.status import GatewayStatus, parse_status
from vitals.wire import WireError

FULL = {
    "online": True,
    "at": "2026-11-22T07:31:05Z",
    "battery": None,
    "spool": 3,
    "refused": 1,
    "heard": {"AA:BB": "2026-11-22T07:30:00Z"},
    "versions": {"varde": "0.1.0"},
    "commands": {"an id": "obeyed"},
    "time_sure": False,
    "given_up": 2,
    "pairing": "AA:BB",
    "adapters": {"hci0": {"sessions": 3, "resets": 1, "new": "?"}},
    "devices": {"AA:BB": {"failures": 1, "bonds": {"hci0": "lost"}}},
    "new in a later version": [1],
}


def test_a_full_status() -> None:
    assert parse_status(json.dumps(FULL).encode()) == GatewayStatus(
        online=True,
        at=datetime(2026, 11, 22, 7, 31, 5, tzinfo=UTC),
        spool=3,
        refused=1,
        heard={"AA:BB": "2026-11-22T07:30:00Z"},
        versions={"varde": "0.1.0"},
        commands={"an id": "obeyed"},
        more={
            "time_sure": False,
            "given_up": 2,
            "pairing": "AA:BB",
            "adapters": {"hci0": {"sessions": 3, "resets": 1}},
            "devices": {"AA:BB": {"failures": 1, "bonds": {"hci0": "lost"}}},
        },
    )


def test_a_last_will() -> None:
    assert parse_status(b'{"online": false}') == GatewayStatus(online=False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("online", 1),
        ("at", "yesterday"),
        ("at", "2026-11-22T07:31:05"),
        ("at", "0001-01-01T00:00:00+23:00"),
        ("battery", 101),
        ("battery", True),
        ("spool", -1),
        ("refused", 1.5),
        ("heard", ["AA"]),
        ("heard", {"AA": "soon"}),
        ("versions", {"varde": 1}),
        ("commands", {"an id": "x" * 401}),
        ("adapters", {"hci0": 1}),
        ("adapters", {"hci0": {"resets": -1}}),
        ("adapters", {"hci\0": {}}),
        ("devices", []),
        ("pairing", "\n"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(WireError) as caught:
        parse_status(json.dumps(FULL | {field: value}).encode())
    assert caught.value.field.startswith(field)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b" " * 20_000])
def test_rubbish_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        parse_status(body)
