"""The line between the broker and the server that receives."""

from pathlib import Path

import pytest

from tests.broker import Mosquitto
from tests.faults.home import living
from tests.faults.lines import FAULTS, NOW, ingest, live_through, serving
from tests.faults.proxy import Line
from tests.server.world import World
from vitals.clock import ManualClock

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize("address", ["file"], indirect=True)
@pytest.mark.parametrize("kind", FAULTS)
async def test_between_broker_and_server(kind: str, world: World, broker: Mosquitto, tmp_path: Path) -> None:
    with Line(broker.port, seed=len(kind)) as line:
        parts = world.parts(ManualClock(NOW), mqtt_port=line.port)
        with serving(ingest(parts)):
            async with living(world, tmp_path, broker.port) as home:
                await live_through(FAULTS[kind], line, home, lambda: not parts.broker_up.is_set())
