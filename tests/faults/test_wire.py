"""What comes often, late, in no order or with a wrong time, over a real broker and on both databases.

The rules' side of this (any order comes to the same) is what properties and simulation hold; here it is the whole
server that gets it, as gateways would send it.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from server.access import system
from server.db import tables
from server.ingest.mqtt import Broker
from server.ingest.worker import Ingest
from server.parts import Parts
from server.reports.recorded import replayed
from server.watch.drain import drain
from tests.broker import Mosquitto
from tests.faults.lines import serving
from tests.server.gateway_stub import GatewayStub, wait_for
from tests.server.plans import activate
from tests.server.world import START, World, an_id
from vitals.clock import ManualClock

SEED = 20261122
MINUTE, HOUR, DAY, YEAR = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=365)


def sealed(world: World, number: int, taken_at: datetime, spo2: int = 97) -> tuple[str, bytes]:
    return world.reading(number=number, values={"spo2": Decimal(spo2), "pulse": Decimal(70)}, taken_at=taken_at)


@contextmanager
def connected(world: World, parts: Parts, broker: Mosquitto) -> Iterator[GatewayStub]:
    """The world's gateway, once the server hears what it says."""
    link = Broker(parts.settings, parts.clock)
    with serving(Ingest(parts, link)), GatewayStub(broker, world.gateway, world.key) as gateway:
        wait_for(lambda: link.connected)
        yield gateway


def send(gateway: GatewayStub, parts: Parts, messages: Sequence[tuple[str, bytes]], receipts: int) -> None:
    """Publish, wait until so many more ids are receipted, and ask the rules."""
    before = len(gateway.accepted())
    gateway.publish_many(list(messages))
    wait_for(lambda: len(gateway.accepted()) - before >= receipts)
    while drain(parts):
        pass


def test_what_comes_ten_times_and_in_no_order_is_stored_once_and_judged_right(world: World, broker: Mosquitto) -> None:
    chance = random.Random(SEED)
    activate(world)
    clock = ManualClock(START + HOUR)
    parts = world.parts(clock, mqtt_port=broker.port)
    ill = {7, 8, 23}
    today = [(n, START - 10 * HOUR + n * 15 * MINUTE, 86 if n in ill else 97) for n in range(40)]
    month_ago = [(n, START - 30 * DAY + n * MINUTE, 80) for n in range(100, 110)]  # before anybody had the device
    messages = [sealed(world, *each) for each in (*today, *month_ago)]
    often = [each for each in messages for _ in range(chance.randint(1, 10))]
    chance.shuffle(often)
    with connected(world, parts, broker) as gateway:
        for start in range(0, len(often), 60):
            send(gateway, parts, often[start : start + 60], len(often[start : start + 60]))
        judged = Counter(row["kind"] for row in world.rows(tables.fact))
        clock.advance(7 * DAY)
        rows = world.rows(tables.reading)
        send(gateway, parts, messages, len(messages))
    stored = world.rows(tables.reading)
    assert Counter(row["id"] for row in stored) == Counter([an_id(n) for n, _, _ in (*today, *month_ago)])
    assert world.count(tables.measurement) == 2 * len(stored)
    assert [row["evaluation_seq"] for row in stored] == [row["evaluation_seq"] for row in rows]
    assert {row["unclaimed"] for row in stored if row["taken_at"] < START - DAY} == {"not_assigned"}
    assert judged["raised"] == 1  # one open alert a rule, whatever the order; and none of a month ago
    (low,) = [row for row in world.rows(tables.alert) if row["rule"] == "spo2_low"]
    assert (low["priority"], low["late"], low["condition"]) == ("medium", True, False)  # began and ended unseen
    with world.database.read() as connection:
        verdict = replayed(connection, system(), world.patient)
    assert verdict.equal, verdict
    assert verdict.facts == world.count(tables.fact)


@pytest.mark.parametrize("years", [-10, 10])
def test_a_gateway_whose_clock_is_years_off_harms_nobody(world: World, broker: Mosquitto, years: int) -> None:
    """Years behind: nobody's, and shown as such. Years ahead: not taken, and shown. What is right is judged as ever."""
    activate(world)
    parts = world.parts(ManualClock(START), mqtt_port=broker.port)
    wrong = [sealed(world, n, START + years * YEAR + n * MINUTE, spo2=80) for n in range(3)]
    right = [sealed(world, n, START - (20 - n) * MINUTE, spo2=86) for n in range(10, 12)]
    taken = [*wrong, *right] if years < 0 else right
    with connected(world, parts, broker) as gateway:
        send(gateway, parts, [wrong[0], right[0], wrong[1], right[1], wrong[2]], len(taken))
        wait_for(lambda: world.count(tables.reading) + world.count(tables.quarantine) >= 5)
    shown = Counter(row["kind"] for row in world.rows(tables.quarantine))
    unclaimed = Counter(row["unclaimed"] for row in world.rows(tables.reading))
    if years < 0:
        assert (unclaimed["not_assigned"], unclaimed[None]) == (3, 2)
    else:
        assert (unclaimed[None], shown["future_time"]) == (2, 3)
    (low,) = world.rows(tables.alert)
    assert str(low["why"]["value"]) == "86"


def test_a_clock_that_jumps_an_hour_in_mid_stream_and_back(world: World, broker: Mosquitto) -> None:
    """Behind is late; ahead stays with its gateway until the server is there; no good value ahead hides an ill one."""
    activate(world)
    clock = ManualClock(START)
    parts = world.parts(clock, mqtt_port=broker.port)
    with connected(world, parts, broker) as gateway:
        send(gateway, parts, [sealed(world, 1, START - MINUTE)], 1)
        ahead = sealed(world, 2, START + HOUR)
        send(gateway, parts, [ahead, sealed(world, 3, START - HOUR), sealed(world, 4, START + 14 * MINUTE)], 2)
        assert an_id(2) not in gateway.accepted()
        assert world.count(tables.alert) == 0
        clock.advance(2 * MINUTE)
        send(gateway, parts, [sealed(world, 5, clock.now(), spo2=86)], 1)
        (low,) = world.rows(tables.alert)
        assert (low["condition"], str(low["why"]["value"])) == (True, "86")
        clock.advance(HOUR)
        send(gateway, parts, [ahead], 1)  # as its gateway does, again and again
    assert an_id(2) in gateway.accepted()
    assert {row["id"] for row in world.rows(tables.reading)} == {an_id(n) for n in range(1, 6)}
    with world.database.read() as connection:
        assert replayed(connection, system(), world.patient).equal
