import json
from datetime import UTC, datetime

from gateway.heartbeat import OFFLINE, Status, render


def test_the_body_of_the_contract() -> None:
    at = datetime(2026, 11, 22, 7, 31, 5, tzinfo=UTC)
    status = Status(at=at, spool=3, refused=1, receipts_refused=2, heard={"B": at, "A": at}, version="0.1.0")
    assert json.loads(render(status)) == {
        "online": True,
        "at": "2026-11-22T07:31:05Z",
        "battery": None,
        "spool": 3,
        "refused": 1,
        "receipts_refused": 2,
        "heard": {"A": "2026-11-22T07:31:05Z", "B": "2026-11-22T07:31:05Z"},
        "versions": {"varde": "0.1.0"},
    }


def test_the_last_will() -> None:
    assert json.loads(OFFLINE) == {"online": False}
