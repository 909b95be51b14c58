"""Every table, every role: nobody sees what is not theirs."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from server.access import AT_HOME, Action, Actor, RefusedError, Role, action_of, allowed, needs, require, scope, system
from server.care import credentials, people
from server.care.people import NewPatient, Person
from server.db import tables
from server.db.engine import Database
from server.own_rows import Share
from tests.server.plans import activate
from tests.server.world import START, World, make_world

EVERY = tables.metadata.sorted_tables
NOBODYS = {tables.role_beat}  # the installation's own signs of life


def fill(world: World) -> None:
    """A row of this world's in every table that `make_world` and a plan leave empty."""
    activate(world)
    home = {"municipality_id": world.municipality}
    whose = home | {"patient_id": world.patient}
    alert = {
        "id": f"alert-{world.gateway}",
        "rule": "r",
        "state": "active",
        "priority": "low",
        "highest": "low",
        "condition": True,
        "late": False,
        "waiting": False,
        "opened_at": START,
        "level": 0,
        "why": {},
        "body": {},
        "version": 1,
        "updated_at": START,
    }
    seen = {"at": START, "actor": "a", "role": "nurse", "action": "see_patient", "outcome": "done"}
    world.record(world.reading(), world.reading(number=1, device="STRAY"), world.frame())
    with world.database.write() as connection:

        def put(table: Table, row: dict[str, Any]) -> Any:
            return connection.execute(insert(table).values(**row)).inserted_primary_key[0]

        _fill_told(world, put)
        put(tables.evaluation, whose | {"at": START, "plan_version": 1})
        put(tables.memory, whose | {"body": "{}", "zone": "green", "updated_at": START})
        put(tables.alert, whose | alert)
        put(tables.note, whose | {"id": f"note-{world.gateway}", "by": "a", "at": START, "text": "t"})
        put(tables.audit, whose | seen)
        book = {"rulebook": "covid19", "rulebook_version": "1", "digest": "d", "signed_at": START}
        put(tables.rulebook_sign_off, home | book | {"id": f"sign-off-{world.gateway}", "signed_by": world.nurse})
        status = {"online": True, "heard": {}, "versions": {}, "received_at": START}
        put(tables.gateway_status, home | status | {"gateway_id": world.gateway})
        put(tables.gateway_outage, home | {"gateway_id": world.gateway, "starts_at": START})
        put(tables.device_silence, whose | {"device_id": world.device, "heard_at": START, "known_at": START})
        asked = {"id": f"command-{world.gateway}", "gateway_id": world.gateway, "kind": "measure_again"}
        put(tables.gateway_command, home | asked | {"asked_by": "x", "asked_at": START, "expires_at": START})
        _fill_plans(world, put)
        _fill_home(world, put)
        credentials.begin_session(connection, world.nurse, START)
        new = credentials.NewToken(municipality=world.municipality, role=Role.NURSE, label="l", team=world.team)
        credentials.create_token(connection, new, START)


def _fill_home(world: World, put: Callable[[Table, dict[str, Any]], Any]) -> None:
    """A row in every table of `server/db/tables/home.py`."""
    home = {"municipality_id": world.municipality}
    whose = home | {"patient_id": world.patient}
    given = {"scopes": ["zone"], "given_by": "x", "given_role": "patient", "given_at": START}
    put(tables.consent, whose | given | {"id": f"consent-{world.gateway}", "contact_id": f"contact-{world.gateway}"})
    said = {"by": world.patient, "role": "patient", "at": START}
    put(tables.message, whose | said | {"id": f"message-{world.gateway}", "text": b"x"})
    put(tables.self_report, whose | said | {"id": f"report-{world.gateway}"})
    kit = {"gateway_id": world.gateway, "code": world.gateway[-16:], "label": "l", "created_at": START}
    kit_id = put(tables.kit, home | kit | {"id": f"kit-{world.gateway}"})
    put(tables.kit_device, home | {"kit_id": kit_id, "device_id": world.device})
    put(tables.visit_step, whose | {"id": f"step-{world.gateway}", "step": "kit", "by": "x", "at": START})


