"""The real parts of an episode, each a process that can be killed: gateways, broker, server, database."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from time import monotonic, sleep

import psutil
from sqlalchemy import make_url

from server.access import Role
from server.care import kits, people, plans
from server.db.engine import Database
from server.db.migrate import upgrade_database
from server.settings import RoleName
from server.vault import open_vault
from tests.broker import free_port, mosquitto_path
from tests.chaos import script
from tests.postgres import Cluster, programs
from varde.demo import broker
from varde.demo.children import Child, end_all
from vitals.reading import GatewayId
from vitals.topics import gateway_id

ROOT = Path(__file__).resolve().parents[2]
FAILPOINT = "VARDE_FAILPOINT"
_SERVER = broker.server_account("server-password")
_GONE_S = 10.0
_DATABASE_S = 60.0
_VARDE = [sys.executable, "-m", "varde"]


class Kind(StrEnum):
    """What can be killed."""

    GATEWAY = "gateway"
    SERVER = "server"
    BROKER = "broker"
    DATABASE = "database"


@dataclass(kw_only=True)
class Part:
    """One process. `roles`: what of the server it does."""

    kind: Kind
    child: Child
    roles: tuple[RoleName, ...] = ()
    armed: str | None = None  # the failpoint that its present life carries

    def start(self, failpoint: str | None = None) -> None:
        """Begin a life; `failpoint` is a name and a number, as the product reads them."""
        self.armed = failpoint
        self.child.environment.pop(FAILPOINT, None)
        if failpoint is not None:
            self.child.environment[FAILPOINT] = failpoint
        self.child.start()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.child.kill()
        deadline = monotonic() + _GONE_S
        while self.child.is_running:
            assert monotonic() < deadline, f"{self.child.name} does not go"
            sleep(0.005)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """One home's gateway and devices, and to whom each device belongs."""

    gateway: GatewayId
    key: bytes
    patients: Mapping[str, str]  # address -> patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an episode happens. `folder` must have a short path (sockets); without a `cluster`: a file."""

    folder: Path
    address: str
    cluster: Cluster | None = None
    command: Sequence[str] = ()  # instead of the product's own command line: with a fault that a test planted
    twice: bool = False  # two processes that receive, by shared subscriptions, and two that watch


