"""The line between a gateway and the broker."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest

from gateway import uplink
from tests.broker import Mosquitto
from tests.faults.home import QUICK, living
from tests.faults.lines import FAULTS, NOW, ingest, live_through, serving
from tests.faults.proxy import CALM, Line, Weather
from tests.gateway.waiting import until
from tests.server.world import World
from vitals.clock import ManualClock

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize("address", ["file"], indirect=True)
@pytest.mark.parametrize("kind", FAULTS)
async def test_between_gateway_and_broker(kind: str, world: World, broker: Mosquitto, tmp_path: Path) -> None:
    parts = world.parts(ManualClock(NOW), mqtt_port=broker.port)
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
async def test_a_slow_line_is_not_filled_with_what_is_on_it_already(
    world: World, broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies would delay what is new, and on a line slow enough be all that it carries."""
    monkeypatch.setattr(uplink, "_KEEPALIVE_S", 30)
    parts = world.parts(ManualClock(NOW), mqtt_port=broker.port)
    patience = replace(QUICK, resend_first=0.1, resend_max=0.2)
    with Line(broker.port, seed=1) as line, serving(ingest(parts)):
        async with living(world, tmp_path, line.port, patience) as home:
            home.measure(1)
            await home.drained()
            line.weather = Weather(held=True)
            home.measure(10)
            held_at = monotonic()
            await until(lambda: monotonic() - held_at > 1.5)
            line.weather = CALM
            await home.drained()
    again = parts.metrics.registry.get_sample_value("varde_readings_total", {"result": "duplicate"}) or 0
    assert again < 40, "ten readings that waited for seven or more times their patience"
