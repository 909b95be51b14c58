"""The real radio over the virtual air: bleak's own code, real ATT and GATT, devices that delete what was confirmed."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.radio import KnownDevice, Notification, Session, SessionState
from gateway.radio_bleak import BleakRadio, Waits
from gateway.settings import AdapterSettings, SettingsError
from gateway.spool import SpoolFull
from tests.gateway import stacks
from tests.gateway.air import BUMBLE, Home, on_the_air
from tests.gateway.waiting import until
from vitals.clock import ManualClock

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
OXIMETER = KnownDevice(address="A0:11:22:33:44:55", kind="oximeter", model="3230")
SCALE = KnownDevice(address="A0:11:22:33:44:66", kind="scale")
FRAME = bytes.fromhex("0062004800")
QUICK = Waits(connect=2, quiet=0.3, drain=5, session=8, farewell=2, again=0.05, again_max=0.5)


class Listener:
    """Hears, and refuses to when told so."""

    def __init__(self) -> None:
        self.heard: list[Notification] = []
        self.sessions: list[Session] = []
        self.full = False
        self.before_keeping: Callable[[Notification], None] = lambda _: None

    def hear(self, notification: Notification) -> None:
        self.before_keeping(notification)
        self.heard.append(notification)

    def report(self, session: Session) -> None:
        self.sessions.append(session)
        if self.full and session.state is SessionState.OPEN:
            raise SpoolFull("no room")

    @property
    def frames(self) -> list[bytes]:
        return [each.payload for each in self.heard if each.characteristic != "2A19"]

    @property
    def states(self) -> list[SessionState]:
        return [each.state for each in self.sessions]


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    async with on_the_air() as home:
        yield home


@asynccontextmanager
async def listening(
    home: Home, *devices: KnownDevice, waits: Waits = QUICK, backend: str = BUMBLE
) -> AsyncIterator[Listener]:
    """A radio for `devices` (the oximeter when none are named), and who listens to it."""
    radio = BleakRadio((home.adapter(backend),), ManualClock(NOW), waits)
    listener = Listener()
    task = asyncio.create_task(radio.run(devices or (OXIMETER,), listener.hear, listener.report))
    try:
        yield listener
    finally:
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=10)
        assert done, "did not end when told to"
        assert task.cancelled()


OPEN, ENDED, CUT = SessionState.OPEN, SessionState.ENDED, SessionState.CUT


async def test_records_are_heard_in_order_and_the_session_ends_in_order(home: Home) -> None:
    device = await home.add(OXIMETER)
    frames = [bytes([0, each, 0, 70, 0]) for each in (95, 96, 97)]
    for frame in frames:
        device.store(frame)
    async with listening(home) as listener:
        await until(lambda: listener.states == [OPEN, ENDED])
    assert listener.frames == frames
    assert (list(device.records), device.connections) == ([], 1)
    session = listener.sessions[0]
    assert listener.heard[0] == Notification(
        device=OXIMETER.address, model="3230", characteristic="2A5E", payload=frames[0], heard_at=NOW, session=session
    )
    assert listener.sessions[1] == replace(session, state=ENDED)
    assert [each.payload for each in listener.heard if each.characteristic == "2A19"] == [bytes([80])]


async def test_continuous_measurements_and_weights_are_heard_too(home: Home) -> None:
    oximeter, scale = await home.add(OXIMETER), await home.add(SCALE)
    oximeter.store(bytes.fromhex("0061004800"), "2A5F")
    scale.store(bytes.fromhex("00803e"))
    async with listening(home, OXIMETER, SCALE) as listener:
        await until(lambda: len(listener.frames) == 2)
    assert {(each.device, each.characteristic) for each in listener.heard} >= {
        (OXIMETER.address, "2A5F"),
        (SCALE.address, "2A9D"),
    }


async def test_the_record_is_confirmed_only_after_it_was_kept(home: Home) -> None:
    device = await home.add(OXIMETER)
    record = device.store(FRAME)
    confirmed = []
    async with listening(home) as listener:
        listener.before_keeping = lambda _: confirmed.append(record.handed_over.done())
        await until(lambda: listener.states == [OPEN, ENDED])
    assert confirmed[0] is False
    assert record.handed_over.done()


async def test_what_could_not_be_kept_stays_in_the_device_and_comes_again(home: Home) -> None:
    def fail_once(_: Notification) -> None:
        if not failures:
            failures.append(1)
            raise SpoolFull("no room")

    device = await home.add(OXIMETER)
    device.store(FRAME)
    failures: list[int] = []
    async with listening(home) as listener:
        listener.before_keeping = fail_once
        await until(lambda: listener.states == [OPEN, CUT, OPEN, ENDED])
    assert listener.frames == [FRAME]
    assert not device.records


async def test_a_cut_link_is_told_from_an_orderly_end(home: Home) -> None:
    device = await home.add(OXIMETER)
    device.store(FRAME, cut=True)
    async with listening(home) as listener:
        await until(lambda: listener.states == [OPEN, CUT, OPEN, ENDED])
    assert listener.frames == [FRAME, FRAME]
    assert len({each.session.id for each in listener.heard[:2]}) == 2


async def test_a_device_that_leaves_is_not_waited_for(home: Home) -> None:
    device = await home.add(OXIMETER)
    device.store(FRAME)
    async with listening(home, waits=replace(QUICK, quiet=30, drain=30, session=60)) as listener:
        await until(lambda: listener.frames)
        device.walk_away()
        left_at = time.monotonic()
        await until(lambda: listener.states == [OPEN, CUT])
    assert time.monotonic() - left_at < 5


async def test_a_word_that_crosses_with_our_disconnect_makes_it_a_cut_link(home: Home) -> None:
    device = await home.add(OXIMETER)
    device.store(FRAME)
    async with listening(home, backend="tests.gateway.stacks:CrossingBackend") as listener:
        await until(lambda: listener.states == [OPEN, CUT])
    assert listener.frames == [FRAME, FRAME]


async def test_without_room_nothing_is_taken_from_the_device(home: Home) -> None:
    device = await home.add(OXIMETER)
    record = device.store(FRAME)
    async with listening(home) as listener:
        listener.full = True
        await until(lambda: listener.states == [OPEN, OPEN, OPEN])  # never begun, so never ended
        assert (record.sent, list(device.records)) == (0, [record])
        listener.full = False
        await until(lambda: listener.frames == [FRAME])


async def test_a_device_that_is_not_ours_is_never_connected(home: Home) -> None:
    ours, strange = await home.add(OXIMETER), await home.add(SCALE)
    strange.store(bytes.fromhex("00803e"))
    ours.store(FRAME)
    async with listening(home, OXIMETER) as listener:
        await until(lambda: listener.states == [OPEN, ENDED])
        await until(lambda: home.air.advertisements > 30)
    assert strange.connections == 0
    assert listener.frames == [FRAME]


async def test_one_connection_at_a_time_and_everybody_has_a_turn(home: Home) -> None:
    for device in (await home.add(OXIMETER), await home.add(SCALE)):
        for each in range(3):
            device.store(bytes([0, 90 + each, 0, 70, 0] if device.kind == "oximeter" else [0, each, 62]))
    async with listening(home, OXIMETER, SCALE) as listener:
        await until(lambda: listener.states == [OPEN, ENDED, OPEN, ENDED])
    assert len(listener.frames) == 6
    assert listener.sessions[0].device != listener.sessions[2].device


async def test_a_second_measurement_is_fetched_in_a_second_session(home: Home) -> None:
    device = await home.add(OXIMETER)
    async with listening(home) as listener:
        device.store(FRAME)
        await until(lambda: listener.states == [OPEN, ENDED])
        device.store(FRAME)
        await until(lambda: listener.states == [OPEN, ENDED, OPEN, ENDED])
    assert listener.frames == [FRAME, FRAME]


async def test_a_stack_that_hangs_is_given_up_and_tried_again(home: Home) -> None:
    device = await home.add(OXIMETER)
    device.store(FRAME)
    backend = "tests.gateway.stacks:StuckBackend"
    async with listening(home, waits=replace(QUICK, session=0.5), backend=backend) as listener:
        await until(lambda: listener.states == [OPEN, CUT, OPEN, CUT])
    assert list(device.records)


async def test_it_ends_when_told_even_if_the_stack_swallows_that(home: Home) -> None:
    device = await home.add(OXIMETER)
    device.store(FRAME)
    stacks.connecting.clear()
    async with listening(home, backend="tests.gateway.stacks:DeafBackend") as listener:
        await stacks.connecting.wait()
    assert listener.heard == []


async def test_a_cancellation_that_nobody_asked_for_does_not_end_it(home: Home) -> None:
    device = await home.add(OXIMETER)
    device.store(FRAME)
    stacks.quits = 0
    async with listening(home, backend="tests.gateway.stacks:QuittingBackend") as listener:
        await until(lambda: listener.frames == [FRAME])
    assert stacks.quits >= 2


async def test_an_adapter_that_dies_is_said_once_and_used_again_when_it_is_back(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    def said(word: str) -> int:
        return sum(record.levelno >= logging.WARNING and word in record.getMessage() for record in caplog.records)

    device = await home.add(OXIMETER)
    device.store(FRAME)
    async with listening(home, waits=replace(QUICK, silence=0.5)) as listener:
        await until(lambda: listener.states == [OPEN, ENDED])
        await home.server.stop()
        await until(lambda: said("gone adapter=sim0"))
        await asyncio.sleep(1)  # time enough for several attempts: each would be a line of its own
        await home.server.start()
        device.store(FRAME)
        await until(lambda: listener.frames == [FRAME, FRAME])
    assert (said("gone adapter=sim0"), said("back adapter=sim0")) == (1, 1)


async def test_a_scanner_that_hears_nobody_is_started_anew(home: Home) -> None:
    stacks.scans = 0
    async with listening(
        home, waits=replace(QUICK, silence=0.1), backend="tests.gateway.stacks:CountedBackend"
    ) as listener:
        await until(lambda: stacks.scans >= 3)
        device = await home.add(OXIMETER)
        device.store(FRAME)
        await until(lambda: listener.frames == [FRAME])


@pytest.mark.parametrize(
    ("backend", "transport", "error"),
    [
        ("no.such.module:Backend", None, "adapter sim0: backend 'no.such.module:Backend': No module named 'no'"),
        ("device_sims.bleak_bumble:Nothing", None, "has no attribute 'Nothing'"),
    ],
)
def test_a_backend_that_is_not_there_is_said(backend: str, transport: str | None, error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        BleakRadio((AdapterSettings(name="sim0", backend=backend, transport=transport),), ManualClock(NOW))
