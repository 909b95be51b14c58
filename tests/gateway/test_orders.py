import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.device_lists import DeviceList, in_force
from gateway.exchange import Identity
from gateway.orders import Means, Orders
from gateway.pairing import Enrolment
from gateway.prompt import Prompt
from gateway.radio import KnownDevice
from gateway.spool import Spool, SpoolBroken
from vitals.clock import ManualClock
from vitals.reading import GatewayId
from vitals.seal import seal
from vitals.topics import Lane, topic

GATEWAY, OTHER = GatewayId("gw-test"), GatewayId("gw-other")
KEY = bytes(range(32))
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
CUFF = "C0:FF:EE:00:00:08"
KNOWN = KnownDevice(address=CUFF, kind="cuff")
SCALE = {"address": "C0:FF:EE:00:00:09", "kind": "scale", "model": "UC-352BLE", "timezone": "Europe/Oslo"}
SECOND = "6f1c0c9e-7a0f-5d53-9f0b-2f5f1c1a9d12"
ID = "6f1c0c9e-7a0f-5d53-9f0b-2f5f1c1a9d11"


def order(gateway: GatewayId = GATEWAY, key: bytes = KEY, **changed: Any) -> bytes:
    fields = {"id": ID, "expires_at": "2026-11-22T07:05:00Z", "kind": "pairing_window", "device": CUFF, **changed}
    return seal(key, topic(gateway, Lane.COMMANDS), json.dumps(fields).encode())


class Desk:
    """A gateway that takes orders; `seconds` is monotonic time."""

    def __init__(self, path: Path) -> None:
        self.seconds = 0.0
        self.clock = ManualClock(NOW)
        self.spool = Spool.open(path)
        self.restart()

    def restart(self) -> None:
        self.enrolment = Enrolment(lambda: self.seconds)
        identity = Identity(gateway=GATEWAY, key=KEY)
        self.prompted: list[str] = []
        means = Means(devices=(KNOWN,), enrolment=self.enrolment, prompt=cast("Prompt", self))
        self.orders = Orders(identity, self.spool, self.clock, means)

    def start(self, device: KnownDevice) -> None:
        """In the place of a lamp."""
        self.prompted.append(device.address)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path / "spool.db")
    yield desk
    desk.spool.close()


async def test_a_pairing_window_opens_for_one_device_and_closes_by_itself(desk: Desk) -> None:
    desk.orders.hear(order(seconds=90))
    assert desk.orders.outcomes == {ID: "obeyed"}
    assert (desk.enrolment.device, desk.enrolment.allows("C0:FF:EE:00:00:01")) == (CUFF, False)
    desk.seconds = 89.9
    assert desk.enrolment.allows(CUFF)
    desk.seconds = 90
    assert desk.enrolment.device is None


async def test_an_order_is_obeyed_once_also_across_a_restart(desk: Desk) -> None:
    desk.orders.hear(order())
    desk.seconds = 1000
    desk.orders.hear(order())
    assert desk.enrolment.device is None
    desk.restart()
    desk.orders.hear(order())
    assert desk.enrolment.device is None
    assert desk.orders.outcomes == {ID: "obeyed"}


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"expires_at": "2026-11-22T07:00:00Z"}, "expired"),
        ({"kind": "measure_again", "device": "C0:FF:EE:00:00:01"}, "refused: device: not one of this gateway's"),
        ({"kind": "measure_again", "device": 7}, "refused: device: not one of this gateway's"),
        ({"kind": "format_disk"}, "refused: unknown kind"),
        ({"device": "C0:FF:EE:00:00:99"}, "refused: device: not one of this gateway's"),
        ({"device": 7}, "refused: device: not one of this gateway's"),
        ({"seconds": 601}, "refused: seconds: must be a whole number from 1 to 600"),
        ({"seconds": True}, "refused: seconds: must be a whole number from 1 to 600"),
        ({"passkey": 1_000_000}, "refused: passkey: must be a whole number of at most six digits"),
    ],
)
async def test_what_it_does_not_obey_is_refused_in_words(desk: Desk, changed: dict[str, Any], outcome: str) -> None:
    desk.orders.hear(order(**changed))
    assert desk.orders.outcomes == {ID: outcome}
    assert desk.enrolment.device is None


@pytest.mark.parametrize(
    "payload",
    [
        order(key=bytes(32)),
        order(gateway=OTHER),
        order(id="7"),
        order(expires_at="2026-11-22T07:05:00"),
        order(expires_at=None),
        seal(KEY, topic(GATEWAY, Lane.COMMANDS), b"[]"),
        seal(KEY, topic(GATEWAY, Lane.COMMANDS), b"[" * 16_000),
        b"",
    ],
)
async def test_what_is_not_sealed_or_makes_no_sense_is_counted_and_changes_nothing(desk: Desk, payload: bytes) -> None:
    desk.orders.hear(payload)
    assert (desk.orders.refused, desk.orders.outcomes, desk.enrolment.device) == (1, {}, None)


