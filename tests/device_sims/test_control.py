"""`varde simulate` as a stranger types it: the air in a process of its own, orders through its socket."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bleak import BleakClient
from bleak.exc import BleakError

from device_sims import control
from device_sims.__main__ import main
from device_sims.bleak_bumble import BumbleBackend
from device_sims.homes import hci_path
from tests.device_sims.home import ADDRESS, DEADLINE_S, eventually, sight
from tests.device_sims.test_town import GOOD
from vitals.clock import ScaledClock, SystemClock

ROOT = Path(__file__).parents[2]
TOWN = GOOD.replace("02:56:41:10:00:01", ADDRESS)
QUIET_TOWN = TOWN.partition("[[home.person]]")[0]


@pytest.fixture(autouse=True)
def own_state(short_folder, monkeypatch):
    """The pointer of a demo that runs on this machine is not ours to touch."""
    monkeypatch.setenv("XDG_STATE_HOME", str(short_folder / "state"))
    monkeypatch.delenv("VARDE_DATA", raising=False)


@asynccontextmanager
async def air(folder, town=QUIET_TOWN):
    """A running air on `folder`; ends on SIGTERM and must end well."""
    (folder / "town.toml").write_text(town)
    command = [sys.executable, "-m", "device_sims", "air", "--town", str(folder / "town.toml"), "--data", str(folder)]
    process = await asyncio.create_subprocess_exec(*command, "--interval-ms", "20", cwd=ROOT)
    try:
        await eventually(lambda: control.is_running(folder))
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), DEADLINE_S) == 0
    assert not (folder / control.SOCKET).exists()


def ordered(folder, **more):
    order = control.Send(**({"address": ADDRESS, "frame": bytes.fromhex("0053004800"), "wait_s": 10.0} | more))
    return asyncio.to_thread(control.send, folder, order)


async def fetched(folder, wanted):
    """Fetch like a gateway until `wanted` frames are there."""
    got = []
    news = asyncio.Event()

    def hear(_characteristic, data):
        got.append(bytes(data))
        news.set()

    async with BumbleBackend(name="sim0", transport=f"unix-client:{hci_path(folder, 'solbakken')}") as backend:
        while len(got) < wanted:
            device, _seen = await sight(backend)
            gone = asyncio.Event()
            client = BleakClient(device, lambda _c, gone=gone: gone.set(), timeout=3.0, **backend.client_args)
            await client.connect()
            news.clear()
            with suppress(BleakError):  # the link may be cut by what the first subscription brought
                for characteristic in ("2A5E", "2A5F"):
                    await client.start_notify(characteristic, hear)
            await asyncio.wait_for(news.wait(), DEADLINE_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), 1.0)  # longer than the supervision of a link that is cut
            await client.disconnect()
    return got


async def test_a_frame_is_handed_over_and_said_in_a_line(short_folder):
    async with air(short_folder):
        sent = asyncio.create_task(ordered(short_folder))
        assert await fetched(short_folder, 1) == [bytes.fromhex("0053004800")]
        assert await sent == f"{ADDRESS} handed 5 bytes over on 2A5E to gw-solbakken"


async def test_a_cut_link_sends_the_same_bytes_twice(short_folder):
    async with air(short_folder):
        sent = asyncio.create_task(ordered(short_folder, cut=True))
        assert await fetched(short_folder, 2) == [bytes.fromhex("0053004800")] * 2
        assert "sent 2 times because the link was lost" in await sent


async def test_another_characteristic_and_an_empty_frame(short_folder):
    async with air(short_folder):
        sent = asyncio.create_task(ordered(short_folder, frame=b"", characteristic="2a5f"))
        assert await fetched(short_folder, 1) == [b""]
        assert "0 bytes over on 2A5F" in await sent


async def test_what_cannot_be_sent_is_refused_in_words(short_folder):
    async with air(short_folder):
        with pytest.raises(
            control.ControlError, match=rf"no device has the address (.|\n)*{ADDRESS}  oximeter    solb"
        ):
            await ordered(short_folder, address="A0:00:00:00:00:00")
        with pytest.raises(control.ControlError, match="this oximeter has no 2A9D; it has 2A5E, 2A5F"):
            await ordered(short_folder, characteristic="2A9D")
        with pytest.raises(control.ControlError, match="513 bytes are more than the 512"):
            await ordered(short_folder, frame=bytes(513))
        with pytest.raises(control.ControlError, match="nobody fetched it; does the gateway gw-solbakken run"):
            await ordered(short_folder, wait_s=0.2)


async def test_who_measures_does_so_on_the_shared_clock_and_not_again_after_a_restart(short_folder):
    epoch = datetime(2026, 11, 22, 6, 20, tzinfo=UTC)
    ScaledClock(epoch=epoch, started=SystemClock().now(), factor=60).write(short_folder / "clock.json")
    async with air(short_folder, TOWN):
        (frame,) = await fetched(short_folder, 1)
    assert frame[1] == 87
    began = (short_folder / "air" / "began.json").read_text()
    async with air(short_folder, TOWN):
        sent = asyncio.create_task(ordered(short_folder))
        assert await fetched(short_folder, 1) == [bytes.fromhex("0053004800")]  # what a person measured would be older
        await sent
    assert (short_folder / "air" / "began.json").read_text() == began


async def test_only_the_owner_may_give_orders_and_an_air_is_found_without_being_named(short_folder):
    async with air(short_folder):
        assert (short_folder / control.SOCKET).stat().st_mode & 0o777 == 0o600
        assert hci_path(short_folder, "solbakken").stat().st_mode & 0o777 == 0o600
        assert control.default_data() == short_folder
    with pytest.raises(control.ControlError, match="no demo is running"):
        control.default_data()


async def test_nonsense_on_the_socket_is_answered(short_folder):
    async with air(short_folder):
        for line in (b"nonsense\n", b"[]\n", b'{"do": "dance"}\n', b'{"do": "send"}\n'):
            reader, writer = await asyncio.open_unix_connection(str(short_folder / control.SOCKET))
            writer.write(line)
            assert b'"ok": false' in await asyncio.wait_for(reader.readline(), DEADLINE_S)
            writer.close()
            await writer.wait_closed()
        assert control.is_running(short_folder)


def test_without_a_demo_the_command_says_so(short_folder, capsys):
    assert main(["send", ADDRESS, "00", "--data", str(short_folder)]) == 1
    assert f"no demo is running on {short_folder}" in capsys.readouterr().err
    assert not control.is_running(short_folder)


def test_bad_hex_is_named(capsys):
    with pytest.raises(SystemExit) as left:
        main(["send", ADDRESS, "00zz"])
    assert left.value.code == 2
    assert "'00zz' is not hexadecimal" in capsys.readouterr().err


def test_a_wrong_town_ends_with_2(short_folder, capsys):
    assert main(["air", "--town", str(short_folder / "none.toml"), "--data", str(short_folder)]) == 2
    assert "none.toml" in capsys.readouterr().err


def test_a_folder_too_deep_for_a_socket_is_refused(short_folder, capsys):
    deep = short_folder / ("x" * 100)
    (short_folder / "town.toml").write_text(QUIET_TOWN)
    assert main(["air", "--town", str(short_folder / "town.toml"), "--data", str(deep)]) == 2
    assert "too long for a unix socket" in capsys.readouterr().err


def test_who_only_asks_loads_no_radio():
    code = (
        "import sys, device_sims.__main__; sys.exit(any(name.startswith(('bumble', 'bleak')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, env=dict(os.environ)).returncode == 0
