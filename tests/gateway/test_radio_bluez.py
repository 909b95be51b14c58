"""The Linux part of the radio: bleak's own BlueZ backend and our agent, against a BlueZ by hand on a real D-Bus."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from dbus_fast import MessageType

from gateway.link import Bond
from gateway.radio import KnownDevice, Notification, Session, SessionState
from gateway.radio_bleak import BleakRadio, Waits
from gateway.settings import AdapterSettings
from gateway.spool import Spool
from tests.broker import free_port
from tests.gateway.bluez_mock import MockBluez, MockDevice, bluez_on_a_private_bus
from tests.gateway.waiting import until
from vitals.clock import ManualClock

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
OXIMETER = KnownDevice(address="A0:11:22:33:44:55", kind="oximeter")
SCALE = KnownDevice(address="A0:11:22:33:44:66", kind="mi_scale")
ROOT = Path(__file__).parents[2]
RESIDENT_MAX_MB = 60
FRAME = bytes.fromhex("0062004800")
QUICK = Waits(connect=3, quiet=0.1, drain=2, session=5, farewell=1, again=0.05, again_max=0.2)


class Home:
    """What a gateway hears."""

    def __init__(self, *adapters: AdapterSettings, waits: Waits = QUICK) -> None:
        self.radio = BleakRadio(adapters, ManualClock(NOW), waits)
        self.heard: list[Notification] = []
        self.states: list[SessionState] = []

    def report(self, session: Session) -> None:
        self.states.append(session.state)

    @property
    def frames(self) -> list[bytes]:
        return [each.payload for each in self.heard if each.characteristic == "2A5E"]

    def bond(self, adapter: str = "hci0") -> Bond | None:
        return self.radio.health.device(OXIMETER.address).bonds.get(adapter)


@asynccontextmanager
async def listening(adapter: AdapterSettings | None = None, waits: Waits = QUICK) -> AsyncIterator[Home]:
    home = Home(adapter or AdapterSettings(name="hci0"), waits=waits)
    task = asyncio.create_task(home.radio.run((OXIMETER, SCALE), home.heard.append, home.report))
    try:
        yield home
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)
        assert task.cancelled()


@pytest.fixture
async def bluez(tmp_path: Path) -> AsyncIterator[MockBluez]:
    async with bluez_on_a_private_bus(tmp_path) as bluez:
        yield bluez
        assert "RemoveDevice" not in bluez.calls


async def test_scan_connect_indication_read(bluez: MockBluez) -> None:
    bluez.add(MockDevice(OXIMETER.address, frames=[FRAME]))
    async with listening() as home:
        await until(lambda: SessionState.ENDED in home.states)
    assert [(each.characteristic, each.payload) for each in home.heard[:2]] == [("2A5E", FRAME), ("2A19", b"\x50")]


async def test_of_two_batteries_the_first_is_read(bluez: MockBluez) -> None:
    bluez.add(MockDevice(OXIMETER.address, frames=[FRAME], batteries=2))
    async with listening() as home:
        await until(lambda: SessionState.ENDED in home.states)
    assert [each.characteristic for each in home.heard[:2]] == ["2A5E", "2A19"]


async def test_a_connection_aborted_by_the_controller_is_tried_again(bluez: MockBluez) -> None:
    device = bluez.add(MockDevice(OXIMETER.address, frames=[FRAME]))
    device.refusals = [("org.bluez.Error.Failed", "le-connection-abort-by-local")]
    async with listening() as home:
        await until(lambda: home.frames == [FRAME])
    assert bluez.calls.count("Connect") >= 2


async def test_a_busy_controller_costs_time_and_is_counted(bluez: MockBluez) -> None:
    device = bluez.add(MockDevice(OXIMETER.address, frames=[FRAME]))
    device.refusals = [("org.bluez.Error.InProgress", "Operation already in progress")] * 2
    async with listening() as home:
        await until(lambda: home.frames == [FRAME])
    assert home.radio.health.device(OXIMETER.address).failures == 2


async def test_an_adapter_that_is_pulled_out_is_used_again_under_another_name(bluez: MockBluez) -> None:
    device = bluez.add(MockDevice(OXIMETER.address, frames=[FRAME]))
    address = bluez.adapters["hci0"]
    async with listening(AdapterSettings(name=address, address=address), replace(QUICK, silence=0.5)) as home:
        await until(lambda: home.states[-1:] == [SessionState.ENDED])
        bluez.pull("hci0")
        await until(lambda: home.radio.health.adapter(address).failures)
        bluez.plug("hci1", address)
        device.frames.append(FRAME)
        await until(lambda: home.frames == [FRAME, FRAME])


async def test_an_adapter_is_found_by_its_address_whatever_its_name(bluez: MockBluez) -> None:
    bluez.adapters = {"hci0": "00:00:00:00:00:02", "hci1": "00:00:00:00:00:01"}
    bluez.add(MockDevice(OXIMETER.address, frames=[FRAME]))
    async with listening(AdapterSettings(name="window", address="00:00:00:00:00:01")) as home:
        await until(lambda: home.frames == [FRAME])
        assert bluez._discovering == {"hci1"}


async def test_a_silent_scanner_is_started_again_and_then_powered_off(bluez: MockBluez) -> None:
    async with listening(waits=replace(QUICK, silence=0.1)) as home:
        await until(lambda: bluez.powered)
        assert home.radio.health.adapter("hci0").rescans >= 1
        await until(lambda: home.radio.health.adapter("hci0").resets >= 2)
    assert bluez.powered[:2] == [False, True]


async def test_a_broadcast_is_heard_without_a_connection(bluez: MockBluez) -> None:
    frame = bytes.fromhex("22803eea070b16071e05")
    bluez.add(MockDevice(SCALE.address, service="181D", service_data={"181D": frame}))
    async with listening() as home:
        await until(lambda: home.heard)
    assert [(each.characteristic, each.payload) for each in home.heard] == [("181D", frame)]
    assert "Connect" not in bluez.calls


async def test_the_agent_confirms_only_within_the_window_of_that_device(bluez: MockBluez) -> None:
    ours = bluez.add(MockDevice(OXIMETER.address, wants_bond=True, frames=[FRAME]))
    stranger = MockDevice("A0:11:22:33:44:99")
    async with listening() as home:
        await until(lambda: home.bond() is Bond.REFUSED)
        refused = await bluez.ask_agent("RequestConfirmation", ours, 1)
        assert (refused.message_type, refused.error_name) == (MessageType.ERROR, "org.bluez.Error.Rejected")
        assert home.frames == []
        home.radio.enrolment.open(OXIMETER.address, 60, passkey=123456)
        await until(lambda: home.frames == [FRAME])
        await until(lambda: home.bond() is Bond.BONDED)
        told = await bluez.ask_agent("RequestPasskey", ours)
        assert told.body == [123456]
        assert (await bluez.ask_agent("RequestPinCode", ours)).body == ["123456"]
        assert (await bluez.ask_agent("RequestConfirmation", stranger, 1)).message_type is MessageType.ERROR
        assert (await bluez.ask_agent("AuthorizeService", ours, "1822")).message_type is MessageType.ERROR


async def test_a_device_that_lost_its_bond_is_told_apart_and_nothing_is_removed(bluez: MockBluez) -> None:
    bluez.add(MockDevice(OXIMETER.address, wants_bond=True, bonded=True, knows_bond=False, frames=[FRAME]))
    async with listening() as home:
        await until(lambda: home.bond() is Bond.LOST)
    assert home.frames == []


async def test_the_program_itself_reads_over_this_stack_and_stays_small(bluez: MockBluez, tmp_path: Path) -> None:
    bluez.add(MockDevice(OXIMETER.address, frames=[FRAME]))
    settings = tmp_path / "gateway.toml"
    head = f'id = "gw-test"\nkey = "{bytes(32).hex()}"\nspool = "spool.db"\n[mqtt]\nport = {free_port()}\n'
    adapter = f'[[adapter]]\naddress = "{bluez.adapters["hci0"]}"\n'
    settings.write_text(head + adapter + f'[[device]]\naddress = "{OXIMETER.address}"\nkind = "oximeter"\n')
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "--settings", str(settings), cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
    )
    spool = Spool.open(tmp_path / "spool.db")
    try:
        await until(lambda: spool.oldest(1))
        resident = psutil.Process(process.pid).memory_info().rss / 2**20
    finally:
        spool.close()
        process.terminate()
        code = await asyncio.wait_for(process.wait(), 15)
    assert (code, bluez.agent is not None) == (0, True)
    assert resident < RESIDENT_MAX_MB, f"{resident:.0f} MB"
