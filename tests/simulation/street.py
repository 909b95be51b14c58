"""A whole street for one seed: homes, lines, broker, server, nurses, and everything that goes wrong between them."""

import asyncio
import hashlib
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from gateway.exchange import Identity
from server.db import tables
from server.db.engine import file_address
from tests.simulation import people
from tests.simulation.agenda import Agenda, Restless, StreetClock
from tests.simulation.broker import Broker
from tests.simulation.home import Device, Home, clear, spo2
from tests.simulation.judging import judge
from tests.simulation.serving import MortalDatabase, Server
from tests.simulation.troubles import Fate, Troubles, draw
from tests.simulation.watching import Watcher
from tests.simulation.world import KEY, KITS, Kit, World, make_world
from vitals.topics import gateway_id

_HOURS = (0.7, 2.5)
_SETTLES_IN = 8_400.0  # seconds: the longest time that something is away, and a gateway whose clock is an hour ahead
_QUIET_FOR = 120.0
_GRID = 300.0  # people look at the clock before they measure
_FACTS = (tables.reading, tables.measurement, tables.evaluation, tables.fact, tables.outbox, tables.attempt, tables.due)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one seed came to. Equal digests: the same run, event for event and row for row."""

    seed: int
    digest: str
    wrong: tuple[str, ...]
    readings: int
    facts: int
    evaluations: int
    troubles: Troubles
    crashes: dict[str, int]


class Ground:
    """Where streets are built, one after the other: a folder, a database and an event loop that are used again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._world = make_world(folder)
        self._database = MortalDatabase(file_address(self._world.path))
        self._loop = asyncio.new_event_loop()

    def run(self, seed: int, tell: Callable[[str], None] | None = None) -> Outcome:
        """One seed; `tell` hears every line of what happens."""
        return self._loop.run_until_complete(self._run(seed, tell))

    async def _run(self, seed: int, tell: Callable[[str], None] | None) -> Outcome:
        self._database.close()
        street = Street(seed, self._world, self._database, tell)
        try:
            return street.live()
        finally:
            street.close()

    def close(self) -> None:
        """Give everything back."""
        self._database.close()
        self._loop.close()


