import json
from datetime import UTC, datetime

from gateway.health import Health
from gateway.heartbeat import OFFLINE, Status, render
from gateway.link import Bond
from vitals.wire import BODY_BYTES_MAX

AT = datetime(2026, 11, 22, 7, 31, 5, tzinfo=UTC)


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
        "commands": {},
        "commands_refused": 0,
        "pairing": None,
        "given_up": 0,
        "time_sure": True,
        "configuration": None,
    }


def test_the_last_will() -> None:
    assert json.loads(OFFLINE) == {"online": False}


def test_what_the_radio_counts_is_told_without_anybody_elses_address() -> None:
    health = Health()
    health.adapter("hci0").stranger("11:22:33:44:55:66")
    health.adapter("hci0").rescans = 2
    health.device("C0:FF:EE:00:00:08").bonds["hci0"] = Bond.LOST
    status = Status(at=AT, spool=0, refused=0, receipts_refused=0, heard={}, version="0.1.0", health=health)
    body = render(status)
    told = json.loads(body)
    assert told["adapters"] == {"hci0": {"sessions": 0, "failures": 0, "rescans": 2, "resets": 0, "strangers": 1}}
    assert told["devices"]["C0:FF:EE:00:00:08"]["bonds"] == {"hci0": "lost"}
    assert b"11:22:33" not in body


def test_a_status_fits_the_wire_with_any_number_of_devices() -> None:
    health = Health()
    for number in range(200):
        device = health.device(f"C0:FF:EE:00:00:{number:02X}")
        device.bonds = {"hci0": Bond.REFUSED, "hci1": Bond.REFUSED}
    status = Status(at=AT, spool=0, refused=0, receipts_refused=0, heard={}, version="0.1.0", health=health)
    assert len(render(status)) < BODY_BYTES_MAX
