"""The whole server in this process: a sealed reading over a real broker becomes an alert over HTTP."""

import gc
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import server.app as app_module
from server.access import Role
from server.app import App, build, keep_running
from server.care.credentials import NewToken, create_token
from server.db import tables
from server.settings import Settings
from server.vault import VaultError
from tests.broker import Mosquitto
from tests.server.gateway_stub import GatewayStub, wait_for
from tests.server.plans import activate
from tests.server.world import START, World, an_id
from vitals.clock import ManualClock


@contextmanager
def serving(app: App) -> Iterator[str]:
    stop = threading.Event()
    running = threading.Thread(target=app.run, args=(stop,))
    running.start()
    try:
        assert app.url is not None
        url = app.url
        wait_for(lambda: answers(f"{url}/readyz"))
        yield url
    finally:
        stop.set()
        running.join(15)
        assert not running.is_alive()


def answers(url: str) -> bool:
    try:
        return fetch(url)[0] == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def fetch(url: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=10) as answer:
        return answer.status, json.loads(answer.read())


def settings_for(world: World, broker: Mosquitto) -> Settings:
    address = world.database.address
    return Settings(data=world.folder, database=address, web_port=0, mqtt_host=broker.host, mqtt_port=broker.port)


def test_a_reading_becomes_an_alert_within_moments(world: World, broker: Mosquitto) -> None:
    activate(world)
    with world.database.write() as connection:
        new = NewToken(municipality=world.municipality, role=Role.NURSE, label="test", team=world.team)
        headers = {"Authorization": f"Bearer {create_token(connection, new, START)}"}
    app = build(settings_for(world, broker), ManualClock(START))
    with serving(app) as url, GatewayStub(broker, world.gateway, world.key) as gateway:
        sent = time.monotonic()
        gateway.publish(*world.reading(number=9, values={"spo2": Decimal(88)}))
        wait_for(lambda: fetch(f"{url}/api/v1/alerts?state=active", headers)[1]["items"])
        took = time.monotonic() - sent
        wait_for(gateway.accepted)
        (item,) = fetch(f"{url}/api/v1/alerts?state=active", headers)[1]["items"]
        wait_for(lambda: world.rows(tables.attempt))
    assert (item["patient"], item["why"]["reading_id"]) == (world.patient, an_id(9))
    assert took < 2, f"{took:.3f} s; a nudge should make it some tens of milliseconds"
    assert {row["outcome"] for row in world.rows(tables.attempt)} == {"sent"}
    assert {row["state"] for row in world.rows(tables.outbox)} == {"sent"}


def test_a_role_that_fails_is_started_again() -> None:
    class Fails:
        name = "fails"
        runs = 0

        def run(self, stop: threading.Event) -> None:
            self.runs += 1
            if self.runs < 2:
                raise ZeroDivisionError
            stop.set()

    role = Fails()
    keep_running(role, threading.Event())
    assert role.runs == 2


def test_where_little_happens_memory_is_given_back_by_the_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Node:
        def __init__(self) -> None:
            self.ring = self

    class Idle:
        name = "idle"

        def run(self, stop: threading.Event) -> None:
            stop.wait()

    monkeypatch.setattr(app_module, "_TIDY_SECONDS", 0.01)
    gc.disable()  # it would not come by itself for a long time
    try:
        left = weakref.ref(Node())
        assert left() is not None
        stop = threading.Event()
        running = threading.Thread(target=App(parts=world.parts(), roles=[Idle()], url=None).run, args=(stop,))
        running.start()
        try:
            wait_for(lambda: left() is None)
        finally:
            stop.set()
            running.join()
    finally:
        gc.enable()


def test_a_taken_port_is_known_before_anything_runs(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        build(
            Settings(data=world.folder, database=world.database.address, web_port=taken.getsockname()[1]),
            ManualClock(START),
        )


def test_a_database_without_its_key_is_not_opened(world: World) -> None:
    (world.folder / "vault.key").unlink()
    with pytest.raises(VaultError, match="missing"):
        build(Settings(data=world.folder, database=world.database.address, web_port=0), ManualClock(START))


def test_an_empty_folder_becomes_an_installation(tmp_path: Path) -> None:
    app = build(Settings(data=tmp_path / "new", web_port=0), ManualClock(START))
    assert [role.name for role in app.roles] == ["ingest", "watch", "notify", "lookout", "web"]
    assert (tmp_path / "new" / "vault.key").exists()
    app.close()


def test_a_role_without_pages_does_not_wait_for_the_web_framework() -> None:
    program = (
        "import sys, server.app; print([name for name in ('fastapi', 'jinja2', 'uvicorn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
