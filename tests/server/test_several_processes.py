"""Several processes on one PostgreSQL, each as far as a connection pool makes it one: what they do to each other."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection, func, select

from alerts.command import Action as Signal
from alerts.command import IllegalSignal
from server.access import system
from server.actions import Click, act
from server.app import build
from server.care import kits, people
from server.care.people import NotFoundError
from server.db import tables
from server.db.engine import Database
from server.ingest import batch, worker
from server.ingest.mqtt import Broker, Incoming
from server.ingest.worker import Ingest
from server.notify.channels import Channels, LogChannel
from server.notify.deliver import deliver
from server.parts import Parts
from server.reports.recorded import replayed
from server.settings import Settings
from server.watch.drain import drain
from tests import postgres
from tests.broker import Mosquitto
from tests.server.gateway_stub import GatewayStub, wait_for
from tests.server.plans import activate
from tests.server.test_app import serving
from tests.server.world import START, World, make_world
from vitals.clock import ScaledClock, SystemClock
from vitals.topics import Lane

pytestmark = pytest.mark.parametrize("address", ["cluster"], indirect=True)

_SENT = 24
_AN_HOUR_AGO = START - timedelta(hours=1)
_PAUSE_S = 0.003  # of a loop that found nothing, so that the others get their share of the machine


@dataclass
class Link:
    """The broker as a batch sees it: counts what was acknowledged."""

    acknowledged: list[Incoming] = field(default_factory=list)

    def acknowledge(self, batch: Sequence[Incoming]) -> None:
        self.acknowledged += batch

    def publish(self, _topic: str, _payload: bytes) -> None:
        """Receipts are of no concern here."""


_CLOCK = ScaledClock(epoch=START, started=SystemClock().now(), factor=100)  # one for all, as processes share a file


def process(world: World) -> Parts:
    """What a further process would have: its own connections to the same database. Close its database."""
    parts = world.parts(_CLOCK)
    return replace(parts, database=Database(world.database.address))


def together(*work: Callable[[], None]) -> None:
    """Do everything at the same time; raises what any of it raised."""
    failed: list[BaseException] = []
    start = threading.Barrier(len(work))

    def one(do: Callable[[], None]) -> None:
        start.wait()
        try:
            do()
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=one, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not failed, failed


def incoming(messages: list[tuple[str, bytes]]) -> list[Incoming]:
    return [Incoming(topic=t, payload=p, mid=n, connection=1) for n, (t, p) in enumerate(messages)]


def test_two_that_receive_the_same_messages_store_each_once_and_answer_for_all(world: World) -> None:
    readings = [world.reading(number=n, taken_at=START - timedelta(minutes=n)) for n in range(300)]
    status = [world.sealed(Lane.STATUS, b'{"online": false}')]
    broken = [world.sealed(Lane.READINGS, b'{"number": %d}' % n) for n in range(20)]
    messages = [*readings, *broken, *status]
    links = Link(), Link()
    ours = process(world), process(world)
    stop = threading.Event()
    began = time.monotonic()

    def receive(number: int) -> None:
        role = Ingest(ours[number], cast("Broker", links[number]))
        order = messages if number == 0 else messages[::-1]
        for start in range(0, len(order), 40):
            role.handle(incoming(order[start : start + 40]), stop)

    together(lambda: receive(0), lambda: receive(1))
    for parts in ours:
        parts.database.close()
    print(f"\n{time.monotonic() - began:.2f} s")
    assert [len(each.acknowledged) for each in links] == [len(messages)] * 2
    assert len({row["id"] for row in world.rows(tables.reading)}) == 300
    assert world.count(tables.reading) == 300
    assert world.count(tables.measurement) == 600
    assert {row["times"] for row in world.rows(tables.quarantine)} == {2}
    assert world.count(tables.quarantine) == 20
    assert world.count(tables.gateway_outage) == 1


@dataclass
class Morning:
    """One patient whom everybody works on at once."""

    world: World
    over: threading.Event = field(default_factory=threading.Event)
    clicks: int = 0

    def measure(self) -> None:
        """Record a reading in a transaction of its own, again and again."""
        parts = process(self.world)
        with closing(parts.database):
            role = Ingest(parts, cast("Broker", Link()))
            for number in range(_SENT):
                values = {"spo2": Decimal(86 if number % 8 < 4 else 97), "pulse": Decimal(70)}
                sealed = self.world.reading(number=number, values=values, taken_at=parts.clock.now())
                role.handle(incoming([sealed]), threading.Event())
        self.over.set()

    def judge(self) -> None:
        """Look who is due, again and again."""
        parts = process(self.world)
        with closing(parts.database):
            while not self.over.wait(_PAUSE_S):
                drain(parts)

    def tell(self) -> None:
        """Deliver what waits, again and again."""
        parts = process(self.world)
        with closing(parts.database):
            while not self.over.wait(_PAUSE_S):
                deliver(parts, Channels(last=LogChannel()))

    def click(self) -> None:
        """Acknowledge whatever is active, and give it back."""
        parts = process(self.world)
        with closing(parts.database):
            while not self.over.wait(_PAUSE_S):
                for alert in self.world.rows(tables.alert):
                    signal = Signal.ACKNOWLEDGE if alert["state"] == "active" else Signal.RELEASE
                    try:
                        with parts.database.write() as connection:
                            given = Click(alert=alert["id"], signal=signal)
                            act(connection, self.world.actor, given, parts.clock.now())
                        self.clicks += 1
                    except (IllegalSignal, NotFoundError):  # somebody or the time was quicker
                        continue


def test_who_records_judges_tells_and_clicks_at_once_lose_nothing_and_do_nothing_twice(world: World) -> None:
    activate(world)
    morning = Morning(world=world)
    together(morning.measure, morning.judge, morning.judge, morning.click, morning.tell, morning.tell)
    parts = process(world)
    with closing(parts.database):
        # Not one wake-up is lost: whoever has an unjudged reading is still due, unless it was known to be quiet.
        while drain(parts):
            pass
        while deliver(parts, Channels(last=LogChannel())):
            pass
    readings = world.rows(tables.reading)
    print(f"\n{len(readings)} readings, {world.count(tables.evaluation)} evaluations, {morning.clicks} clicks")
    assert len(readings) == _SENT
    assert morning.clicks > 0
    assert [row["seq"] for row in readings if row["evaluation_seq"] is None and not row["quiet"]] == []
    with world.database.read() as connection:
        verdict = replayed(connection, system(), world.patient)
    assert verdict.equal, verdict
    assert verdict.facts == world.count(tables.fact) > 0
    notices = [row["seq"] for row in world.rows(tables.fact) if row["kind"] == "notice"]
    assert sorted(row["fact_seq"] for row in world.rows(tables.outbox)) == notices
    told = [row["seq"] for row in world.rows(tables.outbox)]
    assert sorted(row["outbox_seq"] for row in world.rows(tables.attempt)) == told


@dataclass
class Oximeter:
    """One that goes back and forth between two patients every minute, written down while its readings arrive."""

    world: World
    patients: tuple[str, str]
    minutes: int = 30
    over: threading.Event = field(default_factory=threading.Event)

    def measure(self, half: int) -> None:
        """Record this half of each minute's readings, three at a time."""
        parts = process(self.world)
        with closing(parts.database):
            role = Ingest(parts, cast("Broker", Link()))
            taken = [_AN_HOUR_AGO + timedelta(minutes=minute, seconds=10 + 30 * half) for minute in range(self.minutes)]
            sealed = [self.world.reading(number=2 * n + half, taken_at=at) for n, at in enumerate(taken)]
            for first in range(0, len(sealed), 3):
                role.handle(incoming(sealed[first : first + 3]), threading.Event())

    def hand_over(self) -> None:
        """Take it back from the one and give it to the other, at the turn of each minute."""
        held = self.world.assignment
        parts = process(self.world)
        with closing(parts.database):
            for minute in range(1, self.minutes):
                at = _AN_HOUR_AGO + timedelta(minutes=minute)
                given = kits.NewAssignment(
                    device=self.world.device,
                    patient=self.patients[minute % 2],
                    gateway=self.world.gateway,
                    starts_at=at,
                )
                with parts.database.write() as connection:
                    kits.end_assignment(connection, held, at, parts.clock.now())
                    held = kits.assign(connection, given, parts.clock.now())

    def judge(self) -> None:
        """Look who is due, again and again."""
        parts = process(self.world)
        with closing(parts.database):
            while not self.over.wait(_PAUSE_S):
                drain(parts)

    def be_used(self) -> None:
        """Measure and go back and forth, and then let nobody judge any more."""
        together(lambda: self.measure(0), lambda: self.measure(1), self.hand_over)
        self.over.set()


