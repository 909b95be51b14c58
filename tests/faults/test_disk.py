"""Disks that are full, fail or may only be read, under the programs that people run.

Nothing is confirmed to a device or receipted to a gateway that is not on the disk; once there is room again everything
comes through; and after a sync that failed the process ends, because nobody knows then what is on the disk.
"""

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.spool import Spool
from server.db import tables
from tests.broker import Mosquitto, free_port
from tests.faults.disk import SYNC, WRITE, failing, need_strace
from tests.faults.home import living
from tests.faults.stubborn import number_of
from tests.gateway.waiting import until
from tests.server.gateway_stub import wait_for
from tests.server.test_app import fetch
from tests.server.world import World

_ROOT = Path(__file__).parents[2]
_PROGRAM_S = 40.0  # for one to start or end on a loaded machine


@pytest.fixture(autouse=True)
def traced() -> None:
    """Only where processes may be traced."""
    need_strace()


class Gateway:
    """The gateway's program with a device that never gives up, in a process; over restarts if need be."""

    def __init__(self, folder: Path) -> None:
        self.spool = folder / "spool.db"
        self._settings = folder / "gateway.toml"
        self._log = folder / "gateway.log"
        lines = ['id = "gw-fault"', f'key = "{bytes(range(32)).hex()}"', 'spool = "spool.db"', "[mqtt]"]
        lines += [f"port = {free_port()}", "[[adapter]]", 'name = "none"']
        lines += ["[[device]]", 'address = "02:56:41:99:00:01"', 'kind = "oximeter"']
        self._settings.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        confirmed = self.confirmed
        command = [sys.executable, "-m", "tests.faults.stubborn", str(self._settings), str(len(confirmed))]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log)
        wait_for(lambda: len(self.confirmed) > len(confirmed), _PROGRAM_S)

    def goes_on(self, records: int = 20) -> None:
        """Wait until it has confirmed so many more."""
        before = len(self.confirmed)
        wait_for(lambda: len(self.confirmed) >= before + records, _PROGRAM_S)

    @property
    def confirmed(self) -> list[int]:
        return self._said("confirmed ")

    @property
    def full(self) -> int:
        """How often a record was left with its device for want of room."""
        return len(self._said("full "))

    def _said(self, word: str) -> list[int]:
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [int(line.split()[1]) for line in lines if line.startswith(word) and line.split()[1:]]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def check(self) -> None:
        """Kill it; then every confirmed record is in the spool, once, and at most the one that was being kept."""
        self.kill()
        with contextlib.closing(Spool.open(self.spool)) as spool:
            kept = Counter(number_of(json.loads(each.body)["values"]) for each in spool.oldest(100_000))
        confirmed = len(self.confirmed)
        assert self.confirmed == list(range(confirmed))
        assert kept - Counter({confirmed: 1}) == Counter(range(confirmed))


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path)
    gateway.start()
    yield gateway
    gateway.kill()


def test_a_gateway_on_a_full_disk_confirms_nothing_and_goes_on_when_there_is_room(gateway: Gateway) -> None:
    gateway.goes_on()
    with failing(gateway.process.pid, WRITE, "ENOSPC"):
        refused = gateway.full
        wait_for(lambda: gateway.full >= refused + 2)
        confirmed = gateway.confirmed
        wait_for(lambda: gateway.full >= refused + 5)
        assert gateway.confirmed == confirmed
    gateway.goes_on()
    gateway.check()


@pytest.mark.parametrize(("calls", "error"), [(SYNC, "EIO"), (SYNC, "ENOSPC"), (WRITE, "EIO"), (WRITE, "EROFS")])
def test_a_gateway_whose_disk_fails_ends_without_a_confirmation(
    gateway: Gateway, calls: Sequence[str], error: str
) -> None:
    gateway.goes_on()
    with failing(gateway.process.pid, calls, error):
        assert gateway.process.wait(_PROGRAM_S) == 1
    gateway.start()
    gateway.goes_on()
    gateway.check()


def test_a_log_that_cannot_be_folded_into_its_database_loses_nothing(gateway: Gateway) -> None:
    """SQLite says nothing of that, and need not: what is in the synced log stays there and is copied again."""
    log = gateway.spool.with_name("spool.db-wal")
    with failing(gateway.process.pid, SYNC, "EIO", only=gateway.spool):
        wait_for(lambda: log.stat().st_size > 800_000, _PROGRAM_S)  # twice what is folded in life
    gateway.goes_on()
    gateway.check()


