"""What is stored is replayed from what is recorded; whatever was changed since is found and told."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from alerts.command import Action, Mistake, Outcome
from server import actions
from server.access import Actor, Role, system
from server.care.people import NotFoundError
from server.db import tables
from server.reports.recorded import Verdict, replayed
from server.watch.evaluate import evaluate
from tests.server.plans import activate
from tests.server.reports.living import click, live
from tests.server.world import START, World, an_id


def verdict(world: World) -> Verdict:
    with world.database.read() as connection:
        return replayed(connection, system(), world.patient)


def change(world: World, statement: Any) -> None:
    with world.database.write() as connection:
        connection.execute(statement)


def test_days_with_clicks_late_readings_and_a_new_plan_equal_their_replay(world: World) -> None:
    live(world, spo2_low=(5, Action.ACKNOWLEDGE))
    live(world, (97, 95, 91))  # a new version of the plan, and the same ids again: nothing new but the wake-ups
    found = verdict(world)
    assert found.differences == ()
    assert found.equal
    assert found.facts == world.count(tables.fact) > 10
    assert "acknowledged" in {row["kind"] for row in world.rows(tables.fact)}
    assert {row["plan_version"] for row in world.rows(tables.evaluation)} == {1, 2}
    assert (found.evaluations, found.alerts) == (world.count(tables.evaluation), world.count(tables.alert))


def test_resolving_is_replayed_with_its_outcome(world: World) -> None:
    moment = live(world)
    click(world, "spo2_low", Action.RESOLVE, moment + timedelta(minutes=2))
    assert verdict(world).equal
    (row,) = [row for row in world.rows(tables.evaluation) if row["click"]]
    changed = {**row["click"], "outcome": "no_action"}
    change(world, update(tables.evaluation).where(tables.evaluation.c.seq == row["seq"]).values(click=changed))
    found = verdict(world)
    assert any('"no_action"' in each and '"actionable"' in each for each in found.differences)


def every_click(world: World) -> None:
    """A low value that nobody meant, an unlikely pulse that is right, and every button there is in between."""
    now = live(world, (88,)) + timedelta(minutes=1)
    world.record(world.reading(number=3, values={"pulse": Decimal(20)}), now=now)
    world.record(world.reading(number=4, values={"pulse": Decimal(21)}), now=now)
    clicks = [
        (Action.ACKNOWLEDGE, world.nurse),
        (Action.SNOOZE, world.nurse),
        (Action.TAKE_OVER, "henrik"),
        (Action.DISPATCH, "henrik"),
        (Action.DISPATCH_REFUSE, "henrik"),
        (Action.DISPATCH, "henrik"),
        (Action.DISPATCH_ACCEPT, "henrik"),
        (Action.RELEASE, "henrik"),
    ]
    with world.database.write() as connection:
        evaluate(connection, world.patient, now)
        alert = next(row["id"] for row in world.rows(tables.alert) if row["rule"] == "spo2_low")
        for number, (signal, who) in enumerate(clicks):
            until = now + timedelta(hours=1) if signal is Action.SNOOZE else None
            done = actions.Click(alert=alert, signal=signal, until=until)
            actions.act(connection, replace(world.actor, id=who), done, now + timedelta(minutes=number))
        now += timedelta(minutes=20)
        for signal, reading in ((Action.INVALIDATE, 1), (Action.ACCEPT, 3)):
            meant = actions.ReadingClick(
                patient=world.patient,
                reading=an_id(reading),
                signal=signal,
                slot_fulfilled=True,
                reason=Mistake.MISTAKE,
            )
            actions.act_on_reading(connection, world.actor, meant, now)
        for rule in ("spo2_low", "quarantined"):
            alert = next(
                row["id"] for row in connection.execute(select(tables.alert)).mappings() if row["rule"] == rule
            )
            done = actions.Click(alert=alert, signal=Action.RESOLVE, outcome=Outcome.DATA_ERROR)
            actions.act(connection, world.actor, done, now + timedelta(minutes=5))
        evaluate(connection, world.patient, START + timedelta(hours=3))  # the morning's slot is over


def test_every_kind_of_click_is_replayed_from_its_record(world: World) -> None:
    every_click(world)
    clicks = [row["click"] for row in world.rows(tables.evaluation) if row["click"]]
    assert {each["signal"] for each in clicks} == {each.value for each in Action}
    found = verdict(world)
    assert (found.differences, found.not_covered) == ((), ())
    assert found.facts == world.count(tables.fact)


@pytest.mark.parametrize(
    ("signal", "other"),
    [
        ("acknowledge", {"by": "somebody"}),
        ("snooze", {"until": "2026-03-02T09:00:00+00:00"}),
        ("take_over", {"by": "somebody"}),
        ("release", {"by": "somebody"}),
        ("dispatch", {"by": "somebody"}),
        ("dispatch_accept", {"signal": "dispatch_refuse"}),
        ("invalidate", {"slot_fulfilled": False}),
        ("invalidate", {"reason": "wrong_person"}),
        ("accept", {"reading": an_id(4)}),
    ],
)
def test_a_click_that_was_recorded_otherwise_is_found(world: World, signal: str, other: dict[str, Any]) -> None:
    every_click(world)
    row = next(row for row in world.rows(tables.evaluation) if (row["click"] or {}).get("signal") == signal)
    changed = {**row["click"], **other}
    change(world, update(tables.evaluation).where(tables.evaluation.c.seq == row["seq"]).values(click=changed))
    assert verdict(world).differences


def test_a_silent_gateway_is_part_of_what_was_known(world: World) -> None:
    silent = {"municipality_id": world.municipality, "gateway_id": world.gateway}
    change(world, insert(tables.gateway_outage).values(silent | {"starts_at": START - timedelta(hours=13)}))
    activate(world)
    with world.database.write() as connection:
        evaluate(connection, world.patient, START)
        evaluate(connection, world.patient, START + timedelta(hours=3))  # the morning's slot and its grace are over
    assert {row["body"]["cause"] for row in world.rows(tables.alert)} == {"gateway"}
    assert verdict(world).equal
    over = tables.gateway_outage.c.ends_at.is_(None)
    change(world, update(tables.gateway_outage).where(over).values(ends_at=START + timedelta(hours=5)))
    assert verdict(world).equal


def test_a_changed_reading_is_found(world: World) -> None:
    live(world)
    low = select(tables.measurement.c.reading_seq).where(tables.measurement.c.value == Decimal(88)).scalar_subquery()
    seq = tables.measurement.c.reading_seq
    change(
        world,
        update(tables.measurement).where(seq == low, tables.measurement.c.metric == "spo2").values(value=Decimal(90)),
    )
    found = verdict(world)
    assert not found.equal
    assert "stored" in found.differences[0]
    assert "replayed" in found.differences[0]
    assert len(found.differences) <= 11


def test_a_changed_alert_is_found_by_its_key(world: World) -> None:
    live(world)
    row = next(row for row in world.rows(tables.alert) if row["rule"] == "spo2_low")
    body = {**row["body"], "evidence": 99}
    change(world, update(tables.alert).where(tables.alert.c.id == row["id"]).values(body=body))
    (told,) = verdict(world).differences
    assert told.startswith(f"alert {row['id']} (spo2_low): stored evidence 99, replayed ")


def test_what_is_not_recorded_is_said_and_not_guessed(world: World) -> None:
    live(world, spo2_low=(5, Action.ACKNOWLEDGE))
    (row,) = [row for row in world.rows(tables.evaluation) if row["click"]]
    snoozed = {"signal": "snooze", "rule": "spo2_low", "by": world.nurse}
    change(world, update(tables.evaluation).where(tables.evaluation.c.seq == row["seq"]).values(click=snoozed))
    found = verdict(world)
    assert found.differences == ()
    assert not found.equal
    (told,) = found.not_covered
    assert told.endswith("until when it was snoozed is not recorded")
    assert found.evaluations < world.count(tables.evaluation)


def test_a_reading_that_nobody_judged_is_not_covered(world: World) -> None:
    moment = live(world)
    world.record(world.reading(number=20), now=moment)
    found = verdict(world)
    assert found.differences == ()
    assert found.not_covered == ("1 readings that the rules have not seen yet",)


def test_nobody_sees_patients_that_are_not_theirs(world: World) -> None:
    live(world, (97,))
    stranger = Actor(id="x", role=Role.COORDINATOR, municipality="elsewhere")
    with world.database.read() as connection, pytest.raises(NotFoundError):
        replayed(connection, stranger, world.patient)