@dataclass
class Works:
    """Everything that runs, made by `build`; nothing is started."""

    place: Place
    kits: Sequence[Kit]
    gateways: list[Part] = field(default_factory=list)
    server: list[Part] = field(default_factory=list)
    broker_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self._command = list(self.place.command) or _VARDE
        self.broker = Part(kind=Kind.BROKER, child=self._child("broker", self._broker_command()))
        for kit in self.kits:
            words = [*self._command, "gateway", "--settings", str(self._settings(kit))]
            self.gateways.append(Part(kind=Kind.GATEWAY, child=self._child(kit.gateway, words)))
        self._build_server()

    @property
    def parts(self) -> list[Part]:
        return [*self.gateways, *self.server, self.broker]

    def socket(self, kit: Kit) -> Path:
        """Where the devices of a home are."""
        return self.place.folder / f"{kit.gateway}.air"

    def start(self) -> None:
        """Start everything; the broker is waited for."""
        self.broker.start()
        assert broker.wait_until_open(self.broker_port, _GONE_S), self.broker.child.tail()
        for each in (*self.server, *self.gateways):
            each.start()

    def end(self) -> None:
        """End everything in order."""
        end_all([each.child for each in self.parts])

    def wipe_broker(self) -> None:
        """A broker with a new disk."""
        shutil.rmtree(self.place.folder / "broker" / "data")
        self._broker_command()

    def spooled(self) -> int:
        """How many messages wait in all gateways."""
        total = 0
        for kit in self.kits:
            path = self.place.folder / f"{kit.gateway}.db"
            if path.exists():
                with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as spool:
                    total += spool.execute("SELECT count(*) FROM message").fetchone()[0]
        return total

    def spools_in_order(self) -> list[str]:
        """What SQLite finds wrong with the gateways' files."""
        wrong = []
        for kit in self.kits:
            with contextlib.closing(sqlite3.connect(self.place.folder / f"{kit.gateway}.db")) as spool:
                (said,) = spool.execute("PRAGMA integrity_check").fetchone()
                wrong += [] if said == "ok" else [f"{kit.gateway}: {said}"]
        return wrong

    def cries(self) -> list[str]:
        """Threads that ended with an error nobody caught, and programs that did: alive outside, and dead in part."""
        found = []
        for part in self.parts:
            lines = part.child.log.read_text(errors="replace").splitlines() if part.child.log.exists() else []
            starts = [at for at, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
            for at in starts[:1]:
                last = next((line for line in lines[at + 1 :] if line and not line.startswith(" ")), "")
                found.append(f"{part.child.name}: {len(starts)} uncaught, first {last}")
        return found

    def _child(self, name: str, command: list[str]) -> Child:
        child = Child(name=name, command=command, log=self.place.folder / f"{name}.log")
        child.environment["PYTHONPATH"] = str(ROOT)
        return child

    def _broker_command(self) -> list[str]:
        program = mosquitto_path()
        assert program, "Mosquitto is not installed; `make setup` says how to get it"
        accounts = [*(broker.gateway_account(each.gateway, "kit-password") for each in self.kits), _SERVER]
        return broker.mosquitto_command(program, self.place.folder / "broker", self.broker_port, accounts)

    def _settings(self, kit: Kit) -> Path:
        lines = [
            f'id = "{kit.gateway}"',
            f'key = "{kit.key.hex()}"',
            f'spool = "{kit.gateway}.db"',
            "[mqtt]",
            f"port = {self.broker_port}",
            f'username = "{kit.gateway}"',
            'password = "kit-password"',
            "[[adapter]]",
            'name = "door"',
            'backend = "tests.chaos.door:DoorBackend"',
            f'transport = "{self.socket(kit)}"',
        ]
        for address in kit.patients:
            lines += ["[[device]]", f'address = "{address}"', 'kind = "oximeter"']
        path = self.place.folder / f"{kit.gateway}.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _build_server(self) -> None:
        if self.place.cluster is None:
            parts = [("server", (RoleName.ALL,))]
        else:
            roles = (RoleName.INGEST, RoleName.WATCH, RoleName.NOTIFY)
            parts = [(role.value, (role,)) for role in roles]
            if self.place.twice:
                parts += [(f"{role.value}-2", (role,)) for role in roles[:2]]
        for name, roles_of in parts:
            words = [*self._command, "server", "--role", roles_of[0].value]
            child = self._child(name, words)
            child.environment.update(
                {
                    "VARDE_DATA": str(self.place.folder),
                    "VARDE_DATABASE": self.place.address,
                    "VARDE_WEB_PORT": str(free_port()),
                    "VARDE_MQTT_PORT": str(self.broker_port),
                    "VARDE_MQTT_CLIENT_ID": f"varde-{name}",
                    "VARDE_MQTT_SHARED": str(self.place.twice).lower(),
                    **broker.environment_of(_SERVER),
                }
            )
            self.server.append(Part(kind=Kind.SERVER, child=child, roles=roles_of))


def build(place: Place, homes: int, devices: int, now: datetime) -> Works:
    """Enrol `homes` gateways with `devices` each, every device with a patient of its own and a plan."""
    database = Database(place.address)
    upgrade_database(database)
    vault = open_vault(place.folder / "vault.key", create=True)
    since = now - timedelta(days=60)
    found = []
    with database.write() as connection:
        town = people.enrol_municipality(connection, "Uvær", "9991", since)
        team = people.create_team(connection, town, "Uvær oppfølging")
        doctor = people.employ(connection, vault, team, Role.COORDINATOR, people.Person(name="Kåre Lege"))
        for home in range(homes):
            gateway, key = gateway_id(f"gw-{home}"), bytes([home + 1]) * 32
            kits.enrol_gateway(connection, vault, kits.NewGateway(id=gateway, municipality=town, key=key), since)
            patients = {}
            for number in range(devices):
                address = f"02:56:41:66:{home:02X}:{number:02X}"
                person = people.Person(name=f"Resident {home}.{number}")
                new = people.NewPatient(municipality=town, team=team, person=person)
                patients[address] = patient = people.enrol_patient(connection, vault, new, since)
                device = kits.register_device(connection, town, address, "oximeter")
                held = kits.NewAssignment(device=device, patient=patient, gateway=gateway, starts_at=since)
                kits.assign(connection, held, since)
                plan = script.plan(home * 100 + number, now - timedelta(days=1))
                plans.activate(connection, patient, plan, doctor, now)
            found.append(Kit(gateway=gateway, key=key, patients=patients))
    database.close()
    return Works(place=place, kits=found)


# --- the database


def kill_postmaster(cluster: Cluster) -> None:
    """SIGKILL of PostgreSQL's first process; the others notice and go."""
    number = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
    family = psutil.Process(number).children(recursive=True)
    os.kill(number, signal.SIGKILL)
    psutil.wait_procs(family, timeout=_GONE_S)


def kill_backend(cluster: Cluster, choice: float) -> bool:
    """SIGKILL of one process that serves a connection, upon which PostgreSQL ends all and recovers by itself; False
    when there was none."""
    number = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
    serving = [each for each in psutil.Process(number).children() if _serves(each)]
    if not serving:
        return False
    serving[int(choice * len(serving))].kill()
    return True


def _serves(process: psutil.Process) -> bool:
    try:
        return "127.0.0.1" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def found_wrong(place: Place) -> list[str]:
    """What the database itself finds wrong with its files."""
    if place.cluster is None:
        with contextlib.closing(sqlite3.connect(place.folder / "varde.db")) as file:
            (said,) = file.execute("PRAGMA integrity_check").fetchone()
        return [] if said == "ok" else [f"database: {said}"]
    url = make_url(place.address)
    program = str(programs() / "pg_amcheck")
    words = [program, "--install-missing", "-h", str(url.host), "-p", str(url.port), "-U", str(url.username)]
    done = subprocess.run([*words, str(url.database)], capture_output=True, text=True, check=False)
    return [f"database: {(done.stdout + done.stderr).strip()[:800]}"] if done.returncode else []


def start_again(cluster: Cluster) -> None:
    """Start a PostgreSQL that was killed; what is left of the one before may hold its memory a little longer."""
    deadline = monotonic() + _DATABASE_S
    while True:
        try:
            cluster.start()
        except RuntimeError:
            if monotonic() > deadline:
                raise
            sleep(0.2)
        else:
            return
