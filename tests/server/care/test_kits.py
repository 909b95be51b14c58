from datetime import timedelta

import pytest

from server.care import kits
from server.care.kits import AssignmentError, NewAssignment, NewGateway
from server.care.people import NewPatient, Person, enrol_patient
from tests.server.world import START, World, make_world
from vitals.topics import TopicError


def second_patient(world: World) -> str:
    new = NewPatient(municipality=world.municipality, team=world.team, person=Person(name="Second"))
    with world.database.write() as connection:
        return enrol_patient(connection, world.vault, new, START)


def assign(world: World, **changed: object) -> str:
    held = {"device": world.device, "patient": world.patient, "gateway": world.gateway, "starts_at": START}
    with world.database.write() as connection:
        return kits.assign(connection, NewAssignment(**(held | changed)), START)  # type: ignore[arg-type]


def test_a_device_has_one_patient_at_a_time(world: World) -> None:
    other = second_patient(world)
    with pytest.raises(AssignmentError, match="already"):
        assign(world, patient=other)
    with world.database.write() as connection:
        kits.end_assignment(connection, world.assignment, START)
    assign(world, patient=other, ends_at=START + timedelta(days=1))  # from the very moment on
    assign(world, starts_at=START + timedelta(days=1))
    with pytest.raises(AssignmentError):
        assign(world, patient=other, starts_at=START - timedelta(days=1), ends_at=START + timedelta(seconds=1))


def test_what_belongs_to_different_municipalities_is_not_put_together(world: World) -> None:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    for changed in ({"gateway": other.gateway}, {"patient": other.patient}, {"device": "no such"}):
        with pytest.raises(AssignmentError, match="one and the same municipality"):
            assign(world, **changed)


def test_a_gateways_id_must_fit_a_topic(world: World) -> None:
    with pytest.raises(TopicError), world.database.write() as connection:
        kits.enrol_gateway(connection, world.vault, NewGateway(id="a/b", municipality=world.municipality), START)
