"""One street of real parts, each of which can be killed: devices on the air, gateway, broker, server.

Gateway, broker and server are processes of their own, as in a home and a municipality; the devices live on the virtual
radio of the test's process, because whoever measures is not what fails here.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from sqlalchemy import Table, select

from device_sims.air import Air, RadioController
from device_sims.hci_server import HciServer
from device_sims.peripherals import DeviceSpec, Oximeter
from device_sims.quiet import hush
from gateway.spool import Spool
from server.care import kits, people
from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from server.vault import open_vault
from tests.broker import free_port, mosquitto_path
from varde.demo import broker
from varde.demo.children import Child, end_all
from vitals.clock import SystemClock
from vitals.topics import gateway_id

GATEWAY = gateway_id("gw-street")
NEIGHBOUR = gateway_id("gw-neighbour")
KEY = bytes(range(32))
NEIGHBOUR_KEY = bytes(range(32, 64))
EFFECT_S = 60.0  # a loaded machine needs a few; more means that it will not come

_KIT = broker.gateway_account(GATEWAY, "kit-password")
SCRIPT = broker.script_account(NEIGHBOUR, "script-password")
SERVER = broker.server_account("server-password")


def address_of(number: int) -> str:
    """The address of the street's device `number`."""
    return f"02:56:41:99:00:{number:02X}"


async def until(effect: Callable[[], bool], what: str, within_s: float = EFFECT_S) -> None:
    """Wait until `effect`; fails with `what` when it does not come."""
    deadline = monotonic() + within_s
    while not await asyncio.to_thread(effect):
        assert monotonic() < deadline, f"waited {within_s:g} s in vain: {what}"
        await asyncio.sleep(0.05)