def _fill_plans(world: World, put: Callable[[Table, dict[str, Any]], Any]) -> None:
    """A row in every table of `server/db/tables/plans.py`."""
    home = {"municipality_id": world.municipality}
    whose = home | {"patient_id": world.patient}
    told: dict[str, Any] = {"body": {}, "texts": {}, "report": {}, "state": "tested", "base_version": 1}
    proposal = put(
        tables.plan_proposal,
        whose | told | {"id": f"p-{world.gateway}", "proposed_by": world.nurse, "proposed_at": START},
    )
    step = {"step": "proposed", "by": world.nurse, "at": START}
    put(tables.plan_step, whose | step | {"plan_proposal_id": proposal})
    put(tables.plan_text, whose | {"version": 1, "green": "g", "yellow": "y", "red": "r"})
    spell = {"starts_at": START, "reason": "holiday", "set_by": world.nurse, "set_at": START}
    put(tables.pause, whose | spell | {"id": f"pause-{world.gateway}"})
    said = {"reference": "1/26", "purpose": "p", "replaces": "r", "decided_by": b"x", "starts_at": START}
    said |= {"recorded_by": world.nurse, "recorded_at": START}
    put(tables.decision, whose | said | {"id": f"decision-{world.gateway}"})
    put(tables.contact, whose | {"id": f"contact-{world.gateway}", "kind": "primary", "name": b"x"})
    put(tables.alert_budget, home | {"team_id": world.team, "alerts": 10, "set_by": world.nurse, "set_at": START})


def _fill_told(world: World, put: Callable[[Table, dict[str, Any]], Any]) -> None:
    """A notice with a delivery and a try, and a row in each table of the team."""
    home = {"municipality_id": world.municipality}
    whose = home | {"patient_id": world.patient}
    team = home | {"team_id": world.team}
    ours = team | {"staff_id": world.nurse}
    number = put(tables.fact, whose | {"at": START, "kind": "notice"})
    step = {"to": "primary", "state": "waiting", "created_at": START}
    number = put(tables.outbox, whose | step | {"fact_seq": number})
    told = {"id": f"delivery-{world.gateway}", "role": "primary", "state": "sent", "tries": 1, "created_at": START}
    told = put(tables.delivery, whose | team | told | {"outbox_seq": number})
    tried = {"channel": "log", "at": START, "outcome": "sent"}
    put(tables.attempt, home | tried | {"outbox_seq": number, "delivery_id": told})
    put(tables.channel, ours | {"id": f"channel-{world.gateway}", "kind": "text", "address": b"x", "place": 1})
    switched = {"digest": world.gateway, "subscription": b"x", "language": "nb", "label": "l", "added_at": START}
    put(tables.browser, home | switched | {"id": f"browser-{world.gateway}", "staff_id": world.nurse})
    span = {"starts_at": START, "ends_at": START}
    put(tables.duty, ours | span | {"id": f"duty-{world.gateway}", "role": "primary", "set_by": "x"})
    put(tables.routing, whose | team | span | {"id": f"routing-{world.gateway}", "reason": "escalated"})
    left = {"id": f"left-{world.gateway}", "to_team_id": world.team, "text": b"x", "by": world.nurse, "at": START}
    put(tables.handover_note, whose | team | left)


@pytest.fixture
def two(world: World) -> tuple[World, World]:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    fill(world)
    fill(other)
    return world, other


def visible(database: Database, table: Table, actor: Actor) -> list[Any]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(scope(select(table), table, actor)).mappings()]


def actors(world: World) -> list[Actor]:
    return [
        Actor(id="x", role=role, municipality=world.municipality, team=world.team)
        for role in Role
        if role is not Role.SYSTEM and role not in AT_HOME
    ]


def at_home(world: World, *shares: Share) -> Actor:
    """The patient of this world; with shares, somebody close to them."""
    home: dict[str, Any] = {"municipality": world.municipality, "patient": world.patient}
    if shares:
        return Actor(id="close", role=Role.KIN, **home, shares=frozenset(shares))
    return Actor(id=world.patient, role=Role.PATIENT, **home)


def test_nobody_sees_a_row_of_another_municipality(two: tuple[World, World]) -> None:
    tables_of_somebody = [each for each in EVERY if each not in NOBODYS]
    for table, (own, foreign) in product(tables_of_somebody, (two, two[::-1])):
        everybodys = visible(own.database, table, system())
        assert any(row["municipality_id"] == foreign.municipality for row in everybodys), table.name
        for actor in actors(own):
            rows = visible(own.database, table, actor)
            assert rows, f"{actor.role} sees none of {table.name}: the test shows nothing"
            assert {row["municipality_id"] for row in rows} == {own.municipality}, (actor.role, table.name)


PATIENTS = [table for table in EVERY if "patient_id" in table.c or table in (tables.patient, tables.person)]


def test_a_nurse_sees_only_the_patients_of_her_team(two: tuple[World, World]) -> None:
    world, _ = two
    with world.database.write() as connection:
        team = people.create_team(connection, world.municipality, "Another team")
    stranger = Actor(id="x", role=Role.NURSE, municipality=world.municipality, team=team)
    with world.database.read() as connection:
        colleagues = set(connection.execute(select(tables.staff.c.person_id)).scalars())
    for table in PATIENTS:
        rows = visible(world.database, table, stranger)
        if table is tables.person:
            assert {row["id"] for row in rows} <= colleagues
        else:
            of_patients = [row for row in rows if row.get("patient_id") is not None or table is tables.patient]
            assert of_patients == [], table.name


