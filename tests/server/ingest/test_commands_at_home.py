"""What a person asks of a gateway, from the row that the click leaves to the outcome that the gateway tells."""

import asyncio
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.flights import Patience
from gateway.relay import Clocks, run
from gateway.settings import AdapterSettings, MqttSettings, Settings
from server.access import Actor, Role
from server.care.commands import Kind, Wish, ask
from server.db import tables
from server.ingest import commands
from server.ingest.mqtt import Broker
from server.ingest.worker import Ingest
from tests.broker import Mosquitto
from tests.gateway.test_relay import HandRadio
from tests.server.gateway_stub import wait_for
from tests.server.world import OXIMETER, START, World
from vitals.clock import ManualClock
from vitals.reading import GatewayId

QUICK = Patience(resend_first=0.3, resend_max=1.0, reconnect_first=0.05, reconnect_max=0.3, heartbeat=0.2)


def wish(world: World, kind: Kind, device: str | None, now: datetime = START) -> str:
    actor = Actor(id="tech", role=Role.TECHNICIAN, municipality=world.municipality)
    wanted = Wish(gateway=world.gateway, kind=kind, device=device, passkey=7)
    with world.database.write() as connection:
        return ask(connection, world.vault, actor, wanted, now)


def outcomes(world: World) -> dict[str, str | None]:
    return {row["id"]: row["outcome"] for row in world.rows(tables.gateway_command)}


def in_force(world: World) -> str | None:
    """The order whose list the gateway says that it goes by."""
    (status,) = world.rows(tables.gateway_status)
    configuration: str | None = status["more"].get("configuration")
    return configuration


async def test_a_list_and_then_a_window_are_obeyed_and_told(
    world: World, broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "AGAIN_SECONDS", 1.0)
    clock = ManualClock(START)
    parts = world.parts(clock, mqtt_host=broker.host, mqtt_port=broker.port)
    radio, stop, ended = HandRadio(clock), asyncio.Event(), threading.Event()
    settings = Settings(
        id=GatewayId(world.gateway),
        key=world.key,
        spool=tmp_path / "spool.db",
        clock=None,
        mqtt=MqttSettings(host=broker.host, port=broker.port),
        adapters=(AdapterSettings(name="hand"),),
        devices=(),  # fresh from the shop: it knows of no device
    )
    listed = wish(world, Kind.CONFIGURATION, None)
    window = wish(world, Kind.PAIRING_WINDOW, OXIMETER, START + timedelta(seconds=1))
    ingest = threading.Thread(target=Ingest(parts, Broker(parts.settings, parts.wall)).run, args=(ended,))
    ingest.start()
    home = asyncio.create_task(run(settings, radio, Clocks(given=clock, real=clock), stop, QUICK))
    try:
        await asyncio.to_thread(wait_for, lambda: outcomes(world) == {listed: "obeyed", window: "obeyed"})
        assert [(each.address, each.kind) for each in radio.known] == [(OXIMETER, "oximeter")]
        assert (radio.enrolment.device, await radio.enrolment.passkey(OXIMETER)) == (OXIMETER, 7)
        await asyncio.to_thread(
            wait_for, lambda: world.rows(tables.gateway_status)[0]["more"].get("configuration") == listed
        )
        again = wish(world, Kind.MEASURE_AGAIN, OXIMETER)
        await asyncio.to_thread(
            wait_for, lambda: outcomes(world)[again] == "refused: this gateway has nothing to prompt with"
        )
    finally:
        stop.set()
        await home
        ended.set()
        await asyncio.to_thread(ingest.join)
