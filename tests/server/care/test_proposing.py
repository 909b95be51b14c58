"""A plan is one person's wish until another one says yes; everything said and done of it is found again."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alerts import rulebook
from alerts.backtest import candidate
from alerts.plan import Outside, Period
from server.access import Actor, RefusedError, Role
from server.care import approval, pauses, people, plans, proposing, steps
from server.care.pauses import Reason, Rest
from server.care.people import NotFoundError, Person
from server.care.proposing import Judgement, ProposalError, Verdict, Wish
from server.db import tables
from server.watch.evaluate import evaluate
from tests.server.plans import activate
from tests.server.world import START, World

DAY = timedelta(days=1)
BOOK = rulebook.load("covid19")
TEXTS = {"green": "Mål som avtalt.", "yellow": "Hvil og mål igjen.", "red": "Ring oss nå."}
LIMITS = {"pulse_high": {"bands": [{"limit": 105, "priority": "medium"}, {"limit": 111, "priority": "high"}]}}


@pytest.fixture
def doctor(world: World) -> Actor:
    """Somebody who may approve; the rulebook is signed and a plan in force."""
    activate(world)
    with world.database.write() as connection:
        who = people.employ(connection, world.vault, world.team, Role.CLINICIAN, Person(name="Doctor"))
        approval.sign_off(connection, world.municipality, BOOK, who, START)
    return Actor(id=who, role=Role.CLINICIAN, municipality=world.municipality, team=world.team)


def wish(world: World, **changed: object) -> Wish:
    with world.database.read() as connection:
        now = plans.stored(connection, world.patient)
    assert now
    given = {"base_version": now.version, "texts": TEXTS, "report": {"weeks": []}} | changed
    return Wish(patient=world.patient, plan=candidate(now, None, LIMITS), **given)  # type: ignore[arg-type]


def propose(world: World, actor: Actor | None = None, **changed: object) -> str:
    with world.database.write() as connection:
        return proposing.propose(connection, actor or world.actor, wish(world, **changed), START)


def approve(world: World, actor: Actor, proposal: str, outside: Outside | None = Outside.FULL) -> int:
    with world.database.write() as connection:
        verdict = Verdict(proposal=proposal, book=BOOK, outside=outside)
        return proposing.approve(connection, actor, verdict, START + DAY)


def limit(world: World) -> Decimal:
    with world.database.read() as connection:
        plan = plans.active(connection, world.patient)
    assert plan
    return plan.rules["pulse_high"].bands[0].limits[0]  # type: ignore[union-attr, return-value]


def told(world: World, actor: Actor) -> list[tuple[str, str, str | None]]:
    with world.database.read() as connection:
        return [(row.step, row.by, row.said) for row in reversed(steps.steps(connection, actor, world.patient))]


def test_a_wish_judges_nobody_until_another_person_says_yes(world: World, doctor: Actor) -> None:
    proposal = propose(world)
    assert limit(world) == 100
    assert approve(world, doctor, proposal) == 2
    assert limit(world) == 105
    with world.database.read() as connection:
        assert plans.texts(connection, world.patient) == TEXTS
    nurse = world.nurse
    assert told(world, doctor) == [
        ("proposed", nurse, None),
        ("back_tested", nurse, None),
        ("approved", doctor.id, None),
        ("activated", doctor.id, None),
    ]
    (version,) = [row for row in world.rows(tables.plan_version) if row["state"] == "active"]
    assert (version["approved_by"], version["active_from"]) == (doctor.id, START + DAY)


def test_nobody_approves_their_own(world: World, doctor: Actor) -> None:
    proposal = propose(world, doctor)
    with pytest.raises(approval.ApprovalError, match="another person") as refused:
        approve(world, doctor, proposal)
    assert (refused.value.field, limit(world)) == ("second_person", 100)


def test_a_nurse_proposes_and_does_not_approve(world: World, doctor: Actor) -> None:
    with pytest.raises(RefusedError):
        approve(world, world.actor, propose(world, doctor))


def test_without_a_word_about_the_night_nothing_is_activated(world: World, doctor: Actor) -> None:
    proposal = propose(world)
    for said in (None, Outside.NOBODY):
        with pytest.raises(approval.ApprovalError) as refused:
            approve(world, doctor, proposal, said)
        assert refused.value.field == "outside"
    assert limit(world) == 100


def test_above_the_budget_a_reason_is_needed(world: World, doctor: Actor) -> None:
    with pytest.raises(ProposalError) as refused:
        propose(world, above_budget=True)
    assert refused.value.field == "reason"
    propose(world, above_budget=True, reason="Nettopp utskrevet.")
    assert told(world, doctor)[0][2] == "Nettopp utskrevet."


def test_one_proposal_at_a_time_and_one_decision_on_each(world: World, doctor: Actor) -> None:
    proposal = propose(world)
    with pytest.raises(ProposalError, match="open"):
        propose(world)
    with world.database.write() as connection:
        with pytest.raises(ProposalError, match="said"):
            proposing.give_back(connection, doctor, proposal, "", START)
        proposing.give_back(connection, doctor, proposal, "For tidlig.", START)
    with pytest.raises(ProposalError, match="decided"):
        approve(world, doctor, proposal)
    assert told(world, doctor)[-1] == ("returned", doctor.id, "For tidlig.")
    assert approve(world, doctor, propose(world)) == 2


def test_what_was_compared_with_another_plan_is_proposed_again(world: World, doctor: Actor) -> None:
    first = propose(world)
    with world.database.write() as connection:
        now = plans.stored(connection, world.patient)
        assert now
        plans.activate(connection, world.patient, replace(now, outside=Outside.NOBODY), doctor.id, START)
    with pytest.raises(ProposalError, match="base"):
        approve(world, doctor, first)


def test_a_pause_in_between_is_taken_over(world: World, doctor: Actor) -> None:
    proposal = propose(world)
    rest = Rest(patient=world.patient, starts_at=START, ends_at=START + 7 * DAY, reason=Reason.HOLIDAY)
    with world.database.write() as connection:
        pauses.pause(connection, world.actor, rest, START)
    assert approve(world, doctor, proposal) == 3
    with world.database.read() as connection:
        plan = plans.stored(connection, world.patient)
    assert plan
    assert plan.pauses == (Period(start=START, end=START + 7 * DAY),)


def test_what_was_measured_is_kept_or_goes_back(world: World, doctor: Actor) -> None:
    version = approve(world, doctor, propose(world))
    judged = Judgement(patient=world.patient, version=version, effect="5 -> 2", said="")
    with world.database.write() as connection:
        with pytest.raises(ProposalError, match="early"):
            proposing.keep(connection, doctor, judged, START + 2 * DAY)
        proposing.keep(connection, doctor, judged, START + 40 * DAY)
        with pytest.raises(ProposalError, match="decided"):
            proposing.keep(connection, doctor, judged, START + 40 * DAY)
    assert [each[0] for each in told(world, doctor)[-2:]] == ["measured", "kept"]


def test_rolling_back_puts_the_limits_before_in_force(world: World, doctor: Actor) -> None:
    version = approve(world, doctor, propose(world))
    judged = Judgement(patient=world.patient, version=version, effect="5 -> 2", said="To fall ble oversett.")
    with world.database.write() as connection:
        with pytest.raises(ProposalError, match="said"):
            proposing.roll_back(connection, doctor, replace(judged, said=""), BOOK, START + 3 * DAY)
        assert proposing.roll_back(connection, doctor, judged, BOOK, START + 3 * DAY) == 3
    assert limit(world) == 100
    assert told(world, doctor)[-1] == ("rolled_back", doctor.id, "To fall ble oversett.")


def test_other_peoples_patients_are_not_found(world: World, doctor: Actor) -> None:
    stranger = replace(world.actor, team="another")
    with pytest.raises(NotFoundError):
        propose(world, stranger)
    proposal = propose(world)
    with world.database.write() as connection, pytest.raises(NotFoundError):
        proposing.give_back(connection, stranger, proposal, "x", START)


def test_activation_takes_the_watchs_own_way(world: World, doctor: Actor) -> None:
    """Due at once, nothing quiet any more, the memory rebuilt under the new plan, the facts kept."""
    world.record(world.reading())
    with world.database.write() as connection:
        evaluate(connection, world.patient, START)
    facts = world.rows(tables.fact)
    assert approve(world, doctor, propose(world)) == 2
    (due,) = world.rows(tables.due)
    assert (due["envelope"], due["evaluate_at"] <= START + DAY) == (None, True)
    with world.database.write() as connection:
        evaluate(connection, world.patient, START + DAY)
    assert world.rows(tables.fact)[: len(facts)] == facts
    (memory,) = world.rows(tables.memory)
    assert ":2:" in memory["body"]
