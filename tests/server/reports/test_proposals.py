"""A proposal from stored readings: what was taken out does not count, and nothing is ever applied."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select

from alerts.proposal import Proposal
from server.care.people import NotFoundError
from server.db import tables
from server.reports.proposals import START_UP, proposal, to_mapping
from server.web.api.lists import exactly
from tests.server.plans import activate
from tests.server.world import START, World, an_id


def measure(world: World, pulses: list[int]) -> None:
    """One reading of that pulse each morning, from the day the plan began."""
    for number, pulse in enumerate(pulses):
        at = START + timedelta(days=number)
        world.record(world.reading(number=number, values={"pulse": Decimal(pulse)}, taken_at=at), now=at)


def asked(world: World) -> Proposal | None:
    with world.database.read() as connection:
        return proposal(connection, world.actor, world.patient)


def test_what_is_stored_makes_a_proposal_and_changes_nothing(world: World) -> None:
    activate(world)
    measure(world, [88, 88, 89, 87, 88, 88, 88, 103])
    before = (world.rows(tables.plan_version), world.count(tables.fact), world.count(tables.audit))
    found = asked(world)
    assert found is not None
    (rule,) = found.rules
    assert (rule.rule, rule.limits[0].in_force, rule.limits[0].proposed) == ("pulse_high", 100, 108)
    told = json.loads(exactly(to_mapping(found)))
    assert told["applied"] is False
    assert told["rules"][0]["limits"] == [
        {"priority": "medium", "in_force": 100, "proposed": 108, "wished": 108, "held_by": None}
    ]
    raised = [told["trial"][side]["episodes_by_rule"].get("pulse_high", 0) for side in ("in_force", "proposed")]
    assert raised == [1, 0]
    assert told["levels"][0] | {"known_from": None} == {
        "metric": "pulse",
        "median": 88,
        "standard_deviation": 0.58,
        "readings": 7,
        "days": 7,
        "known_from": None,
        "set_to": None,
    }
    assert (world.rows(tables.plan_version), world.count(tables.fact), world.count(tables.audit)) == before


def test_a_reading_that_a_person_took_out_does_not_count(world: World) -> None:
    activate(world)
    measure(world, [88, 88, 89, 87, 88, 88, 88])
    row = {"patient_id": world.patient, "municipality_id": world.municipality, "at": START, "kind": "invalidated"}
    with world.database.write() as connection:
        connection.execute(insert(tables.fact).values(**row, why={"reading_id": an_id(3)}))
    found = asked(world)
    assert found is not None
    (level,) = found.levels
    assert (level.readings, level.value) == (6, None)


def test_only_the_start_up_counts(world: World) -> None:
    plan = activate(world)
    late = plan.starts_at + START_UP + timedelta(hours=1)
    world.record(world.reading(number=99, values={"pulse": Decimal(88)}, taken_at=late), now=late)
    found = asked(world)
    assert found is not None
    assert found.levels == ()


def test_nobody_else_and_no_plan(world: World) -> None:
    assert asked(world) is None
    with world.database.read() as connection, pytest.raises(NotFoundError):
        proposal(connection, world.actor, "somebody")
    with world.database.read() as connection:
        assert connection.execute(select(tables.plan_version)).all() == []