@contextmanager
def ground() -> Iterator[Ground]:
    """A ground in memory where the machine has some: what is tested is the order of things, not the disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="varde-simulation-", dir=memory if memory.is_dir() else None))
    built = Ground(folder)
    try:
        yield built
    finally:
        built.close()
        shutil.rmtree(folder)


class Street:
    """One run."""

    def __init__(self, seed: int, world: World, database: MortalDatabase, tell: Callable[[str], None] | None) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.agenda = Agenda(tell)
        self.fate = Fate(self.rng, draw(self.rng))
        self.broker = Broker(self.agenda, self.fate)
        self.server = Server(self.agenda, self.fate, self.broker, world, database)
        kits = KITS if self.rng.random() < 0.3 else KITS[:1]
        world.renew(kits)
        self.watcher = Watcher(world.path)
        self.server.observe, self.server.missing = self.watcher.look, self.watcher.missing
        self.homes = [self._home(kit, world.folder) for kit in kits]
        self._database = database

    def _home(self, kit: Kit, folder: Path) -> Home:
        path = folder / f"{kit.gateway}.db"
        clear(path)
        devices = [
            Device(address=address, clock=StreetClock(self.agenda) if has_clock else None, records=[])
            for address, has_clock in kit.devices.items()
        ]
        identity = Identity(gateway=gateway_id(kit.gateway), key=KEY)
        return Home(self.agenda, self.fate, self.broker, identity, (path, devices))

    def live(self) -> Outcome:
        """Troubled hours, then quiet ones, then the verdict."""
        self.agenda.note(self.fate.troubles)
        wrong: list[str] = []
        end = self.rng.uniform(*_HOURS) * 3600
        try:
            self._begin(end)
            self.agenda.run(end)
            self._calm()
            self._settle(end)
        except Restless as restless:
            wrong.append(str(restless))
        wrong += [*self.server.wrong, *self.watcher.wrong]
        self._database.fate = None
        with self._database.read() as connection:
            if not wrong:
                wrong += judge(connection, self.homes, self.server.told, self.server.clock.now())
            rows = hashlib.sha256(self.agenda.digest.encode())
            counts = []
            for table in _FACTS:
                found = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
                rows.update(repr(found).encode())
                counts.append(len(found))
        return Outcome(
            seed=self.seed,
            digest=rows.hexdigest(),
            wrong=tuple(wrong),
            readings=counts[0],
            evaluations=counts[2],
            facts=counts[3],
            troubles=self.fate.troubles,
            crashes=self.fate.crashes,
        )

    def _settle(self, end: float) -> None:
        """Until nothing is on its way any more, or for so long that something must be lost."""
        quiet = end + _QUIET_FOR
        while self.agenda.seconds < min(quiet, end + _SETTLES_IN):
            self.agenda.run(self.agenda.seconds + _QUIET_FOR / 2)
            if self._is_busy():
                quiet = self.agenda.seconds + _QUIET_FOR

    def _is_busy(self) -> bool:
        homes = any(home.process is None or home.process.spool.depth or home.has_records for home in self.homes)
        paused = self.agenda.seconds < self.server.paused_until
        return (
            homes
            or paused
            or not self.server.is_up
            or not self.broker.up
            or self.broker.waiting > 0
            or self.watcher.waits
        )

    def close(self) -> None:
        """Let go of the files."""
        self.watcher.close()
        for home in self.homes:
            home.stop()

    def _begin(self, end: float) -> None:
        troubles = self.fate.troubles
        self.server.start()
        for home in self.homes:
            home.start()
            self._measure(home, end)
            self._again(troubles.line_cut_every, home.cut_line)
            self._again(troubles.gateway_kill_every, lambda home=home: home.kill("just so"))  # type: ignore[misc]
            self._again(troubles.device_jump_every, home.jump_device)
        self._again(troubles.server_kill_every, lambda: self.server.kill("just so"))
        self._again(troubles.broker_kill_every, self._kill_broker)
        self._again(troubles.watch_stop_every, self._stop_watch)
        self._again(troubles.click_every, lambda: people.click(self.server, self.fate))

    def _again(self, every: float, what: Callable[[], None]) -> None:
        """Let it happen again and again, until the calm."""
        if every <= 0:
            return

        def happen() -> None:
            if not self.fate.calm:
                what()
                self._again(every, what)

        self.agenda.after(self.fate.wait(every), happen)

    def _measure(self, home: Home, end: float) -> None:
        """The day's measurements: those who live together often measure together."""
        at = 0.0
        while (at := at + _GRID * self.rng.randrange(3, 15)) < end:
            together = self.rng.random() < 0.6
            value = spo2(self.fate)
            for device in home.devices:
                own = value if together else spo2(self.fate)
                later = 0.0 if together else _GRID * self.rng.randrange(3)
                if together or self.rng.random() < 0.7:
                    measure = lambda device=device, own=own: home.measure(device, own)  # noqa: E731
                    self.agenda.at(at + later, measure)

    def _kill_broker(self) -> None:
        self.broker.kill(wiped=self.fate.strikes(self.fate.troubles.wiped))
        self.agenda.after(self.fate.within(1, 600), self._start_broker)

    def _start_broker(self) -> None:
        self.broker.start()
        self.server.broker_is_back()

    def _stop_watch(self) -> None:
        """The scheduler stands still, across whatever is due meanwhile."""
        until = self.agenda.seconds + self.fate.within(60, 4_000)
        self.server.paused_until = max(self.server.paused_until, until)
        self.agenda.note("watch stands still until", self.server.paused_until)

    def _calm(self) -> None:
        self.agenda.note("calm")
        self.fate.calm = True
