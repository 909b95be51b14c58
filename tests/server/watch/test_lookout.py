"""Parts of the real server are stopped, one at a time, and another part tells of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert
from structlog.testing import capture_logs

from server.app import Role
from server.db import tables
from server.ingest.mqtt import Broker
from server.ingest.worker import Ingest
from server.notify.channels import ChannelError, Channels, Notice
from server.notify.deliver import deliver
from server.notify.worker import Notify
from server.parts import Parts
from server.watch import beat
from server.watch.lookout import OPERATIONS, Lookout, disk_in_use
from server.watch.silence import BROKER, ROLE_SILENT, ROLES, Part
from server.watch.worker import Watch
from tests.broker import Mosquitto
from tests.server.gateway_stub import wait_for
from tests.server.world import START, World
from vitals.clock import ManualClock
from vitals.topics import Lane

WALL = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
TOO_LONG = ROLE_SILENT + timedelta(seconds=1)


class Line:
    """A way to operations that remembers what went over it; and a dead one."""

    name = "line"

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.is_dead = False

    def send(self, notice: Notice) -> None:
        if self.is_dead:
            raise ChannelError("nobody answers")
        assert notice.to == OPERATIONS
        self.sent.append(notice.text)


class Failing:
    name = "failing"

    def send(self, notice: Notice) -> None:
        raise ChannelError(f"{notice.number} is not taken")


@pytest.fixture
def wall() -> ManualClock:
    return ManualClock(WALL)


@pytest.fixture
def parts(world: World, wall: ManualClock) -> Parts:
    return replace(world.parts(ManualClock(START)), wall=wall)


@contextmanager
def running(role: Role) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=role.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def beats(parts: Parts, *, but: str = "") -> None:
    """Everybody else lives."""
    with parts.database.write() as connection:
        for role in (*ROLES, BROKER):
            if role != but:
                beat.stamp(connection, role, parts.wall.now())


def kinds(lookout: Lookout) -> list[Part]:
    return [each.part for each in lookout.look()]


def has_beaten(parts: Parts, role: str) -> bool:
    with parts.database.read() as connection:
        return beat.last(connection, role) == parts.wall.now()


@pytest.mark.parametrize("role", [Watch, Notify])
def test_a_role_that_ended_is_told_once_and_so_is_its_return(
    parts: Parts, wall: ManualClock, role: type[Watch] | type[Notify]
) -> None:
    line = Line()
    lookout = Lookout(parts, line)
    living: Role = Watch(parts) if role is Watch else Notify(parts, line)
    beats(parts, but=living.name)
    with running(living):
        wait_for(lambda: has_beaten(parts, living.name))
    assert kinds(lookout) == []
    wall.advance(TOO_LONG)
    beats(parts, but=living.name)
    assert [kinds(lookout), kinds(lookout)] == [[Part(living.name)]] * 2
    assert line.sent == [f"Varde: {living.name} is silent (no sign of life)."]
    assert f'varde_silent{{part="{living.name}"}} 1.0'.encode() in parts.metrics.text()
    with running(Watch(parts) if role is Watch else Notify(parts, line)):
        wait_for(lambda: has_beaten(parts, living.name))
    assert kinds(lookout) == []
    assert f'varde_silent{{part="{living.name}"}} 0.0'.encode() in parts.metrics.text()


def test_a_broker_that_went_is_told_by_an_ingest_that_lives(world: World, wall: ManualClock, broker: Mosquitto) -> None:
    parts = replace(world.parts(ManualClock(START), mqtt_host=broker.host, mqtt_port=broker.port), wall=wall)
    lookout = Lookout(parts, Line())
    with running(Ingest(parts, Broker(parts.settings, parts.clock))):
        wait_for(lambda: has_beaten(parts, BROKER) and has_beaten(parts, "ingest"))
        beats(parts, but="ingest")
        assert kinds(lookout) == []
        broker.kill()
        wait_for(lambda: not parts.broker_up.is_set())
        wall.advance(TOO_LONG)
        with parts.database.write() as connection:
            for role in ("watch", "notify", "web"):
                beat.stamp(connection, role, wall.now())
        wait_for(lambda: has_beaten(parts, "ingest"))
        assert kinds(lookout) == [Part.BROKER]


def test_a_database_that_may_only_be_read_is_told_and_nobody_else_is_accused(parts: Parts, wall: ManualClock) -> None:
    line = Line()
    lookout = Lookout(parts, line)
    beats(parts)
    assert kinds(lookout) == []
    words = "PRAGMA query_only=ON" if parts.database.is_embedded else "SET TRANSACTION READ ONLY"

    def refuse(connection: Connection) -> None:
        connection.exec_driver_sql(words)

    engine: Any = parts.database._writing
    event.listen(engine, "begin", refuse)
    wall.advance(TOO_LONG)
    # They live on, and cannot say so; what they log of it is long to print.
    with capture_logs(), running(Watch(parts)), running(Notify(parts, line)):
        assert kinds(lookout) == [Part.DATABASE]
    assert "cannot be written" in line.sent[0]
    assert parts.findings.silent[0].since == wall.now()
    event.remove(engine, "begin", refuse)
    beats(parts)
    assert kinds(lookout) == []


@pytest.mark.parametrize("address", ["file"], indirect=True)  # the cluster is everybody's, and the path is the same
def test_a_database_that_is_gone_is_told(parts: Parts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = Line()
    lookout = Lookout(parts, line)
    parts.database.close()
    for file in tmp_path.glob("varde.db*"):
        file.write_bytes(b"not a database any more")
    assert kinds(lookout) == [Part.DATABASE]
    assert "cannot be read" in line.sent[0]


def test_a_full_disk_is_told_before_it_is_full(parts: Parts, tmp_path: Path) -> None:
    line = Line()
    beats(parts)
    assert kinds(Lookout(parts, line, disk=lambda folder: 0.96)) == [Part.DISK]
    assert line.sent == ["Varde: disk is silent (96% of the disk is in use)."]
    assert 0 < disk_in_use(tmp_path) < 1


@pytest.fixture
def waiting(world: World) -> World:
    whose = {"municipality_id": world.municipality, "patient_id": world.patient}
    with world.database.write() as connection:
        fact: Any = connection.execute(insert(tables.fact).values(**whose, at=START, kind="notice"))
        row: dict[str, Any] = whose | {"to": "primary", "state": "waiting", "created_at": START}
        connection.execute(insert(tables.outbox).values(**row, fact_seq=fact.inserted_primary_key[0]))
    return world


def test_a_dead_channel_and_an_outbox_that_nobody_empties(waiting: World, parts: Parts, wall: ManualClock) -> None:
    line = Line()
    lookout = Lookout(parts, line)
    assert lookout.look() == ()
    wall.advance(timedelta(seconds=30))
    beats(parts)
    assert kinds(lookout) == [Part.OUTBOX]
    for _ in range(3):
        assert deliver(parts, Channels(last=Failing())) == 1
        wall.advance(timedelta(seconds=20))
    beats(parts)
    assert kinds(lookout) == [Part.CHANNEL]
    assert len(line.sent) == 2  # by a way that neither of them is on
    line.is_dead = True
    wall.advance(TOO_LONG)
    assert set(kinds(lookout)) > {Part.WATCH, Part.NOTIFY}  # that nobody can be told is not the end of the looking


def test_a_gateway_that_is_offline_is_logged_and_counted_but_is_no_fault_of_ours(world: World, parts: Parts) -> None:
    line = Line()
    lookout = Lookout(parts, line)
    beats(parts)
    world.record(world.sealed(Lane.STATUS, b'{"online": false}'))
    (found,) = lookout.look()
    assert (found.part, found.subject, found.since) == (Part.GATEWAY, world.gateway, START)
    assert line.sent == []
    assert b'varde_silent{part="gateway"} 1.0' in parts.metrics.text()
