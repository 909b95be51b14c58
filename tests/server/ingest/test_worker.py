"""The ingest role against a real broker."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from server.db import tables
from server.ingest.mqtt import Broker
from server.ingest.waiting import PLENTY
from server.ingest.worker import Ingest
from server.parts import Parts
from tests.broker import Mosquitto
from tests.server.gateway_stub import GatewayStub, wait_for
from tests.server.world import START, World, an_id
from vitals.clock import ManualClock
from vitals.seal import seal
from vitals.topics import Lane, gateway_id, topic
from vitals.wire import Receipt, render_receipt


def parts_for(world: World, broker: Mosquitto) -> Parts:
    return world.parts(ManualClock(START + timedelta(days=1)), mqtt_host=broker.host, mqtt_port=broker.port)


@contextmanager
def running(parts: Parts) -> Iterator[Ingest]:
    link = Broker(parts.settings, parts.clock)
    role, stop = Ingest(parts, link), threading.Event()
    thread = threading.Thread(target=role.run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: link.connected)
        yield role
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_a_reading_is_stored_receipted_and_nudges_the_watch(world: World, broker: Mosquitto) -> None:
    parts = parts_for(world, broker)
    with running(parts), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish(*world.reading())
        assert parts.wake_watch.wait(10)
        wait_for(gateway.accepted)
    assert gateway.accepted() == [an_id(0)]
    assert world.count(tables.reading) == 1
    assert b'varde_readings_total{result="new"} 1.0' in parts.metrics.text()


def test_what_came_with_qos_0_is_not_acknowledged(world: World, broker: Mosquitto) -> None:
    with running(parts_for(world, broker)), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish(*world.reading(number=1), qos=0)
        wait_for(lambda: an_id(1) in gateway.accepted())
        gateway.publish(*world.reading(number=2))
        wait_for(lambda: an_id(2) in gateway.accepted())
    assert "protocol error" not in broker.log_tail()  # it hangs up on whoever acknowledges what has no number


def test_a_batch_gives_one_receipt_a_gateway_with_repeats_and_rejections(world: World, broker: Mosquitto) -> None:
    broken = world.sealed(Lane.READINGS, b'{"id": "%s", "values": {"spo3": 1}}' % an_id(99).encode())
    messages = [world.reading(number=n) for n in range(50)] + [world.reading(number=7), world.frame(), broken]
    with running(parts_for(world, broker)), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish_many(messages)
        wait_for(lambda: len(gateway.accepted()) == 52)
        wait_for(lambda: any(receipt.rejected for receipt in gateway.receipts))
    assert set(gateway.accepted()) == {an_id(n) for n in range(50)} | {an_id("frame 0")}
    assert [each.id for receipt in gateway.receipts for each in receipt.rejected] == [an_id(99)]
    assert len(gateway.receipts) < 20  # batched, not one by one
    assert world.count(tables.reading) == 50


def test_a_role_that_ended_hears_again_when_it_is_started_again(world: World, broker: Mosquitto) -> None:
    parts = parts_for(world, broker)
    link = Broker(parts.settings, parts.clock)
    for number in range(2):
        role, stop = Ingest(parts, link), threading.Event()
        thread = threading.Thread(target=role.run, args=(stop,))
        thread.start()
        with GatewayStub(broker, world.gateway, world.key) as gateway:
            wait_for(lambda: link.connected)
            gateway.publish(*world.reading(number=number))
            wait_for(gateway.accepted)
        stop.set()
        thread.join(10)
    assert world.count(tables.reading) == 2


def test_a_reading_ahead_of_our_clock_is_kept_and_stays_with_its_gateway(world: World, broker: Mosquitto) -> None:
    early = parts_for(world, broker).clock.now() + timedelta(minutes=16)
    with running(parts_for(world, broker)), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish(*world.reading(number=1, taken_at=early))
        gateway.publish(*world.reading(number=2))  # its receipt proves that the one before it was dealt with
        wait_for(gateway.accepted)
    assert gateway.accepted() == [an_id(2)]
    assert not [each for receipt in gateway.receipts for each in receipt.rejected]
    assert world.count(tables.quarantine) == 1


def test_a_foreign_gateway_is_kept_and_gets_no_receipt(world: World, broker: Mosquitto) -> None:
    where, payload = world.reading(number=5)
    forged = world.sealed(Lane.READINGS, payload.partition(b"\n")[2], key=b"other key")
    with running(parts_for(world, broker)), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish(*forged)
        gateway.publish(where, payload)  # its receipt proves that the forged one before it was dealt with
        wait_for(gateway.accepted)
    assert gateway.accepted() == [an_id(5)]
    assert all(not receipt.rejected for receipt in gateway.receipts)
    assert [row["kind"] for row in world.rows(tables.quarantine)] == ["foreign_gateway"]


def test_what_came_while_the_server_was_away_waits_at_the_broker(world: World, broker: Mosquitto) -> None:
    parts = parts_for(world, broker)
    with running(parts):
        pass
    with GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish_many([world.reading(number=n) for n in range(300)])
        with running(parts):
            wait_for(lambda: world.count(tables.reading) == 300)
            wait_for(lambda: len(set(gateway.accepted())) == 300)


def test_a_broker_that_lost_everything_is_found_again(world: World, broker: Mosquitto) -> None:
    with running(parts_for(world, broker)) as role:
        broker.kill()
        broker.wipe()
        broker.start()
        wait_for(lambda: role._broker.connected)
        with GatewayStub(broker, world.gateway, world.key) as gateway:
            wait_for(lambda: _published_until_accepted(gateway, world))


def _published_until_accepted(gateway: GatewayStub, world: World) -> bool:
    gateway.publish(*world.reading())
    return bool(gateway.accepted())


def test_nothing_is_said_before_the_commit(world: World, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database refuses, no receipt and no acknowledgement; once it can, both, and nothing is lost."""
    parts = parts_for(world, broker)
    refusing, real, refused = threading.Event(), Ingest.store, []
    refusing.set()

    def store(self: Ingest, batch: Any) -> Any:
        if refusing.is_set():
            refused.append(batch)
            raise OperationalError("INSERT", {}, OSError("disk full"))
        return real(self, batch)

    monkeypatch.setattr(Ingest, "store", store)
    monkeypatch.setattr("server.ingest.worker._RETRY_SECONDS", 0.01)
    with running(parts), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish(*world.reading())
        wait_for(lambda: len(refused) > 3)
        assert b"varde_ingest_batch_failures_total 0.0" not in parts.metrics.text()
        assert gateway.receipts == []
        refusing.clear()
        wait_for(gateway.accepted)
    assert world.count(tables.reading) == 1


