"""Plans for tests of the server: the shipped covid19 rulebook, from a given morning."""

from datetime import timedelta
from uuid import uuid4

from alerts import rulebook
from alerts.plan import Plan
from server.care import plans
from tests.server.world import START, World


def covid_plan() -> Plan:
    settings = {
        "plan_id": str(uuid4()),
        "facts": {"age": 71},
        "timezone": "Europe/Oslo",
        "starts_at": (START - timedelta(hours=12)).isoformat(),
    }
    return rulebook.draft(rulebook.load("covid19"), settings)


def activate(world: World, plan: Plan | None = None) -> Plan:
    """Give the world's patient a plan; returns it as stored."""
    with world.database.write() as connection:
        plans.activate(connection, world.patient, plan or covid_plan(), world.nurse, START)
        stored = plans.active(connection, world.patient)
    assert stored is not None
    return stored
