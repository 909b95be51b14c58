"""A pause is one more version of the plan that differs in nothing else, and says who set it, when and why."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alerts.plan import Period, to_mapping
from server.care import pauses, plans
from server.care.pauses import PauseError, Reason, Rest
from server.care.people import NotFoundError
from server.db import tables
from server.watch.evaluate import evaluate
from tests.server.plans import activate
from tests.server.world import START, World

DAY = timedelta(days=1)


def rest(world: World, **changed: object) -> Rest:
    given = {"starts_at": START, "ends_at": START + 3 * DAY, "reason": Reason.HOSPITAL} | changed
    return Rest(patient=world.patient, **given)  # type: ignore[arg-type]


def set_one(world: World, **changed: object) -> str:
    with world.database.write() as connection:
        return pauses.pause(connection, world.actor, rest(world, **changed), START)


def end(world: World, identity: str, days: int) -> None:
    with world.database.write() as connection:
        pauses.end(connection, world.actor, identity, START + days * DAY)


def test_only_the_pauses_of_the_plan_change(world: World) -> None:
    before = activate(world)
    set_one(world, remark="Lungeavdelingen")
    with world.database.read() as connection:
        after = plans.stored(connection, world.patient)
    assert after
    assert after.pauses == (Period(start=START, end=START + 3 * DAY),)
    assert to_mapping(replace(after, pauses=(), version=1)) == to_mapping(replace(before, offline=()))
    (row,) = world.rows(tables.pause)
    assert (row["set_by"], row["reason"], row["remark"]) == (world.nurse, "hospital", "Lungeavdelingen")
    assert [each["step"] for each in world.rows(tables.plan_step)] == ["paused"]


def test_no_alert_is_raised_in_a_pause_and_one_after_it(world: World) -> None:
    activate(world)
    identity = set_one(world, starts_at=START - DAY, ends_at=None)
    world.record(world.reading(values={"spo2": Decimal(80)}))
    with world.database.write() as connection:
        step = evaluate(connection, world.patient, START + DAY)
    assert step is not None
    assert not step.alerts
    end(world, identity, 1)
    with world.database.read() as connection:
        plan = plans.stored(connection, world.patient)
    assert plan
    assert plan.pauses == (Period(start=START - DAY, end=START + DAY),)


def test_a_pause_that_never_began_leaves_no_trace_in_the_plan(world: World) -> None:
    activate(world)
    identity = set_one(world, starts_at=START + 5 * DAY, ends_at=START + 9 * DAY)
    end(world, identity, 1)
    with world.database.read() as connection:
        plan = plans.stored(connection, world.patient)
        assert pauses.current(pauses.of(connection, world.actor, world.patient), START + 6 * DAY) is None
    assert plan
    assert plan.pauses == ()
    with pytest.raises(PauseError, match="ended"):
        end(world, identity, 2)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"starts_at": START - 20 * DAY}, "starts_at"),
        ({"starts_at": START + 500 * DAY, "ends_at": None}, "starts_at"),
        ({"ends_at": START - DAY}, "ends_at"),
        ({"ends_at": START + 500 * DAY}, "ends_at"),
        ({"starts_at": START - 2 * DAY, "ends_at": START - DAY}, "ends_at"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(world: World, changed: dict[str, object], field: str) -> None:
    activate(world)
    with pytest.raises(PauseError) as refused:
        set_one(world, **changed)
    assert (refused.value.field, world.count(tables.pause)) == (field, 0)


def test_two_pauses_do_not_overlap(world: World) -> None:
    activate(world)
    set_one(world)
    with pytest.raises(PauseError, match="already"):
        set_one(world, starts_at=START + DAY, ends_at=None)
    set_one(world, starts_at=START + 3 * DAY, ends_at=None)
    assert world.count(tables.pause) == 2


def test_nobody_pauses_a_stranger(world: World) -> None:
    with world.database.write() as connection, pytest.raises(NotFoundError):
        pauses.pause(connection, replace(world.actor, team="another"), rest(world), START)
