"""The line between the server and its PostgreSQL."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from server.access import system
from server.db import tables
from server.db.engine import Database
from server.reports.recorded import replayed
from server.watch.worker import Watch
from tests import postgres
from tests.broker import Mosquitto
from tests.faults.home import living
from tests.faults.lines import NOW, Fault, ingest, live_through, serving
from tests.faults.proxy import Line, Weather
from tests.gateway.waiting import until
from tests.server.plans import activate
from tests.server.world import World
from vitals.clock import ScaledClock, SystemClock

pytestmark = pytest.mark.usefixtures("impatient")


# A database is asked more and says more, and its driver waits for an answer as long as the connection stands: only the
# system's timers end that, which is what `reset_stranded` stands for.
DATABASE_FAULTS = {
    "nobody there": Fault(refused=True, lasts_s=1.0),
    "turned away": Fault(weather=Weather(turned_away=True), cuts=3),
    "reset in mid-packet": Fault(weather=Weather(cut_after=(1, 9000), reset=True), cuts=8),
    "cut after some bytes": Fault(weather=Weather(cut_after=(1, 9000)), cuts=8),
    "half-open": Fault(stranded=True, lasts_s=1.0),
    "blackhole": Fault(weather=Weather(held=True), lasts_s=1.0),
    "one byte at a time": Fault(weather=Weather(piece=1)),
    "30 kB a second": Fault(weather=Weather(bytes_per_s=30_000, piece=300)),
    "late by up to 50 ms": Fault(weather=Weather(delay_s=(0.0, 0.05))),
}


@pytest.mark.parametrize("address", ["cluster"], indirect=True)
@pytest.mark.parametrize("kind", DATABASE_FAULTS)
async def test_between_server_and_database(
    kind: str, world: World, address: str, cluster: postgres.Cluster, broker: Mosquitto, tmp_path: Path
) -> None:
    """And what the rules then say is what a replay says."""
    activate(world)
    with Line(cluster.port, seed=len(kind)) as line:
        far = Database(address.replace(f":{cluster.port}/", f":{line.port}/"))
        clock = ScaledClock(epoch=NOW, started=SystemClock().now(), factor=60)  # who is put off is due again at once
        parts = replace(world.parts(clock, mqtt_port=broker.port), database=far)
        with closing(far), serving(ingest(parts), Watch(parts)):
            async with living(world, tmp_path, broker.port) as home:
                await live_through(DATABASE_FAULTS[kind], line, home)
                await until(lambda: all(row["evaluation_seq"] is not None for row in world.rows(tables.reading)))
    with world.database.read() as connection:
        verdict = replayed(connection, system(), world.patient)
    assert verdict.equal, verdict
    assert verdict.facts == world.count(tables.fact) > 0