def test_a_team_without_a_team_sees_no_patient(two: tuple[World, World]) -> None:
    world, _ = two
    alone = Actor(id="x", role=Role.NURSE, municipality=world.municipality, team=None)
    assert visible(world.database, tables.patient, alone) == []


def test_an_ended_enrolment_ends_the_view(two: tuple[World, World]) -> None:
    world, _ = two
    with world.database.write() as connection:
        connection.execute(tables.enrolment.update().values(state="ended"))
    assert visible(world.database, tables.alert, world.actor) == []


def test_an_agreement_lets_a_team_follow_another_municipalitys_patients_until_it_ends(
    two: tuple[World, World],
) -> None:
    world, other = two
    with world.database.write() as connection:
        agreement = people.agree_on_service(connection, other.municipality, world.team, "08:00-15:30 mon-fri")
        shared = NewPatient(municipality=other.municipality, team=world.team, person=Person(name="Shared"))
        patient = people.enrol_patient(connection, world.vault, shared, START)
    seen = {row["id"] for row in visible(world.database, tables.patient, world.actor)}
    assert seen == {world.patient, patient}  # and not the other team's
    with world.database.write() as connection:
        people.end_service(connection, agreement)
    assert {row["id"] for row in visible(world.database, tables.patient, world.actor)} == {world.patient}


def test_what_no_table_allows_is_refused() -> None:
    technician = Actor(id="x", role=Role.TECHNICIAN, municipality="m")
    assert not allowed(technician, Action.SEE_PATIENT)
    with pytest.raises(RefusedError, match="role technician may not see_patient"):
        require(technician, Action.SEE_PATIENT)
    require(technician, Action.CHANGE_KITS)


def test_a_stranger_may_only_enter() -> None:
    assert [action for action in Action if allowed(None, action)] == [Action.ENTER]


def test_a_route_carries_what_it_declared() -> None:
    @needs(Action.SEE_PATIENT)
    def route() -> None: ...

    assert action_of(route) is Action.SEE_PATIENT
    assert action_of(lambda: None) is None


_OF_ONE = [table for table in EVERY if "patient_id" in table.c or table is tables.patient]


def test_whoever_is_at_home_sees_one_patient_alone(two: tuple[World, World]) -> None:
    world, _ = two
    neighbour = Person(name="Neighbour")
    with world.database.write() as connection:  # of the same team: only the patient tells them apart
        new = NewPatient(municipality=world.municipality, team=world.team, person=neighbour)
        other = people.enrol_patient(connection, world.vault, new, START)
        connection.execute(insert(tables.memory).values(
            patient_id=other, municipality_id=world.municipality, body="{}", zone="red", updated_at=START
        ))  # fmt: skip
    for actor in (at_home(world), at_home(world, *Share)):
        for table in _OF_ONE:
            seen = {row["patient_id" if "patient_id" in row else "id"] for row in visible(world.database, table, actor)}
            assert seen <= {world.patient}, (actor.role, table.name)


def test_the_patient_sees_own_rows_and_no_kit_of_others(two: tuple[World, World]) -> None:
    world, _ = two
    patient = at_home(world)
    for table in (tables.measurement, tables.memory, tables.audit, tables.message, tables.consent, tables.plan_text):
        assert visible(world.database, table, patient), table.name
    for table in (tables.gateway, tables.device, tables.kit, tables.quarantine, tables.session, tables.token):
        assert visible(world.database, table, patient) == [], table.name
    names = {row["id"] for row in visible(world.database, tables.person, patient)}
    assert len(names) == 1  # nobody of the staff has looked or written yet


def test_somebody_close_sees_what_is_shared(two: tuple[World, World]) -> None:
    world, _ = two
    looked_at = (tables.memory, tables.measurement, tables.self_report, tables.message, tables.alert, tables.audit)
    expected = {
        (Share.ZONE,): {"memory"},
        (Share.ZONE, Share.VALUES): {"memory", "measurement", "self_report"},
        (Share.ZONE, Share.MESSAGES): {"memory", "message"},
        (Share.ZONE, Share.REPORT): {"memory"},
    }
    for shares, seen in expected.items():
        kin = at_home(world, *shares)
        assert {table.name for table in looked_at if visible(world.database, table, kin)} == seen, shares


def test_what_somebody_close_may_do_is_what_is_shared() -> None:
    kin = Actor(id="x", role=Role.KIN, municipality="m", patient="p", shares=frozenset({Share.ZONE, Share.VALUES}))
    assert {action for action in Action if allowed(kin, action)} == {
        Action.ENTER,
        Action.SEE_OWN_ZONE,
        Action.SEE_OWN_VALUES,
    }
    nothing = Actor(id="x", role=Role.KIN, municipality="m", patient="p")
    assert [action for action in Action if allowed(nothing, action)] == [Action.ENTER]
