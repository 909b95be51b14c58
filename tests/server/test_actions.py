from datetime import timedelta, timezone
from decimal import Decimal

import pytest

from alerts.command import Action as Signal
from alerts.command import IllegalSignal, Mistake, Outcome
from server.access import Action, Actor, RefusedError, Role, allowed
from server.actions import ChangedMeanwhileError, Click, ReadingClick, act, act_on_reading, act_together
from server.care.people import NotFoundError
from server.db import tables
from server.watch.evaluate import evaluate
from tests.server.plans import activate
from tests.server.world import START, World, an_id, make_world


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


def together(world: World, *clicks: Click) -> None:
    with world.database.write() as connection:
        act_together(connection, world.actor, clicks, START)


@pytest.fixture
def both(world: World, alert: str) -> dict[str, str]:
    """Two active alerts of one moment, by rule."""
    world.record(world.reading(number=10, values={"pulse": Decimal(105)}))
    with world.database.write() as connection:
        evaluate(connection, world.patient, START)
    return {str(row["rule"]): str(row["id"]) for row in world.rows(tables.alert)}


def test_what_was_met_together_is_clicked_as_one_and_each_is_noted(world: World, both: dict[str, str]) -> None:
    assert set(both) == {"spo2_low", "pulse_high"}
    together(world, *(Click(alert=each, signal=Signal.ACKNOWLEDGE) for each in both.values()))
    assert {row["state"] for row in world.rows(tables.alert)} == {"acknowledged"}
    assert {row["subject"] for row in world.rows(tables.audit)} == set(both.values())
    clicks = [row["click"]["rule"] for row in world.rows(tables.evaluation) if row["click"]]
    assert sorted(clicks) == sorted(both)


def test_one_of_them_that_changed_stops_the_click_on_all(world: World, both: dict[str, str]) -> None:
    click(world, Click(alert=both["pulse_high"], signal=Signal.ACKNOWLEDGE))
    versions = {row["rule"]: row["version"] for row in world.rows(tables.alert)}
    stale = {**versions, "pulse_high": versions["pulse_high"] - 1}
    before = world.rows(tables.alert)
    with pytest.raises(ChangedMeanwhileError):
        together(
            world, *(Click(alert=both[rule], signal=Signal.ACKNOWLEDGE, version=stale[rule]) for rule in sorted(both))
        )
    assert world.rows(tables.alert) == before
    together(world, *(Click(alert=each, signal=Signal.ACKNOWLEDGE) for each in both.values()))  # one needs it no more
    assert {row["state"] for row in world.rows(tables.alert)} == {"acknowledged"}
    with pytest.raises(IllegalSignal):
        together(world, *(Click(alert=each, signal=Signal.ACKNOWLEDGE) for each in both.values()))


def test_alerts_of_two_patients_are_never_clicked_as_one(world: World, alert: str) -> None:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    clicks = [Click(alert=each, signal=Signal.ACKNOWLEDGE) for each in (alert, "no such")]
    with pytest.raises(NotFoundError):
        together(world, *clicks)
    with pytest.raises(NotFoundError):
        together(other, clicks[0])
    assert world.rows(tables.alert)[0]["state"] == "active"


def test_a_snooze_is_kept_with_its_end_in_utc(world: World, alert: str) -> None:
    click(world, Click(alert=alert, signal=Signal.ACKNOWLEDGE))
    until = START + timedelta(hours=3)
    click(world, Click(alert=alert, signal=Signal.SNOOZE, until=until.astimezone(timezone(timedelta(hours=1)))))
    assert world.rows(tables.alert)[0]["snoozed_until"] == until
    assert world.rows(tables.evaluation)[-1]["click"]["until"] == "2026-03-02T10:00:00+00:00"
    for wrong in (START, START + timedelta(hours=12, seconds=1)):
        refused_changes_nothing(world, Click(alert=alert, signal=Signal.SNOOZE, until=wrong), IllegalSignal)


def test_taking_a_reading_out_changes_the_past_and_is_noted(world: World, alert: str) -> None:
    given = ReadingClick(
        patient=world.patient, reading=an_id(9), signal=Signal.INVALIDATE, slot_fulfilled=True, reason=Mistake.MISTAKE
    )
    with world.database.write() as connection:
        act_on_reading(connection, world.actor, given, START)
    assert world.rows(tables.alert)[0]["state"] == "cleared"
    (noted,) = world.rows(tables.audit)
    assert (noted["action"], noted["patient_id"], noted["subject"]) == ("invalidate", world.patient, an_id(9))
    assert world.rows(tables.evaluation)[-1]["click"] == {
        "signal": "invalidate",
        "by": world.nurse,
        "reading": an_id(9),
        "slot_fulfilled": True,
        "reason": "mistake",
    }


def test_a_reading_of_somebody_else_is_not_there(world: World, alert: str) -> None:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    for actor, patient in ((other.actor, world.patient), (other.actor, other.patient), (world.actor, other.patient)):
        given = ReadingClick(patient=patient, reading=an_id(9), signal=Signal.INVALIDATE)
        with world.database.write() as connection, pytest.raises(NotFoundError):
            act_on_reading(connection, actor, given, START)


def test_every_click_is_an_action_for_those_who_follow_up_and_for_nobody_else() -> None:
    for signal in Signal:
        may = {
            role
            for role in Role
            if allowed(Actor(id="x", role=role, municipality="m"), Action(signal.value)) and role is not Role.SYSTEM
        }
        assert may == {Role.NURSE, Role.COORDINATOR, Role.CLINICIAN}, signal
