from datetime import timedelta

import pytest

from server.access import Actor, Role
from server.care import credentials
from server.care.credentials import SESSION_LASTS, NewToken
from server.db import tables
from tests.server.world import START, World


def make_token(world: World, **changed: object) -> str:
    fields = {"municipality": world.municipality, "role": Role.NURSE, "label": "test", "team": world.team}
    with world.database.write() as connection:
        return credentials.create_token(connection, NewToken(**(fields | changed)), START)  # type: ignore[arg-type]


def test_a_token_names_its_carrier_and_only_its_digest_is_stored(world: World) -> None:
    secret = make_token(world)
    (row,) = world.rows(tables.token)
    assert secret.startswith("varde_")
    assert secret not in str(row)
    with world.database.read() as connection:
        actor = credentials.actor_of_token(connection, secret, START)
        assert credentials.actor_of_token(connection, secret + "x", START) is None
    assert actor == Actor(id=row["id"], role=Role.NURSE, municipality=world.municipality, team=world.team)


def test_a_token_ends_by_time_or_by_being_taken_back(world: World) -> None:
    short = make_token(world, expires_at=START + timedelta(hours=1))
    with world.database.write() as connection:
        assert credentials.actor_of_token(connection, short, START) is not None
        assert credentials.actor_of_token(connection, short, START + timedelta(hours=1)) is None
        credentials.revoke_token(connection, world_token_id(world), START)
        assert credentials.actor_of_token(connection, short, START) is None


def world_token_id(world: World) -> str:
    return str(world.rows(tables.token)[0]["id"])


def test_nobody_is_given_the_servers_own_role(world: World) -> None:
    with pytest.raises(ValueError, match="role"):
        make_token(world, role=Role.SYSTEM)


def test_a_session_begins_ends_and_runs_out(world: World) -> None:
    with world.database.write() as connection:
        secret = credentials.begin_session(connection, world.nurse, START)
        assert secret is not None
        assert credentials.actor_of_session(connection, secret, START) == world.actor
        assert credentials.actor_of_session(connection, secret, START + SESSION_LASTS) is None
        credentials.end_session(connection, secret)
        assert credentials.actor_of_session(connection, secret, START) is None


def test_who_no_longer_works_here_is_out_at_once(world: World) -> None:
    with world.database.write() as connection:
        secret = credentials.begin_session(connection, world.nurse, START)
        connection.execute(tables.staff.update().values(active=False))
        assert secret is not None
        assert credentials.actor_of_session(connection, secret, START) is None
        assert credentials.begin_session(connection, world.nurse, START) is None


def test_a_patients_token_opens_one_patient_until_the_follow_up_ends(world: World) -> None:
    secret = make_token(world, role=Role.PATIENT, team=None, patient=world.patient)
    with world.database.write() as connection:
        actor = credentials.actor_of_token(connection, secret, START)
        assert actor is not None
        assert (actor.role, actor.patient) == (Role.PATIENT, world.patient)
        connection.execute(tables.enrolment.update().values(state="ended"))
        assert credentials.actor_of_token(connection, secret, START) is None


def test_a_patients_session_ends_with_the_follow_up(world: World) -> None:
    with world.database.write() as connection:
        secret = credentials.begin_patients_session(connection, world.patient, START)
        assert secret is not None
        actor = credentials.actor_of_session(connection, secret, START)
        assert actor is not None
        assert (actor.role, actor.patient, actor.team) == (Role.PATIENT, world.patient, None)
        assert credentials.actor_of_session(connection, secret, START + SESSION_LASTS) is None
        connection.execute(tables.enrolment.update().values(state="ended"))
        assert credentials.actor_of_session(connection, secret, START) is None
        assert credentials.begin_patients_session(connection, world.patient, START) is None
    for nobody in ("", "no such id", world.nurse):
        with world.database.write() as connection:
            assert credentials.begin_patients_session(connection, nobody, START) is None
            assert credentials.begin_kins_session(connection, nobody, START) is None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"role": Role.KIN}, "outlive"),
        ({"role": Role.PATIENT}, "must be named"),
        ({"patient": "somebody"}, "and for no other"),
    ],
)
def test_a_token_for_a_home_names_one_patient(world: World, changed: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make_token(world, **changed)
