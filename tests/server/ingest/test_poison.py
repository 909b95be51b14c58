"""Ten thousand poisoned messages through a real broker into the ingest role: all kept with a reason, nobody harmed."""

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from server.db import tables
from server.ingest.mqtt import Broker
from server.ingest.worker import Ingest
from server.parts import Parts
from tests.broker import Mosquitto
from tests.poison import Brewer
from tests.server.gateway_stub import GatewayStub, wait_for
from tests.server.world import START, World, an_id
from vitals.clock import ManualClock
from vitals.topics import gateway_id

MESSAGES, WARM = 10_000, 2_000
GROWTH_MAX = 20 * 1024 * 1024  # bytes; what a leak of 2 kB a message would pass


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("address", ["file"], indirect=True)  # nothing here is a database's business
def test_every_poisoned_message_is_kept_with_a_reason(world: World, broker: Mosquitto) -> None:
    parts = world.parts(ManualClock(START + timedelta(days=1)), mqtt_host=broker.host, mqtt_port=broker.port)
    link = Broker(parts.settings, parts.clock)
    stop = threading.Event()
    thread = threading.Thread(target=Ingest(parts, link).run, args=(stop,))
    thread.start()
    poison = list(Brewer(4711, gateway_id(world.gateway), world.key).messages(MESSAGES))
    assert len(set(poison)) > 0.9 * MESSAGES
    try:
        with GatewayStub(broker, world.gateway, world.key) as gateway:
            wait_for(lambda: link.connected)
            gateway.publish_many(poison[:WARM])
            wait_for(lambda: handled(parts) == WARM, seconds=120)
            before = resident()
            for at in range(WARM, MESSAGES, 1_000):
                gateway.publish_many(poison[at : at + 1_000])
            wait_for(lambda: handled(parts) == MESSAGES, seconds=240)
            assert resident() - before < GROWTH_MAX
            gateway.publish(*world.reading())
            wait_for(lambda: an_id(0) in gateway.accepted())
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    kinds = {row["kind"] for row in world.rows(tables.quarantine)}
    assert all(row["reason"] for row in world.rows(tables.quarantine))
    assert {"wrong_field", "unsealed", "foreign_gateway"} <= kinds
    assert sum(row["times"] for row in world.rows(tables.quarantine)) > 0.9 * MESSAGES
    assert "server_fault" not in kinds  # nothing of it made us stumble


def handled(parts: Parts) -> int:
    """How many messages came to something; counted after their COMMIT."""
    return int(parts.metrics.registry.get_sample_value("varde_ingest_batch_messages_sum") or 0)
