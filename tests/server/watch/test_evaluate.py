from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from server.access import system
from server.db import tables
from server.ingest.batch import take_in
from server.ingest.gateways import KeyRing
from server.reports.recorded import replayed
from server.watch.evaluate import evaluate
from server.watch.patient import load
from tests.server.plans import activate, covid_plan
from tests.server.world import START, World, an_id


def judge(world: World, now: datetime) -> Any:
    with world.database.write() as connection:
        return evaluate(connection, world.patient, now)


def low(number: int, spo2: int = 88, **more: Any) -> dict[str, Any]:
    return {"number": number, "values": {"spo2": Decimal(spo2), "pulse": Decimal(80)}, **more}


def test_a_reading_becomes_an_alert_whose_why_says_it_all(world: World) -> None:
    activate(world)
    world.record(world.reading(**low(9)))
    step = judge(world, START)
    (row,) = world.rows(tables.alert)
    assert (row["rule"], row["state"], row["priority"], row["condition"]) == ("spo2_low", "active", "high", True)
    assert row["version"] == 1
    why = row["why"]
    assert (why["rule"], why["metric"], str(why["value"]), str(why["limit"])) == ("spo2_low", "spo2", "88", "92")
    assert (why["device"], why["reading_id"]) == ("AA:BB:CC:00:00:01", an_id(9))
    assert {"taken_at", "received_at", "evaluated_at", "quiet_at", "rulebook", "rulebook_version"} <= set(why)
    assert [row["kind"] for row in world.rows(tables.fact)] == [fact.kind.value for fact in step.facts]
    assert world.rows(tables.memory)[0]["zone"] == "red"
    assert [row["evaluate_at"] for row in world.rows(tables.due)] == [step.wake_at]
    notices = [row for row in world.rows(tables.fact) if row["kind"] == "notice"]
    assert notices
    assert [(row["fact_seq"], row["to"], row["state"]) for row in world.rows(tables.outbox)] == [
        (row["seq"], row["to"], "waiting") for row in notices
    ]


def test_asking_twice_changes_nothing(world: World) -> None:
    activate(world)
    world.record(world.reading(**low(9)))
    judge(world, START)
    before = [world.rows(table) for table in (tables.alert, tables.fact, tables.outbox, tables.due)]
    judge(world, START)
    assert [world.rows(table) for table in (tables.alert, tables.fact, tables.outbox, tables.due)] == before


def test_a_patient_without_a_plan_leaves_the_slate_and_a_plan_puts_him_back(world: World) -> None:
    world.record(world.reading(**low(9)))
    assert judge(world, START) is None
    assert world.count(tables.due) == 0
    assert world.rows(tables.reading)[0]["evaluation_seq"] is None  # it waits for a plan
    activate(world)
    assert world.count(tables.due) == 1
    judge(world, START)
    assert world.count(tables.alert) == 1


def test_new_readings_come_alone_and_late_ones_with_the_history(world: World) -> None:
    activate(world)
    with world.database.write() as connection:
        for number in (5, 6):
            world_reading = world.reading(number=number)
            _record(world, connection, world_reading)
            first = load(connection, world.patient)
            assert first is not None
            assert first.view.complete is (number == 5)  # the first time, everything; then what is new
            assert [each.reading_id for each in first.view.arrivals] == [an_id(number)]
            evaluate(connection, world.patient, START)
        _record(world, connection, world.reading(number=1))
        late = load(connection, world.patient)
    assert late is not None
    assert late.view.complete
    assert {each.reading_id: each.judged for each in late.view.arrivals} == {
        an_id(1): False,
        an_id(5): True,
        an_id(6): True,
    }


def _record(world: World, connection: Any, message: tuple[str, bytes]) -> None:
    take_in(connection, KeyRing(world.vault), [message], START)


def test_a_new_plan_version_judges_the_history_again(world: World) -> None:
    plan = activate(world)
    world.record(world.reading(**low(9, spo2=95)))
    judge(world, START)
    assert world.count(tables.alert) == 0
    stricter = covid_plan()
    changed = dict(stricter.table)
    changed["spo2_low"] = {**changed["spo2_low"], "bands": [{"limit": 96, "priority": "medium"}]}
    activate(world, replace(stricter, table=changed, plan_id=plan.plan_id, starts_at=plan.starts_at))
    judge(world, START + timedelta(minutes=1))
    assert [row["rule"] for row in world.rows(tables.alert)] == ["spo2_low"]
    assert [row["plan_version"] for row in world.rows(tables.evaluation)] == [1, 2]


def test_what_is_stored_equals_a_pure_replay_of_what_was_recorded(world: World) -> None:
    """Readings in received order, late ones included, and the moments of asking give the same alerts and facts."""
    activate(world)
    moment, asked = START - timedelta(minutes=30), []
    for spo2, number in ((97, 1), (93, 2), (88, 3), (87, 4), (96, -3), (95, 6), (97, 7), (97, 8)):
        moment += timedelta(minutes=9)
        world.record(world.reading(**low(number, spo2)), now=moment)
        step = judge(world, moment)
        asked.append(moment)
        while step.wake_at is not None and step.wake_at < moment + timedelta(minutes=9):
            step = judge(world, step.wake_at)
    with world.database.read() as connection:
        verdict = replayed(connection, system(), world.patient)
    assert verdict.differences == ()
    assert verdict.not_covered == ()
    assert verdict.alerts == world.count(tables.alert)
    assert verdict.facts == world.count(tables.fact) > 10
    assert verdict.evaluations == world.count(tables.evaluation) >= len(asked)
    assert {row["at"] for row in world.rows(tables.evaluation)} >= set(asked)
