"""A gateway's real spool and real uplink in the test's process, and what became of its readings."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from gateway.flights import Patience
from gateway.settings import MqttSettings
from gateway.spool import Message, Spool
from gateway.uplink import Identity, Uplink
from server.db import tables
from tests.gateway.waiting import until
from tests.server.world import START, World, reading
from vitals.topics import Lane, gateway_id
from vitals.wire import render_reading

QUICK = Patience(resend_first=1.0, resend_max=4.0, reconnect_first=0.05, reconnect_max=0.4, heartbeat=20, window=20)
EFFECT_S = 40.0  # a loaded machine needs a few; more means that it will not come


@dataclass
class Home:
    """What was kept, in order, and the spool that keeps it until the server's receipt."""

    world: World
    spool: Spool
    uplink: Uplink
    kept: list[str] = field(default_factory=list)

    def measure(self, count: int) -> None:
        """Keep so many readings more, each of its own moment."""
        for _ in range(count):
            number = len(self.kept)
            values = {"spo2": Decimal(86 if number % 5 == 4 else 97), "pulse": Decimal(71)}
            said = reading(number, values, taken_at=START - timedelta(hours=1) + timedelta(seconds=number))
            body = render_reading(said)
            self.spool.keep(Message(id=said.id, lane=Lane.READINGS, body=body, device=said.device), START)
            self.kept.append(said.id)
        self.uplink.wake()

    async def drained(self) -> None:
        """Wait until the server has receipted everything."""
        await until(lambda: self.spool.depth == 0, within=EFFECT_S)

    def check(self) -> None:
        """Everything that was kept is stored, once."""
        stored = Counter(row["id"] for row in self.world.rows(tables.reading))
        assert set(self.kept) - set(stored) == set(), "lost"
        assert [each for each, times in stored.items() if times > 1] == [], "twice"
        assert set(stored) == set(self.kept)


@asynccontextmanager
async def living(world: World, folder: Path, port: int, patience: Patience = QUICK) -> AsyncIterator[Home]:
    """The gateway of the world, speaking to the broker at `port`; everything is checked at the end."""
    spool = Spool.open(folder / "spool.db")
    identity = Identity(gateway=gateway_id(world.gateway), key=world.key)
    uplink = Uplink(identity, spool, MqttSettings(port=port), patience)
    task = asyncio.create_task(uplink.run(lambda refused: b'{"online":true}'))
    home = Home(world, spool, uplink)
    try:
        yield home
        home.check()
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        spool.close()
        assert isinstance(results[0], asyncio.CancelledError), results


async def seen(evidence: Callable[[], bool]) -> None:
    """Wait until the fault has struck."""
    await until(evidence, within=EFFECT_S)
