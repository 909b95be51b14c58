"""Weighings that are broadcast, down to the disk: the relay is the real one, the advertisements are said by hand."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.broadcasts import Broadcasts
from gateway.link import Sighting
from gateway.radio import KnownDevice, Notification
from gateway.relay import Clocks, Relay
from gateway.spool import Spool, SpoolFull
from vitals.clock import ManualClock

SCALE = KnownDevice(address="C0:FF:EE:00:00:09", kind="mi_scale")
CUFF = KnownDevice(address="C0:FF:EE:00:00:08", kind="cuff")
BEGIN = datetime(2026, 11, 22, 6, 31, 5, tzinfo=UTC)
CLOCK = "ea070b16071e05"  # 2026-11-22 07:30:05 in Oslo
NEVER_SET = "b2070101000000"  # 1970, and it does not run
SETTLED, MOVING, OFF = "22", "02", "a2"


class Bathroom:
    """A scale, who listens to it, and the time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock(BEGIN)
        self.seconds = 0.0
        self.restart()

    def restart(self) -> None:
        """As after a kill."""
        self.spool = Spool.open(self.path)
        relay = Relay(self.spool, (SCALE, CUFF), Clocks(given=self.clock, real=self.clock), lambda: None)
        self.hears = 0

        def hear(notification: Notification) -> None:
            self.hears += 1
            relay.hear(notification)

        self.broadcasts = Broadcasts((SCALE, CUFF), self.clock, hear, relay.report)

    def advertise(self, bits: str, weight: str = "803e", clock: str = CLOCK, *, service: str = "181D") -> None:
        data = {service: bytes.fromhex(bits + weight + clock)}
        self.broadcasts.note(Sighting(address=SCALE.address, handle=None, service_data=data), self.seconds)

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        self.clock.advance(timedelta(seconds=seconds))

    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(each.body) for each in self.spool.oldest(100)]


@pytest.fixture
async def bathroom(tmp_path: Path) -> AsyncIterator[Bathroom]:
    bathroom = Bathroom(tmp_path / "spool.db")
    yield bathroom
    bathroom.spool.close()


async def test_only_devices_that_broadcast_are_listened_to(bathroom: Bathroom) -> None:
    assert SCALE.address in bathroom.broadcasts
    assert CUFF.address not in bathroom.broadcasts


@pytest.mark.parametrize("clock", [CLOCK, NEVER_SET])
async def test_a_weighing_is_one_reading_however_often_it_is_repeated(bathroom: Bathroom, clock: str) -> None:
    for weight in ("003c", "403d", "003e"):
        bathroom.advertise(MOVING, weight, clock)
    for _ in range(90):
        bathroom.advertise(SETTLED, clock=clock)
        bathroom.pass_time(1)
    bathroom.advertise(OFF, clock=clock)
    (body,) = bathroom.bodies()
    assert body["values"] == {"weight": 80.0}
    assert body["taken_at"] == ("2026-11-22T06:30:05Z" if clock == CLOCK else "2026-11-22T06:31:05Z")


async def test_it_is_on_the_disk_when_the_callback_returns(bathroom: Bathroom) -> None:
    bathroom.advertise(SETTLED)
    second = Spool.open(bathroom.path)
    assert second.depth == 1
    second.close()


async def test_a_repetition_costs_no_writing(bathroom: Bathroom) -> None:
    for _ in range(100):
        bathroom.advertise(SETTLED)
        bathroom.pass_time(0.1)
    assert bathroom.hears == 1


@pytest.mark.parametrize(("pause", "readings"), [(50, 1), (61, 2), (86_400, 2)])
async def test_the_same_weight_tomorrow_is_a_new_reading(bathroom: Bathroom, pause: float, readings: int) -> None:
    bathroom.advertise(SETTLED, clock=NEVER_SET)
    bathroom.pass_time(pause)
    bathroom.advertise(SETTLED, clock=NEVER_SET)
    assert len(bathroom.bodies()) == readings


@pytest.mark.parametrize("clock", [CLOCK, NEVER_SET])
async def test_a_gateway_killed_during_a_weighing_makes_no_second_reading(bathroom: Bathroom, clock: str) -> None:
    for _ in range(80):
        bathroom.advertise(SETTLED, clock=clock)
        bathroom.pass_time(1)
    bathroom.spool.close()
    bathroom.restart()
    bathroom.pass_time(5)
    bathroom.advertise(SETTLED, clock=clock)
    assert len(bathroom.bodies()) == 1


async def test_what_could_not_be_kept_is_kept_at_its_next_repetition(
    bathroom: Bathroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise SpoolFull("no room")

    with monkeypatch.context() as patched:
        patched.setattr(bathroom.spool, "room", full)
        bathroom.advertise(SETTLED)
    assert bathroom.bodies() == []
    bathroom.advertise(SETTLED)
    assert len(bathroom.bodies()) == 1


async def test_a_frame_that_no_profile_reads_is_kept_as_one(bathroom: Bathroom) -> None:
    bathroom.advertise(SETTLED, clock="ea07")
    (body,) = bathroom.bodies()
    assert body["characteristic"] == "181D"


async def test_a_weight_and_the_same_weight_with_impedance_are_one_reading(bathroom: Bathroom) -> None:
    date = "ea070b16071e05"
    for control, impedance in (
        ("0204", "0000"),
        ("0224", "0000"),
        ("0226", "f701"),
        ("0226", "f701"),
        ("02a6", "f701"),
    ):
        data = {"181B": bytes.fromhex(control + date + impedance + "803e")}
        bathroom.broadcasts.note(Sighting(address=SCALE.address, handle=None, service_data=data), bathroom.seconds)
        bathroom.pass_time(1)
    (body,) = bathroom.bodies()
    assert body["values"] == {"weight": 80.0}


async def test_other_service_data_says_nothing(bathroom: Bathroom) -> None:
    bathroom.advertise(SETTLED, service="FE95")
    assert bathroom.hears == 0
