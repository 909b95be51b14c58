"""A device that its plan counts on and that nobody hears."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.plan import Plan
from server.care import kits, plans
from server.db import tables
from server.notify.channels import LogChannel
from server.parts import Parts
from server.watch.devices import Devices
from server.watch.expecting import within
from server.watch.lookout import Lookout
from server.watch.silence import Part
from tests.server.plans import activate, covid_plan
from tests.server.world import OXIMETER, START, World
from vitals.clock import ManualClock
from vitals.topics import Lane

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def parts(world: World, clock: ManualClock) -> Parts:
    return world.parts(clock)


@pytest.fixture
def plan(world: World) -> Plan:
    return activate(world)


def patience(plan: Plan) -> timedelta:
    found = within(plan, "oximeter")
    assert found is not None
    return found


def say(world: World, clock: ManualClock, heard: datetime | None = None, *, online: bool = True) -> None:
    """The gateway's status."""
    body = {"online": online, "heard": {} if heard is None else {OXIMETER: heard.isoformat()}}
    world.record(world.sealed(Lane.STATUS, json.dumps(body).encode()), now=clock.now())


def silences(world: World) -> list[tuple[datetime, bool]]:
    """Since when, and whether it is over."""
    return [(row["heard_at"], row["ends_at"] is not None) for row in world.rows(tables.device_silence)]


def test_it_is_silent_once_two_slots_passed_without_a_word(
    world: World, parts: Parts, clock: ManualClock, plan: Plan
) -> None:
    devices = Devices(parts)
    say(world, clock, START)
    clock.advance(patience(plan))
    assert devices.look() == 0
    clock.advance(MINUTE)
    assert [devices.look(), devices.look(), Devices(parts).look()] == [1, 0, 0]
    assert silences(world) == [(START, False)]


def test_a_word_without_a_value_ends_it(world: World, parts: Parts, clock: ManualClock, plan: Plan) -> None:
    devices = Devices(parts)
    say(world, clock, START)
    clock.advance(patience(plan) + MINUTE)
    assert devices.look() == 1
    say(world, clock, clock.now())
    assert devices.look() == 1
    assert silences(world) == [(START, True)]


def test_a_reading_is_a_word_though_the_status_has_forgotten_it(
    world: World, parts: Parts, clock: ManualClock, plan: Plan
) -> None:
    devices = Devices(parts)
    clock.advance(patience(plan) - timedelta(hours=1))
    world.record(world.reading(taken_at=clock.now()), now=clock.now())
    say(world, clock)  # a gateway that has just started
    clock.advance(timedelta(hours=2))
    assert devices.look() == 0
    clock.advance(patience(plan))
    assert devices.look() == 1


def test_the_gateway_is_blamed_and_not_its_devices(world: World, parts: Parts, clock: ManualClock, plan: Plan) -> None:
    devices = Devices(parts)
    say(world, clock, START)
    clock.advance(timedelta(hours=1))
    say(world, clock, online=False)
    clock.advance(patience(plan) * 2)
    assert devices.look() == 0
    say(world, clock, START)
    clock.advance(patience(plan) - timedelta(hours=1))
    assert devices.look() == 0
    clock.advance(MINUTE)
    assert devices.look() == 1


def test_who_owes_nothing_has_no_silent_device(world: World, parts: Parts, clock: ManualClock) -> None:
    clock.advance(timedelta(days=30))
    assert Devices(parts).look() == 0  # no plan
    activate(world, replace(covid_plan(), table={}))
    assert Devices(parts).look() == 0  # a plan that asks for nothing
    ended = activate(world, replace(covid_plan(), ends_at=START + MINUTE))
    assert Devices(parts).look() == 0
    assert within(ended, "oximeter") is not None


def test_it_is_over_when_the_plan_or_the_hands_change(
    world: World, parts: Parts, clock: ManualClock, plan: Plan
) -> None:
    devices = Devices(parts)
    clock.advance(patience(plan) + MINUTE)
    assert devices.look() == 1
    with world.database.write() as connection:
        later = replace(covid_plan(), starts_at=clock.now())
        plans.activate(connection, world.patient, later, world.nurse, clock.now())
    assert devices.look() == 1
    clock.advance(patience(plan) + MINUTE)
    assert devices.look() == 1
    with world.database.write() as connection:
        kits.end_assignment(connection, world.assignment, clock.now(), clock.now())
    assert devices.look() == 1
    assert [over for _, over in silences(world)] == [True, True]


def test_it_is_told_like_every_silence_and_is_no_fault_of_the_server(
    world: World, parts: Parts, clock: ManualClock, plan: Plan
) -> None:
    lookout = Lookout(parts, LogChannel())
    clock.advance(patience(plan) + MINUTE)
    assert Part.DEVICE not in [each.part for each in lookout.look()]
    Devices(parts).look()
    (found,) = [each for each in lookout.look() if each.part is Part.DEVICE]
    assert (found.subject, found.part.is_ours) == (world.device, False)
    assert b'varde_silent{part="device"} 1.0' in parts.metrics.text()


def test_a_round_over_many_is_made_of_looks_at_a_few(
    world: World, parts: Parts, clock: ManualClock, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.database.write() as connection:
        for number in range(5):
            kits.register_device(connection, world.municipality, f"02:56:41:98:00:{number:02X}", "oximeter")
    monkeypatch.setattr("server.watch.devices._AT_ONCE", 2)
    devices = Devices(parts)
    say(world, clock, START)
    clock.advance(patience(plan) + MINUTE)
    changed = [devices.look()]
    while not devices.at_the_end:
        changed.append(devices.look())
    assert (len(changed), sum(changed)) == (4, 1)  # six devices, and one look that finds no more
    assert silences(world) == [(START, False)]