def test_each_reading_of_a_device_that_changes_hands_meanwhile_is_with_whoever_had_it(world: World) -> None:
    new = people.NewPatient(municipality=world.municipality, team=world.team, person=people.Person(name="Second"))
    with world.database.write() as connection:
        second = people.enrol_patient(connection, world.vault, new, START)
    activate(world)
    activate(replace(world, patient=second))
    oximeter = Oximeter(world=world, patients=(world.patient, second))
    together(oximeter.be_used, oximeter.judge)
    parts = process(world)
    with closing(parts.database):
        while drain(parts):
            pass
    readings = world.rows(tables.reading)
    assert len(readings) == 2 * oximeter.minutes
    assert [(row["patient_id"], row["unclaimed"]) for row in readings] == [
        (oximeter.patients[(row["taken_at"] - _AN_HOUR_AGO) // timedelta(minutes=1) % 2], None) for row in readings
    ]
    assert [row["seq"] for row in readings if row["evaluation_seq"] is None and not row["quiet"]] == []
    assert {(row["reading_seq"], row["patient_id"]) for row in world.rows(tables.measurement)} == {
        (row["seq"], row["patient_id"]) for row in readings
    }


def test_a_connection_that_is_killed_in_a_transaction_leaves_nothing_half_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    activate(world)
    parts = process(world)
    real = batch.take_in
    killed: list[int] = []

    def and_die(connection: Connection, *given: Any, **named: Any) -> batch.TakenIn:
        done = real(connection, *given, **named)
        if not killed:  # everything is written, nothing is committed
            killed.append(connection.execute(select(func.pg_backend_pid())).scalar_one())
            with world.database.write() as other:
                other.execute(select(func.pg_terminate_backend(killed[0], 5000)))
        return done

    monkeypatch.setattr(worker, "take_in", and_die)
    monkeypatch.setattr(worker, "_RETRY_SECONDS", 0.01)
    with closing(parts.database):
        role = Ingest(parts, cast("Broker", link := Link()))
        role.handle(incoming([world.reading(number=n) for n in range(5)]), threading.Event())
    assert killed
    assert len(link.acknowledged) == 5
    assert world.count(tables.reading) == 5
    assert b"varde_ingest_batch_failures_total 1.0" in parts.metrics.text()


@pytest.mark.parametrize("how", ["immediate", "fast"])
def test_a_database_that_was_restarted_is_found_again_by_every_role(
    how: str, address: str, broker: Mosquitto, tmp_path: Path
) -> None:
    with postgres.running(durable=False) as cluster, cluster.migrated() as own:
        database = Database(own)
        world = make_world(database, tmp_path)
        activate(world)
        settings = Settings(data=tmp_path, database=own, web_port=0, mqtt_host=broker.host, mqtt_port=broker.port)
        clock = ScaledClock(epoch=START, started=SystemClock().now(), factor=1)
        with serving(build(settings, clock)), GatewayStub(broker, world.gateway, world.key) as gateway:
            gateway.publish(*world.reading(number=1, taken_at=START - timedelta(minutes=3)))
            wait_for(lambda: len(gateway.accepted()) == 1)
            cluster.stop(how)
            gateway.publish(
                *world.reading(number=2, taken_at=START - timedelta(minutes=2), values={"spo2": Decimal(85)})
            )
            cluster.start()
            wait_for(lambda: len(gateway.accepted()) >= 2)
            wait_for(lambda: [row for row in world.rows(tables.outbox) if row["state"] == "sent"])
        assert world.count(tables.reading) == 2
        assert [row["evaluation_seq"] for row in world.rows(tables.reading) if row["evaluation_seq"] is None] == []
        database.close()
