"""One seed, one episode: people measure, everything is killed again and again, and in the end the oracle is asked."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

from server.db.engine import Database, file_address
from server.settings import RoleName
from tests.chaos import parts, script
from tests.chaos.homes import Device, Home
from tests.chaos.ledger import Ledger
from tests.chaos.looking import Back, Looking, told_notices
from tests.chaos.oracle import judge
from tests.chaos.parts import Kind, Part, Place
from tests.chaos.told import Size, Strike, Told
from tests.postgres import Cluster
from vitals.clock import SystemClock

_LOOK_S = 0.02
_DOWN_S = {Kind.GATEWAY: 0.5, Kind.SERVER: 0.5, Kind.BROKER: 1.0, Kind.DATABASE: 0.5}  # at most, before the next start
_CARRIES = 0.85  # how often a new life carries a failpoint
_CANNOT_START = 2  # how a server ends that finds no database
_MOST_S = 3600.0  # an episode in which nobody gets any further has an end, too
_STARTS_S = 30.0  # until it finds out, on a busy machine
_SIDES = {
    RoleName.ALL: ("ingest.", "watch.", "notify."),
    RoleName.INGEST: ("ingest.",),
    RoleName.WATCH: ("watch.",),
    RoleName.NOTIFY: ("notify.",),
}


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
        self._looking = Looking(place.address, self.told)
        self._homes: list[Home] = []

    async def run(self) -> Told:
        """Live through it and judge."""
        began, cpu = monotonic(), os.times()
        now = SystemClock().now()
        self._works = parts.build(self._place, self._size.homes, self._size.devices, now)
        self._furnish(began)
        for home in self._homes:
            await home.open()
        looking = asyncio.create_task(self._looking.run())
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
            self._looking.close()
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
        deadline = monotonic() + _MOST_S
        while strikes or any(each.waiting for each in self._homes):
            assert monotonic() < deadline, f"{strikes[:3]}, {sorted(self._down)} are down"
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
        back = Back(kind=Kind.DATABASE, killed_at=monotonic())
        self._looking.killed.append(back)
        if how == "backend":
            back.started_at = monotonic()  # it recovers by itself
            return True
        self._down.add(Kind.DATABASE)
        self._soon(self._revive_database(cluster, how, back))
        return True

    async def _revive_database(self, cluster: Cluster, how: str, back: Back) -> None:
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
        self._down.add(part.child.name)
        self.told.kills[part.kind] += 1
        back = Back(kind=part.kind, killed_at=monotonic())
        if part.kind is Kind.GATEWAY:
            back.home = self._homes[self._works.gateways.index(part)]
        if part.kind is not Kind.SERVER or {RoleName.INGEST, RoleName.ALL} & set(part.roles):
            self._looking.killed.append(back)
        wait = self._rng.uniform(0, _DOWN_S[part.kind])
        self._soon(self._revive(part, wait, back, self._failpoint(part)))

    async def _revive(self, part: Part, wait: float, back: Back | None, failpoint: str | None) -> None:
        await asyncio.sleep(wait)
        part.start(failpoint)
        self._down.discard(part.child.name)
        if back is not None:
            back.started_at = monotonic()
            back.waiting = back.home.waiting if back.home else 0

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._reviving.add(task)
        task.add_done_callback(self._revived)

    def _revived(self, task: asyncio.Task[None]) -> None:
        self._reviving.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.told.verdict.wrong.append(f"could not be started again: {error}")

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
            if code == -9 and part.armed is not None:
                self.told.points[part.armed.split(":")[0]] += 1
                self._killed(part)
                continue
            if code == _CANNOT_START and self._misses_its_database(part):
                self.told.restarts += 1
            else:
                self.told.verdict.wrong.append(f"{part.child.name} ended ({code}):\n{part.child.tail()}")
            self._down.add(part.child.name)
            self._soon(self._revive(part, 0.3, None, None))

    def _misses_its_database(self, part: Part) -> bool:
        lately = Kind.DATABASE in self._down or monotonic() - self._database_was_down_at < _STARTS_S
        return part.kind is Kind.SERVER and self._place.cluster is not None and lately

    async def _come_to_rest(self) -> None:
        """Until every spool is empty, everybody judged and everything told."""
        deadline = monotonic() + self._size.rest
        while waits := await asyncio.to_thread(self._waits):
            self._look_after()
            if monotonic() > deadline:
                self.told.verdict.wrong.append(f"no rest within {self._size.rest:g} s: {waits}")
                return
            await asyncio.sleep(0.2)

    def _waits(self) -> str | None:
        if self._down or self._reviving:
            return f"{sorted(self._down)} are being started"
        if spooled := self._works.spooled():
            return f"{spooled} messages wait in spools"
        return self._looking.waits()

    def _judge(self) -> None:
        owners = {address: patient for kit in self._works.kits for address, patient in kit.patients.items()}
        numbers = list(told_notices(each.child.log for each in self._works.server))
        database = Database(self._place.address)
        with closing(database), database.read() as connection:
            verdict = judge(connection, list(self._ledger.read()), owners, numbers, SystemClock().now())
        verdict.note([*self._works.spools_in_order(), *self._works.cries(), *parts.found_wrong(self._place)])
        verdict.wrong += self.told.verdict.wrong
        self.told.verdict = verdict


async def on_a_file(seed: int, size: Size, folder: Path, command: Sequence[str] = ()) -> Told:
    """An episode on the embedded database."""
    place = Place(folder=folder, address=file_address(folder / "varde.db"), command=command)
    return await Episode(seed, size, place).run()


async def on_a_cluster(seed: int, size: Size, folder: Path, cluster: Cluster) -> Told:
    """An episode on a new database of a PostgreSQL that may be killed."""
    with cluster.empty() as address:
        place = Place(folder=folder, address=address, cluster=cluster, twice=bool(seed % 2))
        return await Episode(seed, size, place).run()
