"""Lines that fail: between gateway and broker, between broker and server, between server and its database.

Real are the spool, the uplink, Mosquitto, the server's roles and both databases. Whatever the line does, nothing is
lost and nothing stored twice, and the next reading comes through soon after it is well again.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest
from structlog.testing import capture_logs

from server.access import system
from server.app import keep_running
from server.db import tables
from server.db.engine import Database
from server.ingest.mqtt import Broker
from server.ingest.worker import Ingest
from server.parts import Parts
from server.reports.recorded import replayed
from server.watch.worker import Watch
from tests import postgres
from tests.broker import Mosquitto
from tests.faults.home import QUICK, Home, living, seen
from tests.faults.proxy import CALM, Line, Weather
from tests.gateway.waiting import until
from tests.server.plans import activate
from tests.server.world import START, World
from vitals.clock import ManualClock, ScaledClock, SystemClock

pytestmark = pytest.mark.usefixtures("impatient")

_NOW = START + timedelta(hours=1)
_SOON_S = 20.0  # after the line is well; a few are enough, but for a loaded machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A weather, and by what it is seen to have struck: cut or dialled anew so often, gone, or `lasts_s`.

    Without any of these everything comes through in spite of it.
    """

    weather: Weather = CALM
    cuts: int = 0
    dials: int = 0
    lasts_s: float = 0.0
    stranded: bool = False
    refused: bool = False
    readings: int = 12


FAULTS = {
    "nobody there": Fault(refused=True),
    "turned away": Fault(weather=Weather(turned_away=True), cuts=3),
    "reset in mid-packet": Fault(weather=Weather(cut_after=(1, 900), reset=True), cuts=4),
    "cut after some bytes": Fault(weather=Weather(cut_after=(200, 2500)), cuts=2),
    "half-open": Fault(stranded=True, dials=1),
    "blackhole": Fault(weather=Weather(held=True), dials=1),
    "one byte at a time": Fault(weather=Weather(piece=1)),
    "300 bytes a second": Fault(weather=Weather(bytes_per_s=300, piece=30), readings=2),
    "late by up to a second": Fault(weather=Weather(delay_s=(0.0, 1.0)), readings=4),
}
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


async def live_through(fault: Fault, line: Line, home: Home, is_gone: Callable[[], bool] = lambda: True) -> None:
    """Some readings before, some during and one after the fault."""
    home.measure(3)
    await home.drained()
    cuts, dials = line.cuts, len(line.dialled)
    _strike(fault, line)
    struck_at = monotonic()
    home.measure(fault.readings)
    if fault.refused or fault.cuts or fault.dials or fault.lasts_s:
        await seen(lambda: line.cuts >= cuts + fault.cuts and len(line.dialled) >= dials + fault.dials)
        await seen(lambda: monotonic() > struck_at + fault.lasts_s and (is_gone() or not fault.refused))
    else:
        await home.drained()
    if fault.lasts_s:
        assert home.spool.depth == fault.readings  # nothing is receipted that cannot be on its way to a disk
    line.weather = CALM
    line.listen()
    line.reset_stranded()
    home.measure(1)
    well_at = monotonic()
    await home.drained()
    assert monotonic() - well_at < _SOON_S


def _strike(fault: Fault, line: Line) -> None:
    if fault.refused or fault.weather.turned_away:
        line.refuse()
    if fault.stranded:
        line.strand()
    line.weather = fault.weather
    if not fault.refused:
        line.listen()


@contextmanager
def serving(*roles: Ingest | Watch) -> Iterator[None]:
    """The roles, each in its thread, started again when it fails."""
    stop = threading.Event()
    threads = [threading.Thread(target=keep_running, args=(role, stop)) for role in roles]
    for thread in threads:
        thread.start()
    try:
        with capture_logs():  # what is said of a lost line is long to print
            yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(15)
            assert not thread.is_alive()


def ingest(parts: Parts) -> Ingest:
    return Ingest(parts, Broker(parts.settings))


@pytest.mark.parametrize("address", ["file"], indirect=True)  # the database is not on this line
@pytest.mark.parametrize("kind", FAULTS)
async def test_between_gateway_and_broker(kind: str, world: World, broker: Mosquitto, tmp_path: Path) -> None:
    parts = world.parts(ManualClock(_NOW), mqtt_port=broker.port)
    with Line(broker.port, seed=len(kind)) as line, serving(ingest(parts)):
        async with living(world, tmp_path, line.port) as home:
            await live_through(FAULTS[kind], line, home, lambda: home.uplink._presence.is_gone)


@pytest.mark.parametrize("address", ["file"], indirect=True)
async def test_gateways_that_are_turned_away_come_back_ever_later_and_not_together(
    world: World, broker: Mosquitto, tmp_path: Path
) -> None:
    patience = replace(QUICK, reconnect_first=0.05, reconnect_max=0.3)
    homes = [tmp_path / "one", tmp_path / "other"]
    with Line(broker.port) as one, Line(broker.port) as other:
        lines = (one, other)
        for line in lines:
            line.weather = Weather(turned_away=True)
        async with living(world, homes[0], one.port, patience), living(world, homes[1], other.port, patience):
            await until(lambda: all(len(line.dialled) >= 9 for line in lines))
    waits = [[after - before for before, after in pairwise(line.dialled[:9])] for line in lines]
    assert all(first < 0.3 and min(each[4:]) >= 0.75 * 0.3 for each in waits for first in each[:1])
    long = [wait for each in waits for wait in each[4:]]
    assert max(long) - min(long) > 0.03  # of 0.15; eight that are as near to each other come in 10,000 runs


@pytest.mark.parametrize("address", ["file"], indirect=True)
@pytest.mark.parametrize("kind", FAULTS)
async def test_between_broker_and_server(kind: str, world: World, broker: Mosquitto, tmp_path: Path) -> None:
    with Line(broker.port, seed=len(kind)) as line:
        parts = world.parts(ManualClock(_NOW), mqtt_port=line.port)
        with serving(ingest(parts)):
            async with living(world, tmp_path, broker.port) as home:
                await live_through(FAULTS[kind], line, home, lambda: not parts.broker_up.is_set())


@pytest.mark.parametrize("address", ["cluster"], indirect=True)
@pytest.mark.parametrize("kind", DATABASE_FAULTS)
async def test_between_server_and_database(
    kind: str, world: World, address: str, cluster: postgres.Cluster, broker: Mosquitto, tmp_path: Path
) -> None:
    """And what the rules then say is what a replay says."""
    activate(world)
    with Line(cluster.port, seed=len(kind)) as line:
        far = Database(address.replace(f":{cluster.port}/", f":{line.port}/"))
        clock = ScaledClock(epoch=_NOW, started=SystemClock().now(), factor=60)  # who is put off is due again at once
        parts = replace(world.parts(clock, mqtt_port=broker.port), database=far)
        with closing(far), serving(ingest(parts), Watch(parts)):
            async with living(world, tmp_path, broker.port) as home:
                await live_through(DATABASE_FAULTS[kind], line, home)
                await until(lambda: all(row["evaluation_seq"] is not None for row in world.rows(tables.reading)))
    with world.database.read() as connection:
        verdict = replayed(connection, system(), world.patient)
    assert verdict.equal, verdict
    assert verdict.facts == world.count(tables.fact) > 0
