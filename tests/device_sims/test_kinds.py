"""Every kind of device under bleak's own calls: what it says, when, and how often."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from bleak.exc import BleakError, BleakGATTProtocolError

from device_sims.adapter import _Keyboard
from device_sims.device_clock import DeviceClock
from device_sims.devices import ClockShape, Personality
from device_sims.encode import HeartRate, current_time, time_written
from device_sims.peripherals import KINDS, BodyScale, Cuff, Glucometer, Moment, PulseBelt, Thermometer
from tests.device_sims.home import ADDRESS, DEADLINE_S, eventually, sight

PRESSURE = bytes.fromhex("007c0056006100")
NOW = datetime(2026, 11, 22, 6, 20, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")


class Standing:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.at = NOW

    def now(self):
        return self.at


@pytest.mark.parametrize("kind", [Cuff, Thermometer, BodyScale])
async def test_stored_records_are_handed_over_oldest_first_and_each_deleted_on_its_confirmation(home, kind):
    device = await home.add(kind)
    frames = [bytes([0, number, 0]) for number in range(3)]
    for frame in frames:
        device.store(frame)
    async with home.backend() as backend:
        got = []

        def hear(_characteristic, data):
            got.append((bytes(data), len(device.records)))

        async with home.client(backend, await home.find(backend)) as client:
            await client.start_notify(device.default_characteristic, hear)
            await asyncio.wait_for(device.records[-1].handed_over, DEADLINE_S)
    assert got == [(frames[0], 3), (frames[1], 2), (frames[2], 1)]
    assert not device.records


async def test_a_body_scale_says_the_weight_and_the_body(home):
    scale = await home.add(BodyScale)
    scale.store(b"\x00\x01", "2A9D")
    last = scale.store(b"\x00\x02", "2A9C")
    async with home.backend() as backend:
        device, seen = await sight(backend)
        assert seen.service_uuids == [f"0000{each}-0000-1000-8000-00805f9b34fb" for each in ("181d", "181b")]
        got = []
        async with home.client(backend, device) as client:
            for uuid in ("2A9D", "2A9C"):
                await client.start_notify(uuid, lambda _c, data, uuid=uuid: got.append((uuid, bytes(data))))
            await asyncio.wait_for(last.handed_over, DEADLINE_S)
    assert got == [("2A9D", b"\x00\x01"), ("2A9C", b"\x00\x02")]


async def test_a_cuff_tells_the_pressure_on_its_way_to_who_listens(home):
    cuff = await home.add(Cuff)
    cuff.store(b"\x00\x80\x00\xff\x07\xff\x07", "2A36")
    record = cuff.store(PRESSURE)
    async with home.backend() as backend, home.client(backend, await home.find(backend)) as client:
        got = []
        for uuid in ("2A36", "2A35"):
            await client.start_notify(uuid, lambda _c, data: got.append(bytes(data)))
        await asyncio.wait_for(record.handed_over, DEADLINE_S)
    assert got == [b"\x00\x80\x00\xff\x07\xff\x07", PRESSURE]


@pytest.mark.parametrize("moment", [Moment.CONNECTED, Moment.DISCOVERING, Moment.SUBSCRIBED, Moment.SAID])
async def test_a_link_lost_before_the_confirmation_loses_no_record(home, moment):
    cuff = await home.add(Cuff, bonded=True)
    record = cuff.store(PRESSURE)
    cuff.lose_link_at(moment)
    async with home.backend() as backend:
        got = await until_fetched(home, backend, record, "2A35")
    assert got == ([PRESSURE] * 2 if moment is Moment.SAID else [PRESSURE])
    assert cuff.connections == 2


async def test_a_link_lost_between_two_records_brings_each_once(home):
    cuff = await home.add(Cuff)
    cuff.store(b"\x01")
    second = cuff.store(b"\x02")
    cuff.lose_link_at(Moment.HANDED_OVER)
    async with home.backend() as backend:
        assert await until_fetched(home, backend, second, "2A35") == [b"\x01", b"\x02"]
    assert cuff.connections == 2


async def test_a_device_sleeps_with_what_it_has_until_somebody_presses_its_button(home):
    cuff = await home.add(Cuff, awake_s=0.06)
    record = cuff.store(PRESSURE)
    await eventually(lambda: home.air.advertisements > 0 and not cuff.radio.le_legacy_advertiser.enabled)
    async with home.backend() as backend:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(home.find(backend), 0.1)
        assert list(cuff.records) == [record]
        cuff.press()
        assert await until_fetched(home, backend, record, "2A35") == [PRESSURE]


async def test_a_clock_is_read_and_set_and_drifts_on(home):
    clock = Standing()
    drifting = Personality(shape=ClockShape.DRIFTS, offset_s=-3600.0, drift_s_per_day=86.4)
    inside = DeviceClock(drifting, NOW, OSLO, clock)
    cuff = await home.add(Cuff, bonded=True, clock=inside)
    cuff.store(PRESSURE)
    async with home.backend() as backend, home.client(backend, await home.find(backend)) as client:
        assert time_written(bytes(await client.read_gatt_char("2A2B"))) == datetime.fromisoformat("2026-11-22T06:20")
        right = datetime.fromisoformat("2026-11-22T07:20")
        await client.write_gatt_char("2A2B", current_time(right), response=True)
        assert time_written(bytes(await client.read_gatt_char("2A2B"))) == right
        clock.at += timedelta(days=10)
        late = datetime.fromisoformat("2026-12-02T07:34:24")
        assert time_written(bytes(await client.read_gatt_char("2A2B"))) == late
        for nonsense in (b"", bytes(10)):
            with pytest.raises(BleakGATTProtocolError):
                await client.write_gatt_char("2A2B", nonsense, response=True)
    assert inside.settings == 1


async def test_a_clock_that_was_never_set_shows_nothing_until_it_is(home):
    inside = DeviceClock(Personality(shape=ClockShape.NEVER_SET), NOW, OSLO, Standing())
    thermometer = await home.add(Thermometer, clock=inside)
    thermometer.store(PRESSURE)
    async with home.backend() as backend, home.client(backend, await home.find(backend)) as client:
        assert bytes(await client.read_gatt_char("2A2B")) == bytes(10)
        await client.write_gatt_char("2A2B", current_time(datetime.fromisoformat("2026-11-22T07:20")), response=True)
    assert inside.shown(NOW) == datetime.fromisoformat("2026-11-22T07:20")


async def test_a_belt_streams_while_it_is_worn_and_hangs_up_when_taken_off(home):
    belt = await home.add(PulseBelt)
    belt.every_s = 0.005
    belt.wear(bytes(HeartRate(pulse=60 + number % 60)) for number in count())
    async with home.backend() as backend:
        got = []
        gone = asyncio.Event()
        device = await home.find(backend)
        client = home.client(backend, device, disconnected_callback=lambda _c: gone.set())
        await client.connect()
        await client.start_notify("2A37", lambda _c, data: got.append(bytes(data)))
        await eventually(lambda: len(got) >= 5)
        belt.take_off()
        await asyncio.wait_for(gone.wait(), DEADLINE_S)
    assert [frame[1] for frame in got[:5]] == [60, 61, 62, 63, 64]
    assert not belt.has_news


async def test_who_measures_with_a_belt_wears_it_for_a_while(home):
    belt = await home.add(PulseBelt)
    belt.every_s = 0.001
    belt.measure(b"\x00\x48")
    async with home.backend() as backend:
        got = []
        gone = asyncio.Event()
        device = await home.find(backend)
        client = home.client(backend, device, disconnected_callback=lambda _c: gone.set())
        await client.connect()
        await client.start_notify("2A37", lambda _c, data: got.append(bytes(data)))
        await asyncio.wait_for(gone.wait(), DEADLINE_S)  # what it said last is heard before it hangs up
    assert got == [b"\x00\x48"] * 10
    assert not belt.has_news


async def test_a_device_with_a_display_bonds_only_with_who_types_its_passkey(home):
    meter = await home.add(Glucometer, bonded=True, passkey=123456)
    meter.store(bytes.fromhex("000100ea0708160930003700"))
    typed = home.server.path.with_suffix(".passkeys")
    async with home.backend() as backend:
        for wrong in ({}, {ADDRESS: 111111}):
            typed.write_text(json.dumps(wrong))
            with pytest.raises(BleakError):
                async with home.client(backend, await home.find(backend)) as client:
                    await client.start_notify("2A18", lambda *_: None)
        typed.write_text(json.dumps({ADDRESS: 123456}))
        async with home.client(backend, await home.find(backend)) as client:
            await client.start_notify("2A18", lambda *_: None)
        typed.unlink()  # the bond is enough now
        async with home.client(backend, await home.find(backend)) as client:
            await client.start_notify("2A18", lambda *_: None)


async def test_who_cannot_type_gets_no_bond_from_a_device_with_a_display(home, monkeypatch):
    meter = await home.add(Glucometer, bonded=True, passkey=123456)
    meter.store(b"\x00\x01\x00")
    # No keyboard: both ends agree on "just works", which this device does not want.
    monkeypatch.setattr(_Keyboard, "__init__", lambda self, _typed: super(_Keyboard, self).__init__())
    async with home.backend() as backend:
        client = home.client(backend, await home.find(backend))
        await client.connect()
        with suppress(BleakError):  # it hangs up while bonding
            await client.pair()
        await eventually(lambda: not client.is_connected)
    assert await meter._device.keystore.get_all() == []


def test_every_kind_has_a_name_and_services():
    assert sorted(KINDS) == sorted(
        ("oximeter", "scale", "body_scale", "cuff", "thermometer", "glucometer", "pulse_belt", "mi_scale")
    )
    assert all(kind.service_uuids and kind.default_characteristic for kind in KINDS.values())


async def until_fetched(home, backend, record, characteristic):
    """Fetch like a gateway, as often as it takes; returns the frames heard."""
    got = []
    while not record.handed_over.done():
        device = await home.find(backend)
        gone = asyncio.Event()
        client = home.client(backend, device, disconnected_callback=lambda _c, gone=gone: gone.set())
        try:
            await client.connect()
            await client.start_notify(characteristic, lambda _c, data: got.append(bytes(data)))
            ends = [asyncio.ensure_future(gone.wait()), asyncio.shield(record.handed_over)]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED, timeout=DEADLINE_S)
            ends[0].cancel()
        except BleakError:
            continue
        finally:
            await client.disconnect()
    return got