@dataclass
class Street:
    """Made by `async with Street(folder, devices=4) as street`; `folder` must have a short path (sockets)."""

    folder: Path
    devices: int
    oximeters: list[Oximeter] = field(default_factory=list)
    broker_port: int = field(default_factory=free_port)
    web_port: int = field(default_factory=free_port)

    async def __aenter__(self) -> "Street":
        hush()
        self.database = Database(file_address(self.folder / "varde.db"))
        self._enrol()
        self.broker = self._child("broker", self._broker_command())
        self.server = self._child("server", [sys.executable, "-m", "varde", "server", "--role", "all"])
        self.server.environment.update(self._server_environment())
        settings = self._gateway_settings()
        self.gateway = self._child("gateway", [sys.executable, "-m", "varde", "gateway", "--settings", str(settings)])
        await self._open_air()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.to_thread(end_all, [self.gateway, self.server, self.broker])
        for oximeter in self.oximeters:
            await oximeter.stop()
        await self._adapter.stop()
        self.database.close()

    # --- starting and killing

    async def start(self, child: Child) -> None:
        """Start one of the three processes; the broker and the server are waited for."""
        child.start()
        if child is self.broker:
            opened = await asyncio.to_thread(broker.wait_until_open, self.broker_port, EFFECT_S)
            assert opened, child.tail()
        if child is self.server:
            await until(self._server_is_ready, f"the server is ready:\n{child.tail()}")

    async def kill(self, child: Child) -> None:
        """SIGKILL, and wait until it is gone."""
        assert child.pid is not None
        assert child.is_running, f"{child.name} was not running when it was to be killed:\n{child.tail()}"
        os.kill(child.pid, signal.SIGKILL)
        await until(lambda: not child.is_running, f"{child.name} is gone")

    def wipe_broker(self) -> None:
        """A broker with a new disk."""
        shutil.rmtree(self.folder / "broker" / "data")
        self._broker_command()

    # --- looking

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """Every row of a table, as the server's database has it now."""
        (rows,) = self.together(table)
        return rows

    def together(self, *asked: Table) -> tuple[list[dict[str, Any]], ...]:
        """Every row of several tables, all as of one moment."""
        with self.database.read() as connection:
            return tuple([dict(row) for row in connection.execute(select(each)).mappings()] for each in asked)

    def spooled(self) -> int:
        """How many messages wait in the gateway."""
        with contextlib.closing(Spool.open(self.folder / "spool.db")) as spool:
            return spool.depth

    def spooled_ids(self) -> list[str]:
        """Which messages wait in the gateway."""
        with contextlib.closing(Spool.open(self.folder / "spool.db")) as spool:
            return [message.id for message in spool.oldest(100_000)]

    def page(self, path: str) -> str:
        """What the server answers on a path that needs no login."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}{path}", timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    # --- building

    def _child(self, name: str, command: list[str]) -> Child:
        return Child(name=name, command=command, log=self.folder / f"{name}.log")

    def _broker_command(self) -> list[str]:
        program = mosquitto_path()
        assert program, "Mosquitto is not installed; `make setup` says how to get it"
        return broker.mosquitto_command(program, self.folder / "broker", self.broker_port, (_KIT, SCRIPT, SERVER))

    def _server_environment(self) -> dict[str, str]:
        return {
            "VARDE_DATA": str(self.folder),
            "VARDE_WEB_PORT": str(self.web_port),
            "VARDE_MQTT_PORT": str(self.broker_port),
            **broker.environment_of(SERVER),
        }

    def _gateway_settings(self) -> Path:
        lines = [
            f'id = "{GATEWAY}"',
            f'key = "{KEY.hex()}"',
            'spool = "spool.db"',
            "[mqtt]",
            f"port = {self.broker_port}",
            f'username = "{_KIT.name}"',
            f'password = "{_KIT.password}"',
            "[[adapter]]",
            'name = "sim0"',
            'backend = "device_sims.bleak_bumble:BumbleBackend"',
            f'transport = "unix-client:{self.folder / "home.hci"}"',
        ]
        for number in range(self.devices):
            lines += ["[[device]]", f'address = "{address_of(number)}"', 'kind = "oximeter"']
        path = self.folder / "gateway.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _enrol(self) -> None:
        upgrade_database(self.database)
        vault = open_vault(self.folder / "vault.key", create=True)
        now = SystemClock().now()
        since = now - timedelta(days=60)
        with self.database.write() as connection:
            town = people.enrol_municipality(connection, "Gatevik", "9992", since)
            team = people.create_team(connection, town, "Gatevik oppfølging")
            for name, key in ((GATEWAY, KEY), (NEIGHBOUR, NEIGHBOUR_KEY)):
                kits.enrol_gateway(connection, vault, kits.NewGateway(id=name, municipality=town, key=key), since)
            for number in range(self.devices):
                person = people.Person(name=f"Resident {number}")
                new = people.NewPatient(municipality=town, team=team, person=person)
                patient = people.enrol_patient(connection, vault, new, since)
                device = kits.register_device(connection, town, address_of(number), "oximeter")
                held = kits.NewAssignment(device=device, patient=patient, gateway=GATEWAY, starts_at=since)
                kits.assign(connection, held, since)

    async def _open_air(self) -> None:
        air = Air()
        radio = RadioController("adapter", air=air, public_address="F0:00:00:00:00:01")
        self._adapter = HciServer(radio, self.folder / "home.hci")
        await self._adapter.start()
        for number in range(self.devices):
            spec = DeviceSpec(address=address_of(number), model="Street OX", bonded=number % 2 == 1, interval_ms=20)
            oximeter = Oximeter(air, spec)
            await oximeter.start()
            self.oximeters.append(oximeter)

    def _server_is_ready(self) -> bool:
        try:
            self.page("/readyz")
        except (OSError, urllib.error.HTTPError):
            return False
        return True


def spot_check(spo2: int, pulse: int, local: datetime | None = None) -> bytes:
    """A PLX spot-check frame (2A5E); `local` is what the device's own clock shows."""
    flags = 0 if local is None else 0x01
    frame = bytes([flags]) + spo2.to_bytes(2, "little") + pulse.to_bytes(2, "little")
    if local is None:
        return frame
    clock = bytes([local.month, local.day, local.hour, local.minute, local.second])
    return frame + local.year.to_bytes(2, "little") + clock