async def test_a_radio_that_cannot_pair_says_so(desk: Desk) -> None:
    orders = Orders(Identity(gateway=GATEWAY, key=KEY), desk.spool, desk.clock, Means(devices=(KNOWN,)))
    orders.hear(order())
    assert orders.outcomes == {ID: "refused: this radio cannot pair"}


async def test_a_measurement_is_asked_for_once(desk: Desk) -> None:
    for _ in range(2):
        desk.orders.hear(order(kind="measure_again", device=CUFF.lower()))
    assert (desk.prompted, desk.orders.outcomes) == ([CUFF], {ID: "obeyed"})


async def test_a_gateway_without_a_lamp_does_not_say_that_it_asked(desk: Desk) -> None:
    orders = Orders(Identity(gateway=GATEWAY, key=KEY), desk.spool, desk.clock, Means(devices=(KNOWN,)))
    orders.hear(order(kind="measure_again"))
    assert orders.outcomes == {ID: "refused: this gateway has nothing to prompt with"}


async def test_a_list_of_devices_is_in_force_after_a_restart_and_until_then_no_order_is_taken(desk: Desk) -> None:
    assert in_force(desk.spool, (KNOWN,)) == DeviceList(devices=(KNOWN,))
    desk.orders.hear(order(kind="configuration", devices=[SCALE]))
    assert (desk.orders.relisted.is_set(), desk.orders.outcomes) == (True, {ID: "obeyed"})
    desk.orders.hear(order(id=SECOND))
    assert desk.orders.outcomes == {ID: "obeyed"}
    listed = in_force(desk.spool, (KNOWN,))
    assert listed == DeviceList(devices=(KnownDevice(**SCALE),), order=ID)
    desk.restart()
    desk.orders.hear(order(id=SECOND))  # it comes again
    assert desk.orders.outcomes[SECOND] == "obeyed"


@pytest.mark.parametrize(
    ("devices", "reason"),
    [
        (None, "must be a list of 1 to 50"),
        ([], "must be a list of 1 to 50"),
        ([SCALE] * 51, "must be a list of 1 to 50"),
        ([SCALE, SCALE], "device 2.address: C0:FF:EE:00:00:09 is listed twice"),
        ([SCALE | {"kind": "toaster"}], "device 1.kind: 'toaster' is unknown"),
        ([SCALE | {"timezone": "Mars/Olympus"}], "device 1.timezone"),
        ([SCALE | {"name": "Kari"}], "device 1.name: unknown"),
        ([SCALE | {"model": 7}], "device 1.model: must be a text"),
        (["C0:FF:EE:00:00:09"], "each must be a table"),
    ],
)
async def test_a_list_that_cannot_be_used_changes_nothing(desk: Desk, devices: object, reason: str) -> None:
    desk.orders.hear(order(kind="configuration", devices=devices))
    assert desk.orders.outcomes[ID].startswith("refused: ")
    assert reason in desk.orders.outcomes[ID]
    assert (desk.orders.relisted.is_set(), in_force(desk.spool, ())) == (False, DeviceList(devices=()))


async def test_a_list_that_no_longer_fits_gives_way_to_the_one_before(desk: Desk) -> None:
    desk.orders.hear(order(kind="configuration", devices=[SCALE]))
    desk.restart()
    desk.orders.hear(order(id=SECOND, kind="configuration", devices=[SCALE | {"kind": "cuff"}]))
    assert in_force(desk.spool, ()).order == SECOND
    with desk.spool.writing() as database:
        database.execute("UPDATE device_list SET devices = replace(devices, 'cuff', 'of next year')")
    assert in_force(desk.spool, ()).order == ID
    with desk.spool.writing() as database:
        database.execute("UPDATE device_list SET devices = '{'")
    assert in_force(desk.spool, (KNOWN,)) == DeviceList(devices=(KNOWN,))


async def test_a_list_and_its_outcome_are_on_the_disk_together_or_not_at_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("gateway.device_lists.put", cut)
    with pytest.raises(SpoolBroken):
        desk.orders.hear(order(kind="configuration", devices=[SCALE]))
    assert (desk.orders.outcomes, desk.orders.relisted.is_set()) == ({}, False)


async def test_the_last_outcomes_are_told_oldest_first(desk: Desk) -> None:
    for number in range(20):
        desk.orders.hear(order(id=f"6f1c0c9e-7a0f-5d53-9f0b-2f5f1c1a9d{number:02d}"))
    told = [int(each[-2:]) for each in desk.orders.outcomes]
    assert told == list(range(4, 20))
    desk.clock.advance(timedelta(days=1))


async def test_the_passkey_may_come_after_the_device_shows_it(desk: Desk) -> None:
    desk.orders.hear(order())
    later = "6f1c0c9e-7a0f-5d53-9f0b-2f5f1c1a9d12"
    desk.orders.hear(order(id=later, passkey=123))
    assert await desk.enrolment.passkey(CUFF) == 123
    assert await desk.enrolment.passkey("C0:FF:EE:00:00:01") is None
