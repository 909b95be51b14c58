"""A centre that answers at night for two municipalities: whom it sees, of whom, since when, and until when."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, select, update

from alerts.command import Action as Signal
from alerts.plan import Outside, read_hours
from server.access import Actor, Role, scope
from server.actions import Click, act
from server.care import people
from server.care.people import NewPatient, NotFoundError, Person
from server.care.routing import Reason, Route, route, route_escalated
from server.db import tables
from server.watch.evaluate import evaluate
from tests.server.plans import activate, covid_plan
from tests.server.test_access import EVERY, NOBODYS, fill, visible
from tests.server.world import START, World, make_world

DAY = START + timedelta(hours=4)  # Monday noon in Oslo
NIGHT = START.replace(hour=23)  # midnight
MORNING = START.replace(day=3, hour=7)  # Tuesday 08:00


@dataclass(frozen=True, slots=True, kw_only=True)
class Valley:
    """Two municipalities, and a centre in the first of them that answers for both."""

    one: World
    two: World
    centre: str
    nurse: str

    def actor(self, at: Any) -> Actor:
        return Actor(id=self.nurse, role=Role.NURSE, municipality=self.one.municipality, team=self.centre, at=at)

    def sees(self, table: Table, at: Any) -> list[dict[str, Any]]:
        return visible(self.one.database, table, self.actor(at))

    def patients(self, at: Any) -> set[str]:
        return {row["id"] for row in self.sees(tables.patient, at)}

    def send(self, world: World, *, at: Any = NIGHT) -> None:
        with world.database.write() as connection:
            route(connection, Route(patient=world.patient, team=self.centre, reason=Reason.ESCALATED), at)


@pytest.fixture
def valley(world: World) -> Valley:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    with world.database.write() as connection:
        centre = people.create_centre(connection, world.municipality, "Nattsentralen")
        nurse = people.employ(connection, world.vault, centre, Role.NURSE, Person(name="Nina"))
        for each in (world, other):
            people.agree_on_service(connection, each.municipality, centre, "22:00-07:00", kind="answers")
    for each in (world, other):
        fill(each)
        hours = read_hours("08:00-15:30 mon-fri", "hours")
        activate(each, replace(covid_plan(), hours=hours, outside=Outside.RESPONSE_CENTRE_RED))
    return Valley(one=world, two=other, centre=centre, nurse=nurse)


OF_PATIENTS = [table for table in EVERY if table is tables.patient or "patient_id" in table.c]


def test_it_sees_nobody_who_is_not_routed_to_it(valley: Valley) -> None:
    for table in OF_PATIENTS:
        assert valley.sees(table, NIGHT) == [], table.name
    names = {row["id"] for row in valley.sees(tables.person, NIGHT)}
    with valley.one.database.read() as connection:
        staff = set(connection.execute(select(tables.staff.c.person_id)).scalars())
    assert names <= staff


def test_it_sees_all_of_whom_it_was_told_about_and_nothing_of_anybody_else(valley: Valley) -> None:
    valley.send(valley.two)
    for table in OF_PATIENTS:
        rows = valley.sees(table, NIGHT)
        of = {row["id" if table is tables.patient else "patient_id"] for row in rows}
        assert of <= {valley.two.patient}, table.name
    for table in (tables.patient, tables.alert, tables.measurement, tables.reading, tables.fact, tables.plan_version):
        assert valley.sees(table, NIGHT), f"{table.name}: the test shows nothing"
    name = select(tables.patient.c.person_id).where(tables.patient.c.id == valley.two.patient)
    with valley.one.database.read() as connection:
        assert connection.execute(name).scalar() in {row["id"] for row in valley.sees(tables.person, NIGHT)}


def test_what_is_not_the_patients_stays_with_their_municipality(valley: Valley) -> None:
    valley.send(valley.two)
    named = {tables.team, tables.staff, tables.person}  # who took it must have a name
    for table in [each for each in EVERY if each not in NOBODYS | named]:
        for row in valley.sees(table, NIGHT):
            if row["municipality_id"] == valley.two.municipality:
                assert row["id" if table is tables.patient else "patient_id"] == valley.two.patient, row


def test_it_sees_them_until_the_service_opens_and_not_a_second_longer(valley: Valley) -> None:
    valley.send(valley.one)
    assert valley.patients(NIGHT) == {valley.one.patient}
    assert valley.patients(NIGHT - timedelta(seconds=1)) == set()
    assert valley.patients(MORNING - timedelta(seconds=1)) == {valley.one.patient}
    assert valley.patients(MORNING) == set()
    assert valley.patients(None) == set()  # who does not say when is shown nobody


def test_by_day_nobody_is_routed(valley: Valley) -> None:
    valley.send(valley.one, at=DAY)
    assert valley.patients(DAY) == set()
    assert [row for row in valley.one.rows(tables.routing) if row["team_id"] == valley.centre] == []


def test_an_agreement_that_ends_takes_them_out_of_sight(valley: Valley) -> None:
    valley.send(valley.two)
    with valley.one.database.write() as connection:
        ended = update(tables.service_agreement).where(tables.service_agreement.c.team_id == valley.centre)
        theirs = tables.service_agreement.c.municipality_id == valley.two.municipality
        connection.execute(ended.where(theirs).values(state="ended"))
    assert valley.patients(NIGHT) == set()


def test_to_follow_somebody_takes_more_than_an_agreement_to_answer(valley: Valley) -> None:
    with valley.one.database.write() as connection:
        new = NewPatient(municipality=valley.two.municipality, team=valley.centre, person=Person(name="Slip"))
        people.enrol_patient(connection, valley.one.vault, new, START)
    assert valley.patients(NIGHT) == set()


def test_a_guessed_id_is_not_found(valley: Valley) -> None:
    valley.send(valley.one)
    alert = f"alert-{valley.two.gateway}"
    with pytest.raises(NotFoundError), valley.one.database.write() as connection:
        act(connection, valley.actor(NIGHT), Click(alert=alert, signal=Signal.ACKNOWLEDGE), NIGHT)
    by_id = select(tables.patient).where(tables.patient.c.id == valley.two.patient)
    with valley.one.database.read() as connection:
        assert connection.execute(scope(by_id, tables.patient, valley.actor(NIGHT))).first() is None


def test_what_somebody_of_the_centre_took_on_stays_in_sight_until_somebody_else_has_it(valley: Valley) -> None:
    valley.send(valley.one)
    own = tables.alert.c.id == f"alert-{valley.one.gateway}"
    with valley.one.database.write() as connection:
        connection.execute(update(tables.alert).where(own).values(state="acknowledged", owner=valley.nurse))
    assert valley.patients(MORNING) == {valley.one.patient}
    for after in ({"owner": valley.one.nurse}, {"owner": valley.nurse, "state": "resolved"}):
        with valley.one.database.write() as connection:
            connection.execute(update(tables.alert).where(own).values(**after))
        assert valley.patients(MORNING) == set(), after


def test_both_sides_of_an_agreement_know_each_others_names_and_no_way_to_reach_them(valley: Valley) -> None:
    other = replace(valley.two.actor, at=NIGHT)
    with valley.one.database.write() as connection:
        way = {"id": "w", "municipality_id": valley.one.municipality, "team_id": valley.centre, "kind": "text"}
        connection.execute(insert(tables.channel).values(**way, staff_id=valley.nurse, address=b"x", place=1))
    assert valley.nurse in {row["id"] for row in visible(valley.one.database, tables.staff, other)}
    assert valley.two.nurse in {row["id"] for row in valley.sees(tables.staff, NIGHT)}
    theirs = {row["team_id"] for row in visible(valley.one.database, tables.channel, other)}
    assert valley.centre not in theirs


def test_a_red_alert_at_night_routes_its_patient_in_the_transaction_that_tells_the_centre(valley: Valley) -> None:
    world = valley.two
    with world.database.write() as connection:  # what the other tests look at was not made by the rules
        for table in (tables.memory, tables.alert):
            connection.execute(delete(table))
    for minutes in (0, 2):  # the second confirms the first
        taken = NIGHT + timedelta(minutes=minutes)
        low = {"spo2": Decimal(84), "pulse": Decimal(120)}
        world.record(world.reading(number=50 + minutes, values=low, taken_at=taken), now=taken)
        with world.database.write() as connection:
            evaluate(connection, world.patient, taken)
    told = {row["to"] for row in world.rows(tables.outbox) if row["created_at"] >= NIGHT}
    assert "response_centre" in told
    assert valley.patients(NIGHT + timedelta(minutes=3)) == {world.patient}


def test_only_what_was_agreed_on_is_routed(valley: Valley) -> None:
    with valley.one.database.write() as connection:
        connection.execute(update(tables.service_agreement).values(priorities=["critical"]))
        fact = {"to": "response_centre", "patient_id": valley.one.patient, "priority": "high"}
        route_escalated(connection, [fact], NIGHT)
    assert valley.patients(NIGHT) == set()
