"""What a supervisor hears: a real socket in the place of systemd's, and the program itself."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.supervisor import keep_telling, tell
from tests.broker import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ears:
        ears.bind(path)
        ears.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        yield ears


def test_without_a_supervisor_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not tell("READY=1")


def test_a_supervisor_that_went_away_does_no_harm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    assert not tell("READY=1")


async def test_it_tells_that_the_loop_turns(supervisor: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    task = asyncio.create_task(keep_telling())
    said = [await asyncio.to_thread(supervisor.recv, 100) for _ in range(3)]
    task.cancel()
    await asyncio.wait([task])
    assert said == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]


async def test_the_program_says_when_it_is_ready_and_when_it_stops(supervisor: socket.socket, tmp_path: Path) -> None:
    settings = tmp_path / "gateway.toml"
    settings.write_text(
        f'id = "gw-test"\nkey = "{bytes(32).hex()}"\nspool = "spool.db"\n[mqtt]\nport = {free_port()}\n'
        '[[adapter]]\nname = "hci0"\n'
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "--settings", str(settings), cwd=ROOT, stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/no-bus"},
    )  # fmt: skip
    assert await asyncio.to_thread(supervisor.recv, 100) == b"READY=1"
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(supervisor.recv, 100) == b"STOPPING=1"
    assert await asyncio.wait_for(process.wait(), 15) == 0
