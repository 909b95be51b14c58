"""Recording alone: sealed readings of many gateways through a real broker into a real ingest role, until receipted.

Each round measures, one after the other in a turning order, the broker feeding a bare subscriber, the reference
ingest, and our own on both databases; beside them what the machine itself can do.
"""

import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import limits
from benchmarks.results import Book
from benchmarks.street import postgres, town
from benchmarks.street.listening import wait_until_listening
from benchmarks.street.load import Job, Pace, send
from benchmarks.street.processes import (
    BenchmarkError,
    Child,
    mosquitto,
    role,
    running,
    server_settings,
    wait_until,
)
from benchmarks.street.progress import Progress
from server.db import tables
from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from server.vault import open_vault
from vitals.clock import SystemClock

BARE = "bare subscriber, QoS 1"
BARE_PAHO = "bare subscriber, QoS 1, with paho"
BARE_0 = "bare subscriber, QoS 0"
REFERENCE = "reference ingest, 60 lines, PostgreSQL"
SHARED = "record, PostgreSQL"
TWO = "record, PostgreSQL, two processes"
SINGLY = "record, PostgreSQL, a receipt for each reading"
EMBEDDED = "record, SQLite"
_BURST = 10  # readings that a gateway sends in a row
_WARM = 200
_MEASURED_WITHIN = timedelta(minutes=12)  # as they come on an ordinary day: what is older waits for what is fresh
_SPACING = timedelta(seconds=8)  # of one gateway's readings; 80 of them fit
_READY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much: readings in a round, gateways, rows for the database's own limits, rounds."""

    readings: int = 40_000
    gateways: int = 500
    rows: int = 40_000
    rounds: int = 5
    every_system: bool = True  # also those that only explain the others


QUICK = Size(readings=600, gateways=50, rows=2_000, rounds=1, every_system=False)


@dataclass(frozen=True, slots=True)
class _Round:
    book: Book
    size: Size
    number: int
    folder: Path

    def packets(self, mark: str, *, qos: int = 1, burst: int = _BURST, count: int | None = None) -> list[bytes]:
        """Readings of the last minutes, gateway after gateway in bursts; other marks and rounds have others."""
        chance = random.Random(f"{mark} {self.number}")
        start = SystemClock().now().replace(microsecond=0) - _MEASURED_WITHIN
        made = []
        for place in range(self.size.readings if count is None else count):
            lap, rest = divmod(place, burst * self.size.gateways)
            number, step = divmod(rest, burst)
            taken_at = start + _SPACING * (lap * burst + step)
            values = town.worrying(chance) if chance.random() < 0.01 else town.ordinary(chance)
            one = town.reading(number, taken_at, values, f"{mark} {self.number}")
            made.append(town.packet(number, one, place, qos))
        return made


def run(book: Book, size: Size) -> None:
    """All rounds; the last word about each reading is the database's own count."""
    book.note("size", {"readings": size.readings, "gateways": size.gateways, "burst": _BURST, "rounds": size.rounds})
    with tempfile.TemporaryDirectory(prefix="varde-record-") as name, postgres.running() as cluster:
        for number in range(1, size.rounds + 1):
            turn = _Round(book, size, number, Path(name))
            parts: list[Callable[[], None]] = [
                partial(_bare, turn, BARE),
                partial(_reference, turn, cluster),
                partial(_record_shared, turn, cluster, SHARED),
                partial(_record_embedded, turn),
            ]
            if size.every_system:
                parts.append(partial(_bare, turn, BARE_PAHO))
                parts.append(partial(_record_shared, turn, cluster, TWO))
                parts.append(partial(_record_shared, turn, cluster, SINGLY))
                parts.append(partial(_bare, turn, BARE_0))
            start = (number - 1) % len(parts)
            for part in parts[start:] + parts[:start]:
                part()
            with cluster.migrated("limits") as address:
                payloads = _payloads(turn.packets("limits", count=2_000))
                limits.measure(book, address, payloads, number, size.rows)


def _payloads(packets: Sequence[bytes]) -> list[bytes]:
    """What the packets carry: seal, newline, body."""
    return [each[each.index(b"\n{") - 64 :] for each in packets]


def _bare(turn: _Round, what: str) -> None:
    qos, library = (0 if what == BARE_0 else 1), (["paho"] if what == BARE_PAHO else [])
    with mosquitto(turn.folder / "broker") as broker:
        path = turn.folder / f"bare-{turn.number}-{qos}{''.join(library)}"
        progress = Progress(path)
        words = [str(broker.port), str(qos), str(path), *library]
        command = [sys.executable, "-m", "benchmarks.street.bare_subscriber", *words]
        with running([Child("bare", command, turn.folder)]):
            wait_until(path.with_suffix(".ready").exists, "the bare subscriber is there", _READY_S)
            packets = turn.packets("bare", qos=qos)
            done = send(Job(port=broker.port, packets=packets, pace=Pace.WINDOW, progress=path), turn.folder)
        if progress.count != len(packets):
            raise BenchmarkError(f"the bare subscriber saw {progress.count} of {len(packets)}")
        turn.book.add(what, len(packets) / done.seconds, "readings/s", turn.number)


