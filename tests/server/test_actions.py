from decimal import Decimal

import pytest

from alerts.command import Action as Signal
from alerts.command import IllegalSignal, Outcome
from server.access import Actor, RefusedError, Role
from server.actions import ChangedMeanwhileError, Click, act
from server.care.people import NotFoundError
from server.db import tables
from server.watch.evaluate import evaluate
from tests.server.plans import activate
from tests.server.world import START, World, make_world


@pytest.fixture
def alert(world: World) -> str:
    """The id of an active alert of the world's patient."""
    activate(world)
    world.record(world.reading(number=9, values={"spo2": Decimal(88)}))
    with world.database.write() as connection:
        evaluate(connection, world.patient, START)
    return str(world.rows(tables.alert)[0]["id"])


def click(world: World, given: Click, actor: Actor | None = None) -> None:
    with world.database.write() as connection:
        act(connection, actor or world.actor, given, START)


def test_a_click_is_saved_with_its_author_facts_and_audit(world: World, alert: str) -> None:
    click(world, Click(alert=alert, signal=Signal.ACKNOWLEDGE, version=1))
    (row,) = world.rows(tables.alert)
    assert (row["state"], row["owner"], row["version"]) == ("acknowledged", world.nurse, 2)
    assert [(f["kind"], f["by"]) for f in world.rows(tables.fact) if f["by"]] == [("acknowledged", world.nurse)]
    (noted,) = world.rows(tables.audit)
    assert (noted["actor"], noted["action"], noted["patient_id"], noted["subject"]) == (
        world.nurse,
        "acknowledge",
        world.patient,
        alert,
    )
    assert world.rows(tables.evaluation)[-1]["click"] == {
        "signal": "acknowledge",
        "rule": "spo2_low",
        "by": world.nurse,
    }


def test_resolving_needs_the_outcome_and_stays_closed(world: World, alert: str) -> None:
    click(world, Click(alert=alert, signal=Signal.RESOLVE, outcome=Outcome.ACTIONABLE))
    (row,) = world.rows(tables.alert)
    assert (row["state"], row["body"]["outcome"]) == ("resolved", "actionable")
    with pytest.raises(IllegalSignal):
        click(world, Click(alert=alert, signal=Signal.RESOLVE, outcome=Outcome.ACTIONABLE))


def refused_changes_nothing(world: World, given: Click, error: type[Exception], actor: Actor | None = None) -> None:
    watched = (tables.alert, tables.fact, tables.audit, tables.memory, tables.evaluation)
    before = [world.rows(table) for table in watched]
    with pytest.raises(error):
        click(world, given, actor)
    assert [world.rows(table) for table in watched] == before


def test_somebody_was_faster(world: World, alert: str) -> None:
    click(world, Click(alert=alert, signal=Signal.ACKNOWLEDGE, version=1))
    refused_changes_nothing(
        world, Click(alert=alert, signal=Signal.RESOLVE, outcome=Outcome.WATCH, version=1), ChangedMeanwhileError
    )


def test_a_click_on_what_a_new_reading_has_changed_is_not_taken(world: World, alert: str) -> None:
    world.record(world.reading(number=10, values={"spo2": Decimal(80)}))
    refused_changes_nothing(world, Click(alert=alert, signal=Signal.ACKNOWLEDGE, version=1), ChangedMeanwhileError)


def test_who_may_not_know_of_it_cannot_tell_it_from_nothing(world: World, alert: str) -> None:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    refused_changes_nothing(world, Click(alert=alert, signal=Signal.ACKNOWLEDGE), NotFoundError, other.actor)
    refused_changes_nothing(world, Click(alert="no such", signal=Signal.ACKNOWLEDGE), NotFoundError)


def test_a_technician_acknowledges_nothing(world: World, alert: str) -> None:
    technician = Actor(id="t", role=Role.TECHNICIAN, municipality=world.municipality)
    refused_changes_nothing(world, Click(alert=alert, signal=Signal.ACKNOWLEDGE), RefusedError, technician)