def test_while_one_batch_waits_for_the_database_a_second_loop_stores_the_next(
    world: World, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_for(world, broker)
    real, held, may_go = Ingest.store, threading.Event(), threading.Event()

    def store(self: Ingest, batch: Any) -> Any:
        if not held.is_set():
            held.set()
            assert may_go.wait(30)
        return real(self, batch)

    monkeypatch.setattr(Ingest, "store", store)
    with running(parts), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish(*world.reading(number=0))
        assert held.wait(10)
        gateway.publish_many([world.reading(number=number) for number in range(1, PLENTY + 1)])
        wait_for(lambda: len(gateway.accepted()) >= PLENTY)
        assert an_id(0) not in gateway.accepted()
        may_go.set()
        wait_for(lambda: len(gateway.accepted()) == PLENTY + 1)
    assert world.count(tables.reading) == PLENTY + 1


def test_receipts_wait_for_a_broker_that_is_slower_than_we_are(
    world: World, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.ingest.mqtt._RECEIPTS_WAITING_MAX", 5)
    monkeypatch.setattr("server.ingest.mqtt._RECEIPTS_INFLIGHT_MAX", 1)
    parts = parts_for(world, broker)
    link = Broker(parts.settings, parts.clock)
    with GatewayStub(broker, world.gateway, world.key) as gateway:
        link.open()
        try:
            wait_for(lambda: link.connected)
            where = topic(world.gateway, Lane.RECEIPTS)
            for number in range(300):
                link.publish(where, seal(world.key, where, render_receipt(Receipt(accepted=(an_id(number),)))))
            wait_for(lambda: len(gateway.accepted()) == 300)
        finally:
            link.close()


def test_a_receipt_never_waits_for_a_thread_that_waits_for_the_loop(
    world: World, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who listens to the broker makes room for receipts, and may himself wait until messages are taken."""
    monkeypatch.setattr("server.ingest.mqtt._RECEIPTS_WAITING_MAX", 2)
    monkeypatch.setattr("server.ingest.waiting.BYTES_MAX", 0)
    parts = parts_for(world, broker)
    link = Broker(parts.settings, parts.clock)
    link._connected.set()
    telling = threading.Thread(target=lambda: [link.publish("told", b"") for _ in range(5)], daemon=True)
    telling.start()
    telling.join(10)
    has_ended = not telling.is_alive()
    link.close()
    assert has_ended


def test_a_second_loop_that_fails_ends_the_role(
    world: World, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Broker, "take_plenty", fail)
    parts = parts_for(world, broker)
    with pytest.raises(ZeroDivisionError):
        Ingest(parts, Broker(parts.settings, parts.clock)).run(threading.Event())


def test_one_message_that_we_fail_on_holds_up_nobody(
    world: World, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.ingest import batch

    real = batch.receive

    def fail_on_one(where: str, payload: bytes, *rest: Any) -> Any:
        if an_id(1).encode() in payload:
            raise ZeroDivisionError
        return real(where, payload, *rest)

    monkeypatch.setattr(batch, "receive", fail_on_one)
    with running(parts_for(world, broker)), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish_many([world.reading(number=n) for n in range(3)])
        wait_for(lambda: len(gateway.accepted()) == 2)
        wait_for(lambda: world.count(tables.quarantine) == 1)
    assert set(gateway.accepted()) == {an_id(0), an_id(2)}  # no receipt: the gateway keeps it and sends it again
    (row,) = world.rows(tables.quarantine)
    assert row["kind"] == "server_fault"
    assert "ZeroDivisionError" in row["reason"]


_DIES = """
import os, sys, threading, time
from pathlib import Path
from server.db.engine import Database
from server.ingest.mqtt import Broker
from server.ingest.waiting import PLENTY
from server.ingest.worker import Ingest
from server.parts import Parts
from server.settings import Settings
from server.vault import open_vault
from vitals.clock import SystemClock

settings = Settings(data=Path(sys.argv[1]), mqtt_port=int(sys.argv[2]), database=sys.argv[4])
parts = Parts(settings=settings, clock=SystemClock(), database=Database(settings.database_address),
              vault=open_vault(settings.vault_path, create=False))


def die(*_):
    time.sleep(0.3)  # what was said too early has left by then
    os._exit(9)


def say_when_up():
    while not broker.connected:
        time.sleep(0.01)
    print("up", flush=True)


setattr(Ingest, sys.argv[3], die)
broker = Broker(settings, SystemClock())
threading.Thread(target=say_when_up).start()
Ingest(parts, broker).run(threading.Event())
"""


@pytest.mark.parametrize(("killed_in", "stored"), [("store", 0), ("tell", 1)], ids=["before COMMIT", "after COMMIT"])
def test_killed_around_the_commit_nothing_is_lost_and_the_receipt_comes_next_time(
    world: World, address: str, broker: Mosquitto, killed_in: str, stored: int
) -> None:
    command = [sys.executable, "-c", _DIES, str(world.folder), str(broker.port), killed_in, address]
    with GatewayStub(broker, world.gateway, world.key) as gateway:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as dying:
            assert dying.stdout is not None
            assert b"up\n" in dying.stdout  # after whatever it says in its log
            gateway.publish(*world.reading(taken_at=START))
        assert dying.returncode == 9
        assert world.count(tables.reading) == stored
        assert gateway.receipts == []
        with running(parts_for(world, broker)):
            wait_for(gateway.accepted)  # the broker was not told either, so it sends it again
    assert gateway.accepted() == [an_id(0)]
    assert world.count(tables.reading) == 1


def test_our_receipts_are_not_taken_for_readings(world: World, broker: Mosquitto) -> None:
    with running(parts_for(world, broker)), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish(topic(gateway_id(world.gateway), Lane.COMMANDS), b"{}")
        gateway.publish(*world.reading())
        wait_for(gateway.accepted)
    assert world.count(tables.quarantine) == 0


def test_two_servers_share_the_readings_of_one_broker(world: World, broker: Mosquitto) -> None:
    clock = ManualClock(START + timedelta(days=1))
    shared = [
        world.parts(clock, mqtt_port=broker.port, mqtt_shared=True, mqtt_client_id=f"varde-ingest-{number}")
        for number in (1, 2)
    ]
    with running(shared[0]), running(shared[1]), GatewayStub(broker, world.gateway, world.key) as gateway:
        gateway.publish_many([world.reading(number=n) for n in range(200)])
        wait_for(lambda: len(set(gateway.accepted())) == 200)
    assert world.count(tables.reading) == 200
    for parts in shared:
        stored = parts.metrics.registry.get_sample_value("varde_readings_total", {"result": "new"})
        assert stored is not None
        assert 0 < stored < 200


def test_the_client_reads_in_lumps_and_what_it_acknowledged_never_comes_again(
    world: World, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buffered socket gets in by an inner name of the library; should that change one day, this says so."""
    sizes: list[int] = []
    plain = socket.socket.recv

    def counted(self: socket.socket, size: int, *flags: int) -> bytes:
        if threading.current_thread().name == "paho-mqtt-client-varde-ingest":
            sizes.append(size)
        return plain(self, size, *flags)

    monkeypatch.setattr(socket.socket, "recv", counted)
    with GatewayStub(broker, world.gateway, world.key) as gateway:
        with running(parts_for(world, broker)):
            gateway.publish_many([world.reading(number=n) for n in range(300)])
            wait_for(lambda: len(gateway.accepted()) == 300)
        again = parts_for(world, broker)
        with running(again):
            gateway.publish(*world.reading(number=300))
            wait_for(lambda: len(gateway.accepted()) == 301)
    assert sizes.count(1) == 0
    assert len(sizes) < 300
    assert b'varde_readings_total{result="new"} 1.0' in again.metrics.text()
    assert b'result="duplicate"} 0.0' in again.metrics.text()
