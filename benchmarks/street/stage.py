"""The stage on which the street is measured: a town in PostgreSQL, a broker, and the roles ingest and watch."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import select

from benchmarks.machine import family, processor_seconds
from benchmarks.street import postgres, processes, town
from benchmarks.street.listening import wait_until_listening
from benchmarks.street.processes import BenchmarkError, BrokerRun, Child, role, server_settings
from benchmarks.street.template import Past, copied
from server.db import tables
from server.db.engine import Database
from vitals.clock import ScaledClock, SystemClock

_LOOK_S = 0.05


@dataclass(slots=True)
class Stage:
    """What is running. `at`: the town's time when the stage was opened."""

    folder: Path
    past: Past
    cluster: postgres.Cluster
    address: str
    broker: BrokerRun
    clock: ScaledClock
    ingest: Child
    watch: Child
    _sent: int = 0
    _chance: random.Random = field(default_factory=lambda: random.Random("stage"))

    def packets(self, numbers: Sequence[int], *, worried: float = 0.0, before: timedelta = timedelta(0)) -> list[bytes]:
        """A fresh reading of each of these patients, taken just now or `before`; a share of them is worrying."""
        return [self.packet(number, self._chance.random() < worried, self.clock.now() - before) for number in numbers]

    def packet(self, number: int, is_worrying: bool, at: datetime) -> bytes:
        """One reading of that patient, taken at `at`."""
        self._sent += 1
        values = town.worrying(self._chance) if is_worrying else town.ordinary(self._chance)
        taken_at = at.replace(microsecond=self._sent % 1_000_000)
        return town.packet(number, town.reading(number, taken_at, values, self._sent), self._sent)

    def is_judged(self, database: Database) -> bool:
        """Whether nobody is due."""
        due = select(tables.due.c.patient_id).where(tables.due.c.evaluate_at <= self.clock.now()).limit(1)
        with database.read() as connection:
            return connection.execute(due).first() is None

    def wait_until_judged(self, limit_s: float) -> float:
        """Until nobody is due; the moment (monotonic) at which that was first seen."""
        deadline = monotonic() + limit_s
        with closing(Database(self.address)) as database:
            while not self.is_judged(database):
                if monotonic() > deadline:
                    raise BenchmarkError(f"somebody is still due after {limit_s:g} s: {self.watch.tail()}")
                sleep(_LOOK_S)
        return monotonic()

    def processor(self) -> Mapping[str, float]:
        """Processor seconds so far of each part."""
        return {
            "broker": processor_seconds(family(self.broker.child.pid)),
            "ingest": processor_seconds(family(self.ingest.pid)),
            "watch": processor_seconds(family(self.watch.pid)),
            "database": processor_seconds(family(self.cluster.pid)),
        }

    def start_roles(self) -> None:
        """Start ingest and watch and wait until they hear the broker and judge."""
        with closing(Database(self.address)) as database, database.write() as connection:
            connection.execute(tables.role_beat.delete())
        self.ingest.start()
        self.watch.start()
        wait_until_listening(self.address, self.ingest)
        wait_until_listening(self.address, self.watch, "watch")


@contextmanager
def opened(folder: Path, past: Past) -> Iterator[Stage]:
    """Everything up and warm, with the town's past; torn down at the end."""
    with (
        postgres.running() as cluster,
        copied(cluster, past, "stage") as (address, own),
        processes.mosquitto(folder / "broker") as broker,
    ):
        path = folder / "clock.json"
        clock = ScaledClock(epoch=town.NOW + timedelta(minutes=1), started=SystemClock().now(), factor=1)
        clock.write(path)
        settings = server_settings(own, address, broker.port, path)
        ingest, watch = role("ingest", folder, settings), role("watch", folder, settings)
        stage = Stage(folder, past, cluster, address, broker, clock, ingest, watch)
        try:
            stage.start_roles()
            stage.wait_until_judged(60)
            yield stage
        finally:
            watch.stop()
            ingest.stop()
