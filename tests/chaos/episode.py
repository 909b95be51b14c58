"""One seed, one episode: people measure, everything is killed again and again, and in the end the oracle is asked."""

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from server.db import tables
from server.db.engine import Database, file_address
from server.settings import RoleName
from tests.chaos import parts, script
from tests.chaos.homes import Device, Home
from tests.chaos.ledger import Ledger
from tests.chaos.oracle import Verdict, judge
from tests.chaos.parts import Kind, Part, Place
from tests.postgres import Cluster
from vitals.clock import SystemClock
from vitals.failpoint import POINTS

_LOOK_S = 0.02
_LOOK_STORED_S = 0.25
_DOWN_S = {Kind.GATEWAY: 0.5, Kind.SERVER: 0.5, Kind.BROKER: 1.0, Kind.DATABASE: 0.5}  # at most, before the next start
_CARRIES = 0.85  # how often a new life carries a failpoint
_CANNOT_START = 2  # how a server ends that finds no database
_STARTS_S = 30.0  # until it finds out, on a busy machine
_OFTEN = (
    ("gateway.session", 3),
    ("gateway.connected", 1),
    ("gateway.resent", 10),
    ("gateway.receipt", 15),
    ("gateway.forg", 15),
    ("gateway.", 120),
    ("notify.", 2),
    ("", 40),
)
# The failpoints that a life may carry, and how often each is passed between two kills, about.
PASSED: Mapping[str, int] = {
    name: next((most for start, most in _OFTEN if name.startswith(start)), 1) for name in POINTS
}
_SIDES = {
    RoleName.ALL: ("ingest.", "watch.", "notify."),
    RoleName.INGEST: ("ingest.",),
    RoleName.WATCH: ("watch.",),
    RoleName.NOTIFY: ("notify.",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything; `kills` of gateway, of server and of broker, of which `wipes` take its disk."""

    readings: int = 25_200  # 700 of each device; 20 seeds are half a million
    homes: int = 6
    devices: int = 6  # in each home
    seconds: float = 60.0  # within which all is measured
    kills: int = 15
    wipes: int = 5
    database: int = 7  # kills of PostgreSQL
    points: Mapping[str, int] = field(default_factory=lambda: PASSED)
    rest: float = 300.0  # seconds: for the last outage's back-off, killed notifiers' leases and a busy machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A kill, once so many readings were handed over. `number`: of its kind, from 0; `how`: where there are ways."""

    position: int
    kind: Kind
    number: int
    how: str = ""


@dataclass(kw_only=True)
class Told:
    """What an episode came to, as the results file has it."""

    seed: int
    database: str
    seconds: float = 0.0
    sent: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    silence_s: float = 0.0  # the longest time in which nothing new was stored
    back_s: dict[str, list[float]] = field(default_factory=dict)  # from kills to the first effect afterwards
    restarts: int = 0  # of servers that found no database
    cpu_s: float = 0.0  # of everything
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def holds(self) -> bool:
        """Whether nothing at all was wrong."""
        return not self.verdict.wrong

    def line(self) -> dict[str, Any]:
        """As JSON has it."""
        row = {each.name: getattr(self, each.name) for each in fields(self)}
        return row | {"verdict": asdict(self.verdict)}


@dataclass(kw_only=True)
class _Back:
    """Somebody who was killed and has not been heard of since."""

    kind: Kind
    killed_at: float
    home: Home | None = None
    waiting: int = 0
    started_at: float | None = None


class Episode:
    """Made for one `run`."""

    def __init__(self, seed: int, size: Size, place: Place) -> None:
        self._size = size
        self._place = place
        self._rng = random.Random(seed)
        self.told = Told(seed=seed, database="PostgreSQL" if place.cluster else "SQLite")
        self._ledger = Ledger(place.folder / "ledger.jsonl")
        self._down: set[str] = set()
        self._passed: Counter[Kind] = Counter()  # strikes whose position was reached
        self._database_was_down_at = float("-inf")
        self._reviving: set[asyncio.Task[None]] = set()
        self._back: list[_Back] = []
        self._homes: list[Home] = []

    async def run(self) -> Told:
        """Live through it and judge."""
        began, cpu = monotonic(), os.times()
        now = SystemClock().now()
        self._works = parts.build(self._place, self._size.homes, self._size.devices, now)
        self._furnish(began)
        for home in self._homes:
            await home.open()
        looking = asyncio.create_task(self._watch_stored())
        try:
            await asyncio.to_thread(self._works.start)
            await self._live(list(self._strikes()))
            await self._come_to_rest()
        finally:
            looking.cancel()
            await asyncio.gather(looking, *self._reviving, return_exceptions=True)
            await asyncio.to_thread(self._works.end)
            for home in self._homes:
                await home.close()
        self._judge()
        self.told.seconds = round(monotonic() - began, 1)
        self.told.cpu_s = round(sum(os.times()[:4]) - sum(cpu[:4]), 1)
        self.told.sent = sum(each.sent for each in self._homes)
        self._ledger.close()
        return self.told

    # --- what happens

    def _furnish(self, began: float) -> None:
        size = self._size
        each = size.readings // (size.homes * size.devices)
        now = SystemClock().now()
        for kit in self._works.kits:
            devices = []
            for address in kit.patients:
                records = script.records(self._rng, address, each, now)
                times = [began + size.seconds * number / each for number in range(each)]
                devices.append(Device(address, records, times, self._ledger))
            self._homes.append(Home(self._works.socket(kit), devices, self._rng))

    def _strikes(self) -> Iterator[Strike]:
        """Every kill, by position."""
        size, rng = self._size, self._rng
        counts = {Kind.GATEWAY: size.kills, Kind.SERVER: size.kills, Kind.BROKER: size.kills}
        if self._place.cluster is not None:
            counts[Kind.DATABASE] = size.database
        ways = {
            Kind.BROKER: ["wiped"] * size.wipes + [""] * (size.kills - size.wipes),
            Kind.DATABASE: [("postmaster", "immediate", "backend")[number % 3] for number in range(size.database)],
        }
        whole = sum(each.waiting for each in self._homes)
        found = []
        for kind, count in counts.items():
            how = ways.get(kind, [""] * count)
            rng.shuffle(how)
            positions = sorted(rng.sample(range(whole // 50, whole * 19 // 20), count))
            found += [
                Strike(position=position, kind=kind, number=number, how=how[number])
                for number, position in enumerate(positions)
            ]
        yield from sorted(found, key=lambda each: each.position)

    async def _live(self, strikes: list[Strike]) -> None:
        """Until everything is handed over and nobody is to be killed any more."""
        while strikes or any(each.waiting for each in self._homes):
            self._look_after()
            due = [each for each in strikes if each.position <= self._ledger.count]
            for each in due:
                if await self._strike(each):
                    strikes.remove(each)
                    self._passed[each.kind] += 1
            await asyncio.sleep(_LOOK_S)

    async def _strike(self, strike: Strike) -> bool:
        """Whether it was done, or a failpoint had been quicker; else it is tried again."""
        if self.told.kills[strike.kind] > strike.number and not strike.how:
            return True
        if strike.kind is Kind.DATABASE:
            return await self._strike_database(strike.how)
        works = self._works
        choice = {Kind.GATEWAY: works.gateways, Kind.SERVER: works.server, Kind.BROKER: [works.broker]}[strike.kind]
        alive = [each for each in choice if each.child.is_running and each.child.name not in self._down]
        if not alive:
            return False
        part = self._rng.choice(alive)
        part.kill()
        if strike.how:
            works.wipe_broker()
            self.told.ways[strike.how] += 1
        self._killed(part)
        return True

    async def _strike_database(self, how: str) -> bool:
        cluster = self._place.cluster
        if cluster is None or Kind.DATABASE in self._down:
            return False
        if how == "backend" and not await asyncio.to_thread(parts.kill_backend, cluster, self._rng.random()):
            return False
        self._database_was_down_at = monotonic()
        self.told.kills[Kind.DATABASE] += 1
        self.told.ways[how] += 1
        back = _Back(kind=Kind.DATABASE, killed_at=monotonic())
        self._back.append(back)
        if how == "backend":
            back.started_at = monotonic()  # it recovers by itself
            return True
        self._down.add(Kind.DATABASE)
        self._soon(self._revive_database(cluster, how, back))
        return True

    async def _revive_database(self, cluster: Cluster, how: str, back: _Back) -> None:
        if how == "immediate":
            await asyncio.to_thread(cluster.stop, "immediate")
        else:
            await asyncio.to_thread(parts.kill_postmaster, cluster)
        await asyncio.sleep(self._rng.uniform(0, _DOWN_S[Kind.DATABASE]))
        await asyncio.to_thread(parts.start_again, cluster)
        back.started_at = self._database_was_down_at = monotonic()
        self._down.discard(Kind.DATABASE)

    def _killed(self, part: Part) -> None:
        """Count it, and have it start again soon; its new life may carry a failpoint."""
        self.told.kills[part.kind] += 1
        back = _Back(kind=part.kind, killed_at=monotonic())
        if part.kind is Kind.GATEWAY:
            back.home = self._homes[self._works.gateways.index(part)]
        if part.kind is not Kind.SERVER or {RoleName.INGEST, RoleName.ALL} & set(part.roles):
            self._back.append(back)
        wait = self._rng.uniform(0, _DOWN_S[part.kind])
        self._soon(self._revive(part, wait, back, self._failpoint(part)))

    async def _revive(self, part: Part, wait: float, back: _Back | None, failpoint: str | None) -> None:
        self._down.add(part.child.name)
        await asyncio.sleep(wait)
        part.start(failpoint)
        self._down.discard(part.child.name)
        if back is not None:
            back.started_at = monotonic()
            back.waiting = back.home.waiting if back.home else 0

    def _soon(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._reviving.add(task)
        task.add_done_callback(self._reviving.discard)

    def _failpoint(self, part: Part) -> str | None:
        sides = ("gateway.",) if part.kind is Kind.GATEWAY else tuple(x for role in part.roles for x in _SIDES[role])
        names = [each for each in self._size.points if each.startswith(sides)]
        enough = self.told.kills[part.kind] > self._passed[part.kind] + 1  # not all of them in the first minute
        if part.kind is Kind.BROKER or enough or not names or self._rng.random() > _CARRIES:
            return None
        name = self._rng.choice(names)
        return f"{name}:{self._rng.randint(1, self._size.points[name])}"

    def _look_after(self) -> None:
        """Whoever has ended by himself: at his failpoint, or for want of a database; anything else is a fault."""
        for part in self._works.parts:
            code = part.child.ended_with
            if code is None or part.child.name in self._down:
                continue
            self._down.add(part.child.name)
            if code == -9 and part.armed is not None:
                self.told.points[part.armed.split(":")[0]] += 1
                self._killed(part)
                continue
            if code == _CANNOT_START and self._misses_its_database(part):
                self.told.restarts += 1
            else:
                self.told.verdict.wrong.append(f"{part.child.name} ended ({code}):\n{part.child.tail()}")
            self._soon(self._revive(part, 0.3, None, None))

    def _misses_its_database(self, part: Part) -> bool:
        lately = Kind.DATABASE in self._down or monotonic() - self._database_was_down_at < _STARTS_S
        return part.kind is Kind.SERVER and self._place.cluster is not None and lately

    # --- looking

    async def _watch_stored(self) -> None:
        """Note when something new was stored, and who is back."""
        database = Database(self._place.address)
        newest, changed_at = 0, 0.0
        with closing(database):
            while True:
                await asyncio.sleep(_LOOK_STORED_S)
                seq, now = await asyncio.to_thread(_newest, database), monotonic()
                if seq is not None and seq > newest:
                    if newest:
                        self.told.silence_s = round(max(self.told.silence_s, now - changed_at), 2)
                    newest, changed_at = seq, now
                self._note_back(now, stored_at=changed_at)

    def _note_back(self, now: float, stored_at: float) -> None:
        for back in list(self._back):
            if back.started_at is None:
                continue
            heard = back.home.waiting < back.waiting if back.home else stored_at > back.started_at
            if heard:
                self.told.back_s.setdefault(back.kind, []).append(round(now - back.killed_at, 2))
            if heard or (back.home is not None and not back.home.waiting):
                self._back.remove(back)

    async def _come_to_rest(self) -> None:
        """Until every spool is empty, everybody judged and everything told."""
        database = Database(self._place.address)
        deadline = monotonic() + self._size.rest
        with closing(database):
            while restless := await asyncio.to_thread(self._restless, database):
                self._look_after()
                if monotonic() > deadline:
                    self.told.verdict.wrong.append(f"no rest within {self._size.rest:g} s: {restless}")
                    return
                await asyncio.sleep(0.2)

    def _restless(self, database: Database) -> str | None:
        if self._down or self._reviving:
            return f"{sorted(self._down)} are being started"
        if spooled := self._works.spooled():
            return f"{spooled} messages wait in spools"
        reading, due, outbox = tables.reading.c, tables.due.c, tables.outbox.c
        now = SystemClock().now()
        claimed, unseen = reading.patient_id.is_not(None), reading.evaluation_seq.is_(None)
        unjudged = select(func.count()).where(claimed, unseen, reading.quiet.is_(False))
        late = select(func.count()).where(due.evaluate_at <= now)
        untold = select(func.count()).where(or_(outbox.state == "waiting", outbox.state == "failed"))
        try:
            with database.read() as connection:
                for what, asked in (("readings to judge", unjudged), ("patients due", late), ("notices", untold)):
                    if count := connection.execute(asked).scalar_one():
                        return f"{count} {what}"
        except SQLAlchemyError as error:
            return type(error).__name__
        return None

    def _judge(self) -> None:
        owners = {address: patient for kit in self._works.kits for address, patient in kit.patients.items()}
        numbers = list(_told(each.child.log for each in self._works.server))
        database = Database(self._place.address)
        with closing(database), database.read() as connection:
            verdict = judge(connection, list(self._ledger.read()), owners, numbers, SystemClock().now())
        verdict.note([*self._works.spools_in_order(), *parts.found_wrong(self._place)])
        verdict.wrong += self.told.verdict.wrong
        self.told.verdict = verdict


def _newest(database: Database) -> int | None:
    try:
        with database.read() as connection:
            return connection.execute(select(func.max(tables.reading.c.seq))).scalar()
    except SQLAlchemyError:
        return None


def _told(logs: Iterator[Path] | Sequence[Path]) -> Iterator[int]:
    """The numbers of the outbox's notices that the channel wrote."""
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            if '"event": "notice"' in line:
                try:
                    said = json.loads(line)
                except ValueError:  # whoever wrote it was killed while writing
                    continue
                if said.get("logger") == "varde.notify" and said["number"]:
                    yield said["number"]


async def on_a_file(seed: int, size: Size, folder: Path, command: Sequence[str] = ()) -> Told:
    """An episode on the embedded database."""
    place = Place(folder=folder, address=file_address(folder / "varde.db"), command=command)
    return await Episode(seed, size, place).run()


async def on_a_cluster(seed: int, size: Size, folder: Path, cluster: Cluster) -> Told:
    """An episode on a new database of a PostgreSQL that may be killed."""
    with cluster.empty() as address:
        place = Place(folder=folder, address=address, cluster=cluster, twice=bool(seed % 2))
        return await Episode(seed, size, place).run()
