"""A home with every kind of device on the virtual air, from real ATT bytes to the message on the disk."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from device_sims.device_clock import DeviceClock
from device_sims.devices import ClockShape, Personality
from device_sims.peripherals import KINDS, Cuff, Glucometer, MiScale, Moment, Oximeter
from gateway.link import Bond
from gateway.radio import KnownDevice, Recall
from gateway.radio_bleak import BleakRadio, Waits
from gateway.relay import Clocks, Relay
from gateway.settings import AdapterSettings
from gateway.spool import Spool
from tests.device_sims.home import ADDRESS, DEADLINE_S, Home, eventually
from vitals.clock import ManualClock

WAITS = Waits(connect=2, quiet=0.1, drain=2, session=5, records=2, farewell=1, again=0.05, again_max=0.2)
NOW = datetime(2026, 11, 22, 6, 40, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")


class Gateway:
    """The radio with the relay and its spool."""

    def __init__(self, spool: Spool, radio: BleakRadio) -> None:
        self.spool = spool
        self.radio = radio

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(each.body) for each in self.spool.oldest(1000)]

    def values(self) -> list[Any]:
        return [each["values"] for each in self.bodies()]

    def recall(self) -> Recall | None:
        row = self.spool.database.execute("SELECT sequence, frame FROM memory").fetchone()
        return None if row is None else Recall(sequence=row[0], frame=row[1])


@asynccontextmanager
async def gateway(home: Home, kind: str, model: str | None = None) -> AsyncIterator[Gateway]:
    adapter = AdapterSettings(
        name="sim0", backend="device_sims.bleak_bumble:BumbleBackend", transport=f"unix-client:{home.server.path}"
    )
    clock, spool = ManualClock(NOW), Spool.open(Path(home.folder) / "spool.db")
    known = (KnownDevice(address=ADDRESS, kind=kind, model=model),)
    relay = Relay(spool, known, Clocks(given=clock, real=clock), lambda: None)
    radio = BleakRadio([adapter], clock, WAITS)
    run = asyncio.create_task(radio.run(known, relay.hear, relay.report))
    try:
        yield Gateway(spool, radio)
    finally:
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run
        spool.close()


# Each frame by the specification, all at half past seven in Oslo where they say when.
SAID = {
    "oximeter": ("2A5E", "0062004800", {"spo2": 98, "pulse": 72}),
    "scale": ("2A9D", "00803e", {"weight": 80.0}),
    "body_scale": ("2A9D", "00803e", {"weight": 80.0}),
    "cuff": ("2A35", "007c0056006300", {"systolic": 124, "diastolic": 86, "mean_pressure": 99}),
    "thermometer": ("2A1C", "00790100ff", {"temperature": 37.7}),
    "glucometer": ("2A18", "060100ea070b16071e0037c011", {"glucose": 5.5}),
    "pulse_belt": ("2A37", "0048", {"pulse": 72}),
    "mi_scale": ("181D", "22803eea070b16071e05", {"weight": 80.0}),
}


@pytest.mark.parametrize("kind", sorted(SAID))
async def test_every_kind_is_heard_and_kept(home: Home, kind: str) -> None:
    characteristic, frame, values = SAID[kind]
    device = await home.add(KINDS[kind])
    async with gateway(home, kind) as heard:
        device.measure(bytes.fromhex(frame), characteristic)
        await eventually(lambda: values in heard.values())
    assert device.connections == 0 or kind != "mi_scale"


def test_every_simulated_kind_is_one_the_gateway_knows() -> None:
    assert set(SAID) == set(KINDS)


def record(sequence: int, minute: int = 0) -> bytes:
    return bytes([6]) + sequence.to_bytes(2, "little") + bytes.fromhex(f"ea070b1607{minute:02x}0037c011")


async def test_a_meter_is_asked_for_what_is_new_and_for_everything_after_a_reset(home: Home) -> None:
    meter = await home.add(Glucometer)
    async with gateway(home, "glucometer") as heard:
        for number in (7, 8):
            meter.store(record(number, number))
        await eventually(lambda: heard.recall() == Recall(sequence=8, frame=record(8, 8)))
        meter.store(record(9, 9))
        await eventually(lambda: heard.recall() == Recall(sequence=9, frame=record(9, 9)))
        assert meter.requests == [bytes.fromhex("0101"), bytes.fromhex("0103010800")]
        meter.records.clear()  # somebody cleared it; it counts from 1 again
        meter.store(record(1, 30))
        await eventually(lambda: heard.recall() == Recall(sequence=1, frame=record(1, 30)))
        assert meter.requests[2:] == [bytes.fromhex("0103010900"), bytes.fromhex("0101")]
        assert heard.values() == [{"glucose": 5.5}] * 4
    assert not any(request[0] == 2 for request in meter.requests)


@pytest.mark.parametrize("moment", [Moment.SUBSCRIBED, Moment.ASKED, Moment.SAID, Moment.ANSWERED])
async def test_a_meters_record_survives_a_link_lost_at_any_moment(home: Home, moment: Moment) -> None:
    meter = await home.add(Glucometer)
    meter.lose_link_at(moment)
    for number in range(1, 6):
        meter.store(record(number, number))
    async with gateway(home, "glucometer") as heard:
        await eventually(lambda: heard.recall() == Recall(sequence=5, frame=record(5, 5)))
        assert heard.values() == [{"glucose": 5.5}] * 5


async def test_a_broadcast_weighing_is_one_reading_and_nobody_connects(home: Home) -> None:
    scale = await home.add(MiScale)
    async with gateway(home, "mi_scale") as heard:
        scale.measure(bytes.fromhex(SAID["mi_scale"][1]))
        await asyncio.wait_for(scale.parted(), DEADLINE_S)
        await eventually(heard.bodies)
        (body,) = heard.bodies()
    assert (body["values"], body["taken_at"]) == ({"weight": 80.0}, "2026-11-22T06:30:05Z")
    assert scale.connections == 0


@pytest.mark.parametrize(("model", "settings"), [("Beurer BM 85X", 1), ("something else", 0)])
async def test_a_clock_two_hours_ahead_is_corrected_for_and_set_where_the_model_wants_it(
    home: Home, model: str, settings: int
) -> None:
    clock = DeviceClock(
        Personality(shape=ClockShape.OFF, offset_s=7200), NOW - timedelta(days=1), OSLO, ManualClock(NOW)
    )
    cuff = await home.add(Cuff, clock=clock)
    async with gateway(home, "cuff", model) as heard:
        cuff.measure(bytes.fromhex("027c0056006300ea070b16091e00"))  # 09:30 by its clock
        await eventually(heard.bodies)
        await eventually(lambda: clock.settings == settings)
        await asyncio.wait_for(cuff.parted(), DEADLINE_S)
        (body,) = heard.bodies()
    assert (body["taken_at"], body["clock"], body["offset_s"]) == ("2026-11-22T06:30:00Z", "corrected", -7200)
    assert clock.shown() == datetime(2026, 11, 22, 7 if settings else 9, 40)  # noqa: DTZ001 - the display's


async def test_a_device_that_lost_its_bond_is_told_apart(home: Home) -> None:
    oximeter = await home.add(Oximeter, bonded=True)
    async with gateway(home, "oximeter") as heard:
        await asyncio.wait_for(oximeter.store(b"\x00\x62\x00\x48\x00").handed_over, DEADLINE_S)
        await asyncio.wait_for(oximeter.parted(), DEADLINE_S)
        await oximeter.forget_bonds()
        oximeter.store(b"\x00\x61\x00\x48\x00")
        await eventually(lambda: heard.radio.health.device(ADDRESS).bonds.get("sim0") is Bond.LOST)


async def test_strangers_are_counted_and_never_read(home: Home) -> None:
    await home.add()
    strangers = [await home.add(address=f"A0:11:22:33:44:9{number}") for number in range(3)]
    for each in strangers:
        each.store(b"\x00\x62\x00\x48\x00")
    async with gateway(home, "oximeter") as heard:
        await eventually(lambda: len(heard.radio.health.adapter("sim0").strangers) == 3)
    assert [each.connections for each in strangers] == [0, 0, 0]
