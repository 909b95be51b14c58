"""Nobody is judged by a plan that lacks what its rulebook needs, a signature, or a word about the night."""

import ast
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from alerts import rulebook
from alerts.plan import Outside, PatientFacts, Plan, from_mapping, to_mapping
from alerts.rulebook import Rulebook
from server.care.approval import Approval, ApprovalError, approve, digest, sign_off
from server.db import tables
from tests.server.world import START, World

ROOT = Path(__file__).parents[3]
STATED = PatientFacts(age=71, spo2_scale=2, spo2_floor=Decimal(84))


def plan_under(book: Rulebook, facts: PatientFacts = STATED, **more: object) -> Plan:
    settings = {"plan_id": "plan", "starts_at": (START - timedelta(hours=12)).isoformat(), **more}
    return replace(rulebook.draft(book, settings), facts=facts)


def ask(world: World, plan: Plan, book: Rulebook, **said: object) -> int:
    approval = Approval(**{"by": world.nurse, "proposed_by": "other", "book": book, "outside": plan.outside, **said})  # type: ignore[arg-type]
    with world.database.write() as connection:
        return approve(connection, world.patient, plan, approval, START)


def sign(world: World, book: Rulebook) -> None:
    with world.database.write() as connection:
        sign_off(connection, world.municipality, book, world.nurse, START)


def refused(world: World, plan: Plan, book: Rulebook, **said: object) -> tuple[str, str]:
    """Field and reason; nothing is left behind."""
    with pytest.raises(ApprovalError) as caught:
        ask(world, plan, book, **said)
    assert world.count(tables.plan_version) == 0
    assert world.count(tables.due) == 0
    return caught.value.field, caught.value.reason


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("lacking", ["spo2_floor", "spo2_scale"])
def test_a_copd_plan_states_floor_and_scale_in_the_demo_too(world: World, lacking: str, demo: bool) -> None:
    book = rulebook.load("copd")
    sign(world, book)
    plan = plan_under(book, replace(STATED, **{lacking: None}))  # type: ignore[arg-type]
    field, reason = refused(world, plan, book, demo=demo)
    assert field == f"facts.{lacking}"
    assert "copd" in reason
    assert ask(world, plan_under(book), book, demo=demo) == 1


def test_outside_the_demo_a_rulebook_is_signed_first(world: World) -> None:
    book = rulebook.load("covid19")
    field, reason = refused(world, plan_under(book), book)
    assert (field, "signed covid19 version" in reason) == ("rulebook", True)
    sign(world, book)
    assert ask(world, plan_under(book), book) == 1
    (signed,) = world.rows(tables.rulebook_sign_off)
    assert (signed["signed_by"], signed["signed_at"], signed["digest"]) == (world.nurse, START, digest(book))


def test_in_the_demo_nobody_has_to_sign(world: World) -> None:
    book = rulebook.load("covid19")
    assert ask(world, plan_under(book), book, demo=True, outside=None) == 1


def test_what_was_signed_is_the_content_and_not_its_name(world: World) -> None:
    book = rulebook.load("covid19")
    sign(world, book)
    bands = [{"limit": Decimal(93), "priority": "medium"}, {"limit": Decimal(90), "priority": "high"}]
    other = replace(book, table={**book.table, "spo2_low": {**book.table["spo2_low"], "bands": bands}})
    field, reason = refused(world, plan_under(other), other)
    assert (field, "changed since" in reason) == ("rulebook", True)


def test_a_number_that_is_not_the_rulebooks_must_be_called_individual(world: World) -> None:
    book = rulebook.load("covid19")
    sign(world, book)
    own = rulebook.merge(book, {"pulse_high": {"bands": [{"limit": 105, "priority": "medium"}]}})
    assert refused(world, plan_under(replace(own, individual=())), book)[0] == "rules.pulse_high"
    assert ask(world, plan_under(own), book) == 1


def test_a_plan_under_another_rulebook_is_not_what_was_approved(world: World) -> None:
    book = rulebook.load("covid19")
    sign(world, book)
    assert refused(world, plan_under(rulebook.load("frail")), book)[0] == "rulebook"
    assert refused(world, replace(plan_under(book), rulebook_version="0"), book)[0] == "rulebook"


@pytest.mark.parametrize("said", [None, Outside.NOBODY])
def test_the_approver_says_what_happens_outside_service_hours(world: World, said: Outside | None) -> None:
    book = rulebook.load("covid19")
    sign(world, book)
    plan = plan_under(book, outside="response_centre_red")
    assert refused(world, plan, book, outside=said)[0] == "outside"
    assert ask(world, plan, book, outside=Outside.RESPONSE_CENTRE_RED) == 1


@pytest.mark.parametrize("demo", [False, True])
def test_nobody_approves_what_they_proposed(world: World, demo: bool) -> None:
    book = rulebook.load("covid19")
    sign(world, book)
    assert refused(world, plan_under(book), book, proposed_by=world.nurse, demo=demo)[0] == "second_person"


def test_only_the_municipalitys_own_staff_sign_and_approve(world: World) -> None:
    book = rulebook.load("covid19")
    with world.database.write() as connection, pytest.raises(ApprovalError, match="signed_by"):
        sign_off(connection, world.municipality, book, "somebody", START)
    sign(world, book)
    assert refused(world, plan_under(book), book, by="somebody")[0] == "approved_by"


def test_a_plan_that_was_stored_once_is_approved_again(world: World) -> None:
    """Numbers of a row compare with those of a file, whatever type either has."""
    for number, name in enumerate(("covid19", "heart_failure", "cancer", "hypertension"), start=1):
        book = rulebook.load(name)
        sign(world, book)
        assert ask(world, from_mapping(to_mapping(plan_under(book))), book) == number


def test_nothing_of_the_product_goes_round_the_approval() -> None:
    """Outside tests `activate` is called by the approval alone, and only the demo says that it is one."""
    callers, demos = set(), set()
    for top in ("server", "varde", "device_sims", "gateway", "alerts"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and node.attr == "activate":
                    callers.add(str(path.relative_to(ROOT)))
                if isinstance(node, ast.keyword) and node.arg == "demo" and "Approval(" in path.read_text():
                    demos.add(str(path.relative_to(ROOT)))
    # A pause changes nothing but the pauses, and an end nothing but the end.
    assert callers == {"server/care/approval.py", "server/care/pauses.py", "server/care/enrolment.py"}
    assert demos == {"varde/demo/enrol.py", "varde/demo/valley.py"}
