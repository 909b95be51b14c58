from datetime import datetime, timedelta

from sqlalchemy import insert, update

from alerts.plan import Period
from server.care import kits, plans
from server.care.kits import NewAssignment, NewGateway
from server.db import tables
from tests.server.plans import activate
from tests.server.world import START, World

SECOND = "gw-fjordvik-2"


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def assign_second(world: World, starts_at: datetime) -> None:
    with world.database.write() as connection:
        kits.enrol_gateway(connection, world.vault, NewGateway(id=SECOND, municipality=world.municipality), START)
        held = NewAssignment(device=world.device, patient=world.patient, gateway=SECOND, starts_at=starts_at)
        kits.assign(connection, held, START)


def end_first(world: World, ends_at: datetime) -> None:
    table = tables.assignment
    with world.database.write() as connection:
        connection.execute(update(table).where(table.c.id == world.assignment).values(ends_at=ends_at))


def outage(world: World, gateway: str, starts_at: datetime, ends_at: datetime | None = None) -> None:
    row = {"municipality_id": world.municipality, "gateway_id": gateway, "starts_at": starts_at, "ends_at": ends_at}
    with world.database.write() as connection:
        connection.execute(insert(tables.gateway_outage).values(row))


def silence(world: World) -> tuple[Period, ...]:
    with world.database.read() as connection:
        return plans.silence(connection, world.patient)


def test_silence_of_the_only_gateway_is_the_patients(world: World) -> None:
    outage(world, world.gateway, at(1), at(2))
    outage(world, world.gateway, at(4))
    assert silence(world) == (Period(start=at(1), end=at(2)), Period(start=at(4)))


def test_a_gateway_speaks_for_a_patient_only_while_it_is_theirs(world: World) -> None:
    outage(world, world.gateway, START - timedelta(days=20), START - timedelta(days=9))  # theirs from ten days ago on
    outage(world, world.gateway, at(0))
    end_first(world, at(2))
    assert silence(world) == (
        Period(start=START - timedelta(days=10), end=START - timedelta(days=9)),
        Period(start=at(0), end=at(2)),
    )
    assign_second(world, at(2))
    activate(world)
    with world.database.read() as connection:
        plan = plans.active(connection, world.patient)
    assert plan is not None
    assert plan.offline == (Period(start=at(0), end=at(2)),)


def test_one_gateway_that_hears_is_enough(world: World) -> None:
    assign_second(world, at(0))
    outage(world, world.gateway, at(1), at(5))
    assert silence(world) == ()
    outage(world, SECOND, at(3), at(8))
    assert silence(world) == (Period(start=at(3), end=at(5)),)


def test_silence_that_passes_from_one_gateway_to_the_next_is_one_silence(world: World) -> None:
    outage(world, world.gateway, at(1))
    end_first(world, at(2))
    assign_second(world, at(2))
    outage(world, SECOND, at(0), at(6))
    assert silence(world) == (Period(start=at(1), end=at(6)),)
