"""The gateway's radio, unmodified, over the virtual air: real HCI, ATT and SMP bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from device_sims.peripherals import Oximeter, Scale
from gateway.radio import KnownDevice, Notification, Session, SessionState
from gateway.radio_bleak import BleakRadio, Waits
from gateway.settings import AdapterSettings
from gateway.spool import SpoolFull
from tests.device_sims.home import ADDRESS, DEADLINE_S, Home, eventually
from vitals.clock import SystemClock

FRAME = bytes.fromhex("0062004800")
OTHER = bytes.fromhex("0053004800")
WAITS = Waits(connect=2.0, quiet=0.1, drain=2.0, session=5.0, farewell=1.0, again=0.05, again_max=0.2)


@dataclass(slots=True)
class Listener:
    """What a gateway would do with what the radio brings."""

    heard: list[Notification] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    fail_next: bool = False
    full: bool = False

    def hear(self, notification: Notification) -> None:
        if self.fail_next and notification.characteristic != "2A19":
            self.fail_next = False
            raise OSError("disk full")
        self.heard.append(notification)

    def report(self, session: Session) -> None:
        self.sessions.append(session)
        if self.full and session.state is SessionState.OPEN:
            raise SpoolFull("no room")

    def frames(self, characteristic: str = "2A5E") -> list[bytes]:
        return [each.payload for each in self.heard if each.characteristic == characteristic]

    def states(self) -> list[SessionState]:
        return [each.state for each in self.sessions if each.state is not SessionState.OPEN]


@asynccontextmanager
async def listening(home: Home, *devices: KnownDevice) -> AsyncIterator[Listener]:
    listener = Listener()
    adapter = AdapterSettings(
        name="sim0",
        backend="device_sims.bleak_bumble:BumbleBackend",
        transport=f"unix-client:{home.server.path}",
    )
    known = devices or (KnownDevice(address=ADDRESS, kind="oximeter", model="Testoximeter"),)
    radio = BleakRadio([adapter], SystemClock(), WAITS)
    run = asyncio.create_task(radio.run(known, listener.hear, listener.report))
    try:
        yield listener
    finally:
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run


async def test_a_record_is_heard_with_its_session_and_the_battery(home):
    oximeter = await home.add()
    async with listening(home) as listener:
        record = oximeter.store(FRAME)
        await asyncio.wait_for(record.handed_over, DEADLINE_S)
        await eventually(lambda: listener.states() == [SessionState.ENDED])
    assert listener.frames() == [FRAME]
    assert listener.frames("2A19") == [b"\x50"]
    first = listener.heard[0]
    assert (first.device, first.model) == (ADDRESS, "Testoximeter")
    assert first.session.device == ADDRESS
    assert first.session.opened_at <= first.heard_at


async def test_all_stored_records_come_in_one_session_oldest_first(home):
    scale = await home.add(Scale)
    frames = [bytes([0, each, 0x3E]) for each in range(6)]
    records = [scale.store(frame) for frame in frames]
    async with listening(home, KnownDevice(address=ADDRESS, kind="scale")) as listener:
        await asyncio.wait_for(records[-1].handed_over, DEADLINE_S)
        await eventually(lambda: listener.states() == [SessionState.ENDED])
    assert listener.frames("2A9D") == frames


async def test_a_link_cut_before_the_confirmation_brings_the_record_twice_byte_for_byte(home):
    oximeter = await home.add()
    async with listening(home) as listener:
        record = oximeter.store(OTHER, cut=True)
        await asyncio.wait_for(record.handed_over, DEADLINE_S)
        await eventually(lambda: listener.states() == [SessionState.CUT, SessionState.ENDED])
    assert listener.frames() == [OTHER, OTHER]
    one, two = (each for each in listener.heard if each.characteristic == "2A5E")
    assert one.session.id != two.session.id


async def test_what_could_not_be_kept_stays_in_the_device_and_comes_again(home):
    oximeter = await home.add()
    async with listening(home) as listener:
        listener.fail_next = True
        record = oximeter.store(FRAME)
        await asyncio.wait_for(record.handed_over, DEADLINE_S)
        await eventually(lambda: listener.states()[-1:] == [SessionState.ENDED])
    assert listener.frames() == [FRAME]
    assert record.sent == 2
    assert listener.states()[0] is SessionState.CUT


async def test_nothing_is_fetched_while_there_is_no_room(home):
    oximeter = await home.add()
    async with listening(home) as listener:
        listener.full = True
        record = oximeter.store(FRAME)
        await eventually(lambda: len(listener.sessions) >= 2)
        assert record.sent == 0
        listener.full = False
        await asyncio.wait_for(record.handed_over, DEADLINE_S)
    assert listener.frames() == [FRAME]


@pytest.mark.parametrize(("address", "public"), [("A0:11:22:33:44:56", True), ("C0:11:22:33:44:57", False)])
async def test_a_bonded_device_is_heard_again_and_again(home, address, public):
    oximeter = await home.add(address=address, public=public, bonded=True)
    async with listening(home, KnownDevice(address=address, kind="oximeter")) as listener:
        for number in range(3):
            await asyncio.wait_for(oximeter.store(bytes([0, number, 0, 72, 0])).handed_over, DEADLINE_S)
            await eventually(lambda wanted=number: len(listener.states()) > wanted)
    assert [frame[1] for frame in listener.frames()] == [0, 1, 2]


async def test_a_device_that_is_not_known_is_never_connected_to(home):
    known = await home.add()
    stranger = await home.add(address="A0:11:22:33:44:99")
    kept = stranger.store(OTHER)
    async with listening(home) as listener:
        await asyncio.wait_for(known.store(FRAME).handed_over, DEADLINE_S)
    assert stranger.connections == 0
    assert list(stranger.records) == [kept]
    assert listener.frames() == [FRAME]


async def test_a_device_that_walked_away_is_fetched_when_it_is_back(home):
    oximeter = await home.add()
    async with listening(home) as listener:
        await asyncio.wait_for(oximeter.store(FRAME).handed_over, DEADLINE_S)
        oximeter.walk_away()
        record = oximeter.store(OTHER)
        await eventually(lambda: listener.states() != [])
        assert not record.handed_over.done()
        oximeter.come_back()
        await asyncio.wait_for(record.handed_over, DEADLINE_S)
    assert listener.frames() == [FRAME, OTHER]


async def test_lost_connection_requests_only_cost_time(home):
    oximeter = await home.add()
    home.air.conditions.connect_loss = 0.6
    async with listening(home) as listener:
        await asyncio.wait_for(oximeter.store(FRAME).handed_over, DEADLINE_S)
    assert listener.frames() == [FRAME]


async def test_an_adapter_that_is_away_for_a_while_is_used_again(home):
    oximeter = await home.add()
    async with listening(home) as listener:
        await asyncio.wait_for(oximeter.store(FRAME).handed_over, DEADLINE_S)
        await home.server.stop()
        await eventually(lambda: not home.radio.le_connections)
        await home.server.start()
        await asyncio.wait_for(oximeter.store(OTHER).handed_over, DEADLINE_S)
    assert set(listener.frames()) == {FRAME, OTHER}


async def test_several_devices_share_one_adapter(home):
    addresses = [f"A0:11:22:33:44:{number:02X}" for number in range(6)]
    devices = [await home.add(Oximeter, address=address) for address in addresses]
    records = [device.store(bytes([0, 90 + number, 0, 72, 0])) for number, device in enumerate(devices)]
    known = [KnownDevice(address=address, kind="oximeter") for address in addresses]
    async with listening(home, *known) as listener:
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*(record.handed_over for record in records))
    assert {each.device: each.payload[1] for each in listener.heard if each.characteristic == "2A5E"} == {
        address: 90 + number for number, address in enumerate(addresses)
    }
