from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from alerts import memory as memories
from server.care import kits
from server.care.kits import AssignmentError, NewAssignment, NewGateway
from server.care.people import NewPatient, Person, enrol_patient
from server.db import tables
from server.watch.evaluate import evaluate
from tests.server.plans import activate
from tests.server.world import START, World, an_id, make_world, reading
from vitals.topics import Lane, TopicError
from vitals.wire import render_reading

SECOND = "gw-fjordvik-2"
HANDED_OVER = START - timedelta(minutes=5)  # before reading 5, after reading 4
WRITTEN_DOWN = START + timedelta(hours=1)


def second_patient(world: World) -> str:
    new = NewPatient(municipality=world.municipality, team=world.team, person=Person(name="Second"))
    with world.database.write() as connection:
        return enrol_patient(connection, world.vault, new, START)


def assign(world: World, **changed: object) -> str:
    held = {"device": world.device, "patient": world.patient, "gateway": world.gateway, "starts_at": START}
    with world.database.write() as connection:
        return kits.assign(connection, NewAssignment(**(held | changed)), START)  # type: ignore[arg-type]


def end(world: World, **changed: object) -> None:
    told = {"assignment": world.assignment, "ends_at": HANDED_OVER, "now": WRITTEN_DOWN} | changed
    with world.database.write() as connection:
        kits.end_assignment(connection, **told)  # type: ignore[arg-type]


def judge(world: World, patient: str) -> None:
    with world.database.write() as connection:
        evaluate(connection, patient, WRITTEN_DOWN)


def owners(world: World) -> list[tuple[str | None, str | None]]:
    return [(row["patient_id"], row["unclaimed"]) for row in world.rows(tables.reading)]


def heard_by_second(world: World, key: bytes, number: int) -> tuple[str, bytes]:
    return world.sealed(Lane.READINGS, render_reading(reading(number)), key=key, gateway=SECOND)


def enrol_second(world: World) -> bytes:
    with world.database.write() as connection:
        return kits.enrol_gateway(
            connection, world.vault, NewGateway(id=SECOND, municipality=world.municipality), START
        )


def test_a_device_has_one_patient_at_a_time(world: World) -> None:
    other = second_patient(world)
    with pytest.raises(AssignmentError, match="already"):
        assign(world, patient=other)
    with world.database.write() as connection:
        kits.end_assignment(connection, world.assignment, START, START)
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


def test_a_hand_over_written_down_afterwards_takes_its_readings_along(world: World) -> None:
    activate(world)
    other = second_patient(world)
    low = {"spo2": Decimal(80), "pulse": Decimal(71)}
    world.record(world.reading(number=4), world.reading(number=5, values=low), world.reading(number=6, values=low))
    judge(world, world.patient)
    assert world.count(tables.alert) > 0
    end(world)
    assert owners(world) == [(world.patient, None), (None, "not_assigned"), (None, "not_assigned")]
    assert {(r["reading_seq"], r["patient_id"]) for r in world.rows(tables.measurement)} == {
        (1, world.patient),
        (2, None),
        (3, None),
    }
    assign(world, patient=other, starts_at=HANDED_OVER)
    assert owners(world) == [(world.patient, None), (other, None), (other, None)]
    assert [r["patient_id"] for r in world.rows(tables.measurement)] == [world.patient] * 2 + [other] * 4
    assert [r["evaluation_seq"] for r in world.rows(tables.reading)] == [1, None, None]  # not judged for the other
    assert {r["patient_id"] for r in world.rows(tables.due)} == {world.patient, other}


def test_the_rules_forget_what_was_another_patients_but_no_click(world: World) -> None:
    activate(world)
    low = {"spo2": Decimal(80), "pulse": Decimal(71)}
    world.record(world.reading(number=4), world.reading(number=5, values=low), world.reading(number=6, values=low))
    judge(world, world.patient)
    (row,) = world.rows(tables.memory)
    assert an_id(6) in row["body"]
    with world.database.write() as connection:
        clicked = replace(memories.load(row["body"]), unused=((an_id("clicked"), "spo2"),))
        connection.execute(update(tables.memory).values(body=memories.dump(clicked)))
    end(world)
    assert [r["evaluate_at"] <= WRITTEN_DOWN for r in world.rows(tables.due)] == [True]
    judge(world, world.patient)
    (row,) = world.rows(tables.memory)
    assert an_id(5) not in row["body"]
    assert an_id(6) not in row["body"]
    assert memories.load(row["body"]).unused == ((an_id("clicked"), "spo2"),)
    assert [r["condition"] for r in world.rows(tables.alert)] == [False] * world.count(tables.alert)


def test_an_end_that_takes_nothing_back_asks_nobody(world: World) -> None:
    world.record(world.reading(number=4))
    with world.database.write() as connection:
        connection.execute(tables.due.delete())
    end(world)
    assert owners(world) == [(world.patient, None)]
    assert world.count(tables.due) == 0


def test_what_another_gateway_of_the_patient_heard_too_stays_theirs(world: World) -> None:
    key = enrol_second(world)
    assign(world, gateway=SECOND, starts_at=START - timedelta(days=1))
    world.record(world.reading(number=6))
    world.record(heard_by_second(world, key, 6))
    assert owners(world) == [(world.patient, None), (None, "heard_twice")]
    end(world)
    assert owners(world) == [(None, "not_assigned"), (world.patient, None)]


def test_an_assignment_cannot_end_before_it_starts(world: World) -> None:
    before = START - timedelta(days=10, seconds=1)
    with pytest.raises(AssignmentError, match=r"ends_at: .* before the start"):
        end(world, ends_at=before)
    with pytest.raises(AssignmentError, match=r"ends_at: .* before the start"):
        assign(world, starts_at=START - timedelta(days=12), ends_at=START - timedelta(days=13))
    with pytest.raises(AssignmentError, match="assignment: "):
        end(world, assignment="no such")
    assert [row["ends_at"] for row in world.rows(tables.assignment)] == [None]


def test_a_second_gateway_assigned_later_brings_no_reading_twice(world: World) -> None:
    key = enrol_second(world)
    world.record(world.reading(number=1))
    world.record(heard_by_second(world, key, 1), heard_by_second(world, key, 2))
    assign(world, gateway=SECOND, starts_at=START - timedelta(days=1))
    assert owners(world) == [(world.patient, None), (None, "heard_twice"), (world.patient, None)]
    assert [r["patient_id"] for r in world.rows(tables.measurement) if r["reading_seq"] == 2] == [None, None]


def test_the_database_itself_refuses_a_patients_reading_twice(world: World) -> None:
    key = enrol_second(world)
    world.record(world.reading(number=1))
    world.record(heard_by_second(world, key, 1))
    twice = update(tables.reading).where(tables.reading.c.gateway_id == SECOND).values(patient_id=world.patient)
    with pytest.raises(IntegrityError), world.database.write() as connection:
        connection.execute(twice)
