"""Every kind of device of a home, heard by the gateway's own radio over the virtual air."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from device_sims.device_clock import DeviceClock
from device_sims.devices import ClockShape, Personality
from device_sims.encode import Glucose, HeartRate, MiWeighing, time_written
from device_sims.encode.mi_scale import stepped_off, unsettled
from device_sims.peripherals import BodyScale, Cuff, Glucometer, MiScale, Moment, PulseBelt, Thermometer
from gateway.radio import KnownDevice, SessionState
from tests.device_sims.home import ADDRESS, DEADLINE_S, eventually
from tests.radio.test_radio_bleak import listening
from vitals.clock import SystemClock

OSLO = ZoneInfo("Europe/Oslo")
PRESSURE = bytes.fromhex("007c0056006100")


def known(kind, model=None):
    return KnownDevice(address=ADDRESS, kind=kind, model=model)


def sugar(number):
    return bytes(Glucose(sequence=number, base_time=None, concentration=Decimal("0.0062")))


@pytest.mark.parametrize(("kind", "characteristic"), [(Cuff, "2A35"), (Thermometer, "2A1C")])
async def test_a_bonded_device_s_records_are_heard_oldest_first(home, kind, characteristic):
    device = await home.add(kind, bonded=True)
    frames = [PRESSURE + bytes([number]) for number in range(3)]
    last = [device.store(frame) for frame in frames][-1]
    async with listening(home, known(kind.kind)) as listener:
        await asyncio.wait_for(last.handed_over, DEADLINE_S)
        await eventually(lambda: listener.states() == [SessionState.ENDED])
    assert listener.frames(characteristic) == frames


async def test_the_weight_and_the_body_of_one_use_are_heard_in_one_session(home):
    scale = await home.add(BodyScale, bonded=True)
    scale.store(b"\x00\x3a\x38", "2A9D")
    last = scale.store(b"\x00\x00\xf3\x00", "2A9C")
    async with listening(home, known("body_scale")) as listener:
        await asyncio.wait_for(last.handed_over, DEADLINE_S)
        await eventually(lambda: listener.states() == [SessionState.ENDED])
    heard = [(each.characteristic, each.session.id) for each in listener.heard if each.characteristic != "2A19"]
    assert [characteristic for characteristic, _ in heard] == ["2A9D", "2A9C"]
    assert len({session for _, session in heard}) == 1


async def test_a_meter_is_asked_for_its_memory_and_keeps_it(home):
    meter = await home.add(Glucometer, bonded=True, passkey=123456)
    home.server.path.with_suffix(".passkeys").write_text(json.dumps({ADDRESS: 123456}))
    last = [meter.store(sugar(number)) for number in (1, 2, 3)][-1]
    async with listening(home, known("glucometer")) as listener:
        await asyncio.wait_for(last.handed_over, DEADLINE_S)
        await eventually(lambda: listener.states()[-1:] == [SessionState.ENDED])
    assert listener.frames("2A18") == [sugar(number) for number in (1, 2, 3)]
    assert len(meter.records) == 3
    assert {request[0] for request in meter.requests} == {1}  # reports, and never a deletion


@pytest.mark.parametrize("moment", [Moment.ASKED, Moment.SAID, Moment.ANSWERED])
async def test_a_meter_whose_link_was_lost_is_asked_again(home, moment):
    meter = await home.add(Glucometer)
    last = [meter.store(sugar(number)) for number in (1, 2)][-1]
    meter.lose_link_at(moment)
    async with listening(home, known("glucometer")) as listener:
        await asyncio.wait_for(last.handed_over, DEADLINE_S)
        await eventually(lambda: listener.states() == [SessionState.CUT, SessionState.ENDED])
    assert listener.frames("2A18")[-2:] == [sugar(1), sugar(2)]


@pytest.mark.parametrize("moment", [Moment.CONNECTED, Moment.DISCOVERING, Moment.SUBSCRIBED, Moment.HANDED_OVER])
async def test_a_cuff_whose_link_is_lost_at_any_moment_hands_everything_over_in_the_end(home, moment):
    cuff = await home.add(Cuff, bonded=True)
    frames = [PRESSURE + bytes([number]) for number in range(2)]
    last = [cuff.store(frame) for frame in frames][-1]
    cuff.lose_link_at(moment)
    async with listening(home, known("cuff")) as listener:
        await asyncio.wait_for(last.handed_over, DEADLINE_S)
        await eventually(lambda: listener.states()[-1:] == [SessionState.ENDED])
    assert listener.frames("2A35") == frames
    assert cuff.connections == 2


async def test_a_clock_is_looked_at_first_and_set_where_the_model_wants_it(home):
    now = datetime.now(UTC)
    inside = DeviceClock(Personality(shape=ClockShape.OFF, offset_s=-7200.0), now, OSLO, SystemClock())
    cuff = await home.add(Cuff, bonded=True, clock=inside)
    record = cuff.store(PRESSURE)
    async with listening(home, known("cuff", "A&D UA-651BLE")) as listener:
        await asyncio.wait_for(record.handed_over, DEADLINE_S)
        await eventually(lambda: listener.states() == [SessionState.ENDED])
    assert [each.characteristic for each in listener.heard] == ["2A2B", "2A35", "2A19"]
    off = datetime.now(OSLO).replace(tzinfo=None) - time_written(listener.heard[0].payload)
    assert timedelta(minutes=119) < off < timedelta(minutes=121)
    assert inside.settings == 1
    assert abs(inside.shown() - datetime.now(OSLO).replace(tzinfo=None)) < timedelta(seconds=30)


async def test_a_belt_is_listened_to_for_a_while_though_it_never_gets_quiet(home):
    belt = await home.add(PulseBelt)
    belt.every_s = 0.02
    belt.wear(bytes(HeartRate(pulse=60 + number % 60)) for number in count())
    async with listening(home, known("pulse_belt")) as listener:
        await eventually(lambda: listener.states() == [SessionState.ENDED])
    assert len(listener.frames("2A37")) >= 10
    belt.take_off()


async def test_a_mi_scale_is_heard_without_a_connection(home):
    scale = await home.add(MiScale, interval_ms=5)
    frame = bytes(MiWeighing(weight=Decimal("72.45"), shown=None))
    async with listening(home, known("mi_scale")) as listener:
        await eventually(lambda: home.radio.le_scan_enable)
        scale.measure(frame)
        await eventually(lambda: len(listener.frames("181D")) == 3)
    assert listener.frames("181D") == [unsettled(frame), frame, stepped_off(frame)]
    assert scale.connections == 0