_KEEPS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gateway.spool import Message, Spool, SpoolBroken, SpoolFull
from vitals.topics import Lane
try:
    spool = Spool.open(Path(sys.argv[1]))
    for number in range(150):
        spool.keep(Message(id=str(number), lane=Lane.READINGS, body=bytes(500)), datetime(2026, 1, 1, tzinfo=UTC))
        print(number, flush=True)
except (SpoolBroken, SpoolFull):
    sys.exit(1)
"""


@pytest.mark.parametrize("calls", ["fdatasync,fsync", "pwrite64"])
def test_wherever_the_disk_begins_to_fail_what_was_confirmed_is_there(tmp_path: Path, calls: str) -> None:
    for first in (1, 2, 3, 5, 8, 13, 40, 110, 160):
        path = tmp_path / f"spool-{first}.db"
        inject = f"inject={calls}:error=EIO:when={first}+"
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", inject]
        program = [sys.executable, "-c", _KEEPS, str(path)]
        environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
        done = subprocess.run([*command, *program], capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 1, done.stderr
        with contextlib.closing(Spool.open(path)) as spool:
            kept = {each.id for each in spool.oldest(1000)}
            assert spool.database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert set(done.stdout.split()) <= kept, f"from call {first} on"


class Server:
    """`varde server --role all` on the world's file, in a process; over restarts if need be."""

    def __init__(self, world: World, broker: Mosquitto) -> None:
        self._log, self._port = world.folder / "server.log", free_port()
        self._environment = {
            **os.environ,
            "VARDE_DATA": str(world.folder),
            "VARDE_DATABASE": world.database.address,
            "VARDE_WEB_PORT": str(self._port),
            "VARDE_MQTT_PORT": str(broker.port),
        }

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "varde", "server", "--role", "all"]
            self.process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log, env=self._environment)
        wait_for(self.is_ready, _PROGRAM_S)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()[-3000:]
        try:
            return fetch(f"http://127.0.0.1:{self._port}/readyz")[0] == 200
        except OSError:
            return False

    def silent(self) -> list[str]:
        """What its health page says is silent."""
        answer: dict[str, Any] = fetch(f"http://127.0.0.1:{self._port}/healthz")[1]
        return [each["part"] for each in answer.get("silent", [])]

    def says(self, words: str) -> bool:
        return words in self._log.read_text()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(_PROGRAM_S)


@pytest.fixture
def server(world: World, broker: Mosquitto) -> Iterator[Server]:
    server = Server(world, broker)
    server.start()
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.mark.parametrize("address", ["file"], indirect=True)  # PostgreSQL has its own answer to a failed sync: it ends
async def test_a_server_on_a_full_disk_receipts_nothing_and_says_so_until_there_is_room(
    server: Server, world: World, broker: Mosquitto, tmp_path: Path
) -> None:
    async with living(world, tmp_path, broker.port) as home:
        home.measure(3)
        await home.drained()
        with failing(server.process.pid, WRITE, "ENOSPC"):
            home.measure(5)
            await until(lambda: server.says("cannot store"), _PROGRAM_S)
            await until(lambda: "database" in server.silent(), _PROGRAM_S)
            assert home.spool.depth == 5
            assert world.count(tables.reading) == 3
            assert server.process.poll() is None
        await home.drained()
        await until(lambda: server.silent() == [], _PROGRAM_S)


@pytest.mark.parametrize("address", ["file"], indirect=True)
async def test_a_server_whose_disk_fails_ends_without_a_receipt_and_the_next_one_stores_everything(
    server: Server, world: World, broker: Mosquitto, tmp_path: Path
) -> None:
    async with living(world, tmp_path, broker.port) as home:
        for calls, error in ((SYNC, "EIO"), (WRITE, "EROFS")):
            home.measure(3)
            await home.drained()
            with failing(server.process.pid, calls, error):
                home.measure(5)
                assert await asyncio.to_thread(server.process.wait, _PROGRAM_S) == 1
            assert home.spool.depth == 5
            await asyncio.to_thread(server.start)
            await home.drained()
    server.stop()
    with contextlib.closing(sqlite3.connect(world.folder / "varde.db")) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
