"""A gateway that falls silent without a last will."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from server.care import plans
from server.db import tables
from server.parts import Parts
from server.reports.recorded import replayed
from server.watch.drain import drain
from server.watch.evaluate import evaluate
from server.watch.gateways import SILENT_AFTER, Gateways
from tests.server.plans import activate
from tests.server.world import START, World
from vitals.clock import ManualClock
from vitals.topics import Lane

WALL = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
FAST = 60  # the installation's clock beside the wall
SECOND = timedelta(seconds=1)


class Time:
    """Both clocks of an installation whose own runs fast."""

    def __init__(self) -> None:
        self.wall, self.own = ManualClock(WALL), ManualClock(START)

    def passes(self, real: timedelta) -> None:
        self.wall.advance(real)
        self.own.advance(real * FAST)


def say(world: World, time: Time, *, online: bool = True) -> datetime:
    """A status of the gateway; returns when it came."""
    now = time.own.now()
    world.record(world.sealed(Lane.STATUS, b'{"online": true}' if online else b'{"online": false}'), now=now)
    return now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def parts(world: World, time: Time) -> Parts:
    return replace(world.parts(time.own), wall=time.wall)


def test_an_outage_is_opened_from_the_last_word_and_closed_by_the_next(world: World, parts: Parts, time: Time) -> None:
    gateways = Gateways(parts)
    for _ in range(4):  # as long as it speaks, nothing
        last = say(world, time)
        assert gateways.look() == 0
        time.passes(SECOND * 30)
    time.passes(SILENT_AFTER - SECOND * 31)
    assert gateways.look() == 0
    time.passes(SECOND)
    noticed = time.own.now()
    assert (gateways.look(), gateways.look()) == (1, 0)
    (outage,) = world.rows(tables.gateway_outage)
    assert (outage["starts_at"], outage["known_at"], outage["ends_at"]) == (last, noticed, None)
    assert [row["patient_id"] for row in world.rows(tables.due)] == [world.patient]
    time.passes(SECOND * 90)
    back = say(world, time)
    assert [row["ends_at"] for row in world.rows(tables.gateway_outage)] == [back]
    assert gateways.look() == 0


def test_a_last_will_and_our_own_standstill_open_no_second_outage(world: World, parts: Parts, time: Time) -> None:
    say(world, time)
    time.passes(timedelta(hours=5))
    gateways = Gateways(parts)  # we have just come back, and it has not had its time
    assert gateways.look() == 0
    say(world, time, online=False)
    time.passes(SILENT_AFTER * 2)
    assert gateways.look() == 0
    assert len(world.rows(tables.gateway_outage)) == 1


def test_two_that_watch_open_one_outage(world: World, parts: Parts, time: Time) -> None:
    say(world, time)
    both = Gateways(parts), Gateways(parts)
    assert [each.look() for each in both] == [0, 0]
    time.passes(SILENT_AFTER)
    assert sorted(each.look() for each in both) == [0, 1]


def test_a_replay_does_not_know_an_outage_before_it_was_noticed(world: World, parts: Parts, time: Time) -> None:
    """The morning's slot is over end to end between the last word and the notice: on a fast clock both come close."""
    activate(world)
    last = say(world, time)
    gateways = Gateways(parts)
    gateways.look()
    time.wall.advance(SILENT_AFTER)
    time.own.set(last + timedelta(hours=30))
    with world.database.write() as connection:
        evaluate(connection, world.patient, last + timedelta(hours=29))  # nobody knows yet: the patient's cause
    assert gateways.look() == 1
    assert drain(parts) == 1
    with world.database.read() as connection:
        plan = plans.active(connection, world.patient)
        verdict = replayed(connection, world.actor, world.patient)
    assert plan is not None
    assert [(each.start, each.end) for each in plan.offline] == [(last, None)]
    assert {row["body"]["cause"] for row in world.rows(tables.alert)} == {"patient"}
    assert (verdict.differences, verdict.not_covered) == ((), ())
