"""A device changes hands while readings of it are being stored, or their patient is being judged."""

import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from alerts import memory as memories
from server.care import kits
from server.care.kits import AssignmentError, NewAssignment
from server.care.people import NewPatient, Person, enrol_patient
from server.db import tables
from server.ingest.batch import take_in
from server.ingest.gateways import KeyRing
from server.watch.evaluate import evaluate
from tests.server.plans import activate
from tests.server.world import START, World, an_id

Work = Callable[[World, Connection], None]
AN_HOUR = timedelta(hours=1)

pytestmark = pytest.mark.parametrize("address", ["cluster"], indirect=True)  # a file has a single writer


def store(world: World, connection: Connection) -> None:
    take_in(connection, KeyRing(world.vault), [world.reading(number=1)], START)


def judge(world: World, connection: Connection) -> None:
    evaluate(connection, world.patient, START)


def end(world: World, connection: Connection) -> None:
    kits.end_assignment(connection, world.assignment, START - AN_HOUR, START)


def give(world: World, connection: Connection, patient: str | None = None) -> None:
    new = NewAssignment(
        device=world.device, patient=patient or world.patient, gateway=world.gateway, starts_at=START - AN_HOUR
    )
    kits.assign(connection, new, START)


def meet(world: World, first: Work, second: Work) -> list[Exception]:
    """`second` begins when `first` has done its work, which is committed once the other waits or is done."""
    worked, meeting, failed = threading.Event(), threading.Event(), list[Exception]()

    def run(work: Work, met: bool) -> None:
        try:
            with world.database.write() as connection:
                work(world, connection)
                worked.set()
                assert met or meeting.wait(10)
        except AssignmentError as error:
            failed.append(error)

    one = threading.Thread(target=run, args=(first, False))
    other = threading.Thread(target=run, args=(second, True))
    one.start()
    assert worked.wait(10)
    other.start()
    deadline = time.monotonic() + 10
    while other.is_alive() and not waits(world):
        assert time.monotonic() < deadline, "the second neither waits nor ends"
    meeting.set()
    one.join()
    other.join()
    return failed


def waits(world: World) -> bool:
    with world.database.glance() as connection:
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(connection.execute(waiting).scalar())


@pytest.mark.parametrize("order", [(store, end), (end, store)])
def test_a_reading_on_its_way_is_nobodys_once_the_device_was_taken_back(world: World, order: tuple[Work, Work]) -> None:
    meet(world, *order)
    (row,) = world.rows(tables.reading)
    assert (row["patient_id"], row["unclaimed"]) == (None, "not_assigned")


@pytest.mark.parametrize("order", [(store, give), (give, store)])
def test_a_reading_on_its_way_is_whose_the_device_became(world: World, order: tuple[Work, Work]) -> None:
    with world.database.write() as connection:
        kits.end_assignment(connection, world.assignment, START - 2 * AN_HOUR, START)
    meet(world, *order)
    (row,) = world.rows(tables.reading)
    assert (row["patient_id"], row["unclaimed"]) == (world.patient, None)
    assert world.count(tables.due) == 1, "and the rules are asked"


def test_two_who_give_the_same_device_away_do_not_both_succeed(world: World) -> None:
    with world.database.write() as connection:
        kits.end_assignment(connection, world.assignment, START - 2 * AN_HOUR, START)
        new = NewPatient(municipality=world.municipality, team=world.team, person=Person(name="Second"))
        second = enrol_patient(connection, world.vault, new, START)
    (error,) = meet(world, give, lambda world, connection: give(world, connection, second))
    assert "already" in str(error)


@pytest.mark.parametrize("order", [(judge, end), (end, judge)])
def test_who_is_being_judged_forgets_what_was_taken_back_all_the_same(world: World, order: tuple[Work, Work]) -> None:
    activate(world)
    world.record(world.reading(number=1))
    with world.database.write() as connection:
        judge(world, connection)
    world.record(world.reading(number=2))
    meet(world, *order)
    with world.database.write() as connection:
        judge(world, connection)
    (row,) = world.rows(tables.memory)
    assert not memories.load(row["body"]).stale
    assert not {an_id(1), an_id(2)} & set(re.findall(r"[0-9a-f-]{36}", row["body"])), "nothing of somebody else's"