def _reference(turn: _Round, cluster: postgres.Cluster) -> None:
    with cluster.migrated("plain") as address, mosquitto(turn.folder / "broker") as broker:
        path = turn.folder / f"plain-{turn.number}"
        progress = Progress(path)
        progress.set(1)  # set to 0 by the reference once it listens
        where = address.replace("+psycopg", "")
        command = [sys.executable, "-m", "benchmarks.street.reference_ingest", str(broker.port), where, str(path)]
        with running([Child("reference", command, turn.folder)]):
            wait_until(lambda: progress.count == 0, "the reference listens", _READY_S)
            packets = turn.packets("plain")
            done = send(Job(port=broker.port, packets=packets, pace=Pace.WINDOW, progress=path), turn.folder)
        with Database(address).read() as connection:
            stored = connection.exec_driver_sql("SELECT count(*) FROM plain_reading").scalar_one()
        if stored != len(packets):
            raise BenchmarkError(f"the reference stored {stored} of {len(packets)}")
        turn.book.add(REFERENCE, len(packets) / done.seconds, "readings/s", turn.number)


def _record_shared(turn: _Round, cluster: postgres.Cluster, what: str) -> None:
    with (
        cluster.migrated("record") as address,
        _settled(turn, address) as folder,
        mosquitto(turn.folder / "broker") as broker,
    ):
        settings = server_settings(folder, address, broker.port)
        if what == TWO:
            own = ({"VARDE_MQTT_SHARED": "true", "VARDE_MQTT_CLIENT_ID": f"ingest-{place}"} for place in (1, 2))
            children = [role("ingest", folder, settings | each) for each in own]
        else:
            children = [role("ingest", folder, settings)]
        _recorded(turn, children, (broker.port, address), what)


def _record_embedded(turn: _Round) -> None:
    with tempfile.TemporaryDirectory(dir=turn.folder) as name:
        address = file_address(Path(name) / "varde.db")
        database = Database(address)
        upgrade_database(database)
        database.close()
        with _settled(turn, address) as folder, mosquitto(turn.folder / "broker") as broker:
            command = [sys.executable, "-m", "benchmarks.street.ingest_only"]
            settings = server_settings(folder, address, broker.port) | {"VARDE_LOG_LEVEL": "warning"}
            _recorded(turn, [Child("ingest", command, folder, settings)], (broker.port, address), EMBEDDED)


def _recorded(turn: _Round, children: Sequence[Child], where: tuple[int, str], what: str) -> None:
    port, address = where
    with running(children):
        wait_until_listening(address, children[0])
        _warm_up(turn, children[0], port)
        packets = turn.packets("record", burst=1 if what == SINGLY else _BURST)
        done = send(Job(port=port, packets=packets, pace=Pace.WINDOW), turn.folder)
    database = Database(address)
    with database.read() as connection:
        stored = connection.execute(select(func.count()).select_from(tables.reading)).scalar_one() - _WARM
        claimed = select(func.count()).select_from(tables.reading).where(tables.reading.c.patient_id.is_not(None))
        owned = connection.execute(claimed).scalar_one() - _WARM
    database.close()
    if not stored == owned == len(done.accepted) == len(packets) or done.rejected:
        raise BenchmarkError(f"{what}: {len(packets)} sent, {stored} stored, {len(done.accepted)} receipted")
    turn.book.add(what, len(packets) / done.seconds, "readings/s", turn.number)


def _warm_up(turn: _Round, child: Child, port: int) -> None:
    """A few readings first: connections, prepared statements and caches are nobody's daily business."""
    packets = turn.packets("warm", count=_WARM)
    done = send(Job(port=port, packets=packets, pace=Pace.WINDOW, name="warm", limit_s=60), turn.folder)
    if len(done.accepted) != _WARM:
        raise BenchmarkError(f"the ingest does not answer: {child.tail()}")


@contextmanager
def _settled(turn: _Round, address: str) -> Iterator[Path]:
    """The folder of a server in whose database the gateways' people live; nobody of them has a plan."""
    with tempfile.TemporaryDirectory(dir=turn.folder) as name:
        folder = Path(name)
        vault = open_vault(folder / "vault.key", create=True)
        database = Database(address)
        with database.write() as connection:
            town.settle(connection, vault, turn.size.gateways, plans=False)
        database.close()
        yield folder
