"""A home opened from a town's values: clocks inside the devices, passkeys on their displays, people who measure."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bleak import BleakClient

from device_sims.bleak_bumble import BumbleBackend
from device_sims.control import Send, send
from device_sims.control_server import ControlServer
from device_sims.devices import ClockShape, personality
from device_sims.encode import time_written
from device_sims.homes import House, Time, hci_path, live
from device_sims.scenario import load
from device_sims.town import TownDevice, TownHome, TownPerson
from tests.device_sims.home import DEADLINE_S, eventually, sight

BEGAN = datetime(2026, 11, 22, 6, 20, tzinfo=UTC)
# The first address whose clock was never set.
UNSET = next(
    address
    for address in (f"02:56:41:00:01:{number:02X}" for number in range(256))
    if personality(address).shape is ClockShape.NEVER_SET
)
OTHER = "02:56:41:00:02:01"


class Hurried:
    """A clock that jumps to the moment somebody waits for, at most `jumps` times."""

    def __init__(self):
        self.at = BEGAN
        self.jumps = 1

    def now(self):
        return self.at

    def seconds_until(self, moment):
        if moment > self.at and self.jumps:
            self.jumps -= 1
            self.at = moment
        return 0.002 if moment > self.at else 0.0


@asynccontextmanager
async def opened(folder, *devices, persons=()):
    described = tuple(TownDevice(**({"model": "Test", "public": True, "bonded": False} | device)) for device in devices)
    (folder / "air").mkdir()
    home = TownHome(name="nesset", gateway="gw-nesset", devices=described, persons=persons)
    clock = Hurried()
    house = House(home, folder, 1, Time(clock=clock, began=BEGAN), interval_ms=20)
    await house.open()
    try:
        yield house, clock
    finally:
        await house.close()


def adapter(folder):
    return BumbleBackend(name="sim0", transport=f"unix-client:{hci_path(folder, 'nesset')}")


async def test_a_passkey_is_typed_from_the_device_s_display(short_folder):
    meter = {"address": OTHER, "kind": "glucometer", "bonded": True, "passkey": 4711}
    async with opened(short_folder, meter) as (house, _clock):
        assert json.loads((short_folder / "air" / "nesset.passkeys").read_text()) == {OTHER: 4711}
        house.devices[OTHER].store(b"\x00\x01\x00")
        async with adapter(short_folder) as backend:
            device, _seen = await sight(backend, OTHER)
            async with BleakClient(device, timeout=3.0, **backend.client_args) as client:
                await client.start_notify("2A18", lambda *_: None)


async def test_what_a_person_measures_carries_the_time_of_a_clock_that_was_set(short_folder):
    person = TownPerson(key="leif", scenario=load("stable"), seed=3, devices=(UNSET,), zone=ZoneInfo("Europe/Oslo"))
    async with opened(short_folder, {"address": UNSET, "kind": "thermometer"}, persons=(person,)) as (house, clock):
        device = house.devices[UNSET]
        life = asyncio.create_task(live(house, person, BEGAN))
        try:
            await eventually(lambda: len(device.records) == 1)
            assert device.records[0].frame[5:12] == bytes(7)  # a clock that was never set
            set_at = clock.now()
            device.clock.set(datetime.fromisoformat("2020-01-01T00:00:00"))
            clock.jumps = 1
            await eventually(lambda: len(device.records) == 2)
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
    shown = time_written(device.records[1].frame[5:12] + bytes(3))
    on_display = datetime.fromisoformat("2020-01-01T00:00:00") + (clock.now() - set_at)
    assert shown == on_display.replace(microsecond=0)


async def test_who_broadcasts_is_told_apart_in_the_answer_to_an_order(short_folder):
    async with opened(short_folder, {"address": OTHER, "kind": "mi_scale"}) as (house, _clock):
        server = ControlServer([house], short_folder)
        await server.start()
        try:
            order = Send(address=OTHER, frame=bytes.fromhex("223e30e607020e10293a"), wait_s=DEADLINE_S)
            assert await asyncio.to_thread(send, short_folder, order) == (
                f"{OTHER} told everybody 10 bytes on 181D, and nobody confirms"
            )
        finally:
            await server.stop()
