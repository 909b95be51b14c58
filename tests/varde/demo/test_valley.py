"""The demo's valley: two municipalities, one centre at night, somebody on duty at every hour, and nobody real."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from alerts.fact import Role as Post
from server.access import Actor, Role, scope
from server.care import roster
from server.care.people import find_team
from server.care.reaching import channels_of
from server.db import tables
from server.vault import open_vault
from tests.varde.demo.test_enrol import Office
from vitals.clock import SystemClock


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("valley"))


def test_at_every_hour_of_a_week_somebody_who_can_be_reached_answers(office: Office) -> None:
    database, now = office.database(), SystemClock().now()
    vault = open_vault(office.folder.root / "vault.key", create=False)
    with database.read() as connection:
        home, centre = (find_team(connection, name).id for name in (office.town.team, "Nattsentralen i Vardedalen"))
        for hour in range(24 * 7):
            moment = now + timedelta(hours=hour)
            duty = roster.on_duty(connection, home, moment), roster.on_duty(connection, centre, moment)
            assert Post.DUTY_MANAGER in duty[0], moment
            assert (Post.PRIMARY in duty[0]) != (Post.RESPONSE_CENTRE in duty[1]), moment
            for team, posts in zip((home, centre), duty, strict=True):
                for staff in {each for people in posts.values() for each in people}:
                    assert channels_of(connection, vault, team, staff)
    database.close()


def test_the_centre_serves_both_and_sees_nobody_until_somebody_is_routed_to_it(office: Office) -> None:
    database = office.database()
    with database.read() as connection:
        centre = find_team(connection, "Nattsentralen i Vardedalen")
        table = tables.service_agreement
        served = select(table.c.municipality_id).where(table.c.team_id == centre.id, table.c.kind == "answers")
        assert len(set(connection.execute(served).scalars())) == 2
        nurse = Actor(id="x", role=Role.NURSE, municipality=centre.municipality, team=centre.id, at=office.clock.now())
        patient = tables.patient
        assert connection.execute(scope(select(patient.c.id), patient, nurse)).all() == []
        assert len(connection.execute(select(patient.c.id)).all()) == len(office.town.residents) + 2
    database.close()


def test_its_people_cannot_exist(office: Office) -> None:
    database, vault = office.database(), open_vault(office.folder.root / "vault.key", create=False)
    with database.read() as connection:
        for row in connection.execute(select(tables.channel.c.kind, tables.channel.c.address)):
            address = vault.open(row.address)
            assert address.startswith("+4799900") or address.endswith(".example"), row.kind
        for national_id in connection.execute(select(tables.person.c.national_id)).scalars():
            assert national_id is None or int(vault.open(national_id)[2:4]) > 80
    database.close()
