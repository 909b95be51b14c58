"""The town's people on the server's database: once, whole, and found again."""

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.care import plans
from server.care.credentials import actor_of_token
from server.care.kits import connected_gateways
from server.db import tables
from server.db.engine import Database, file_address
from varde.demo.enrol import Enrolled, enrol_once
from varde.demo.folder import Folder, start_clock
from varde.demo.keys import Keys, keys_for
from varde.demo.town import Town, read_town
from vitals.clock import ScaledClock, SystemClock


class Office:
    """A demo's folder with everybody enrolled."""

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)
        self.folder.make()
        self.town: Town = read_town()
        self.keys: Keys = keys_for(self.folder, [*(each.gateway for each in self.town.homes), self.town.script_gateway])
        self.clock: ScaledClock = start_clock(self.folder, SystemClock().now(), 60)
        self.enrolled: Enrolled = self.enrol()

    def enrol(self) -> Enrolled:
        return enrol_once(self.folder, file_address(self.folder.database), self.town, self.keys, self.clock)

    def database(self) -> Database:
        return Database(file_address(self.folder.database))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("office"))


def test_a_second_start_finds_the_same_people_and_adds_nobody(office: Office) -> None:
    assert office.enrol() == office.enrolled
    database = office.database()
    with database.read() as connection:
        counted = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.municipality, tables.team, tables.staff, tables.patient, tables.gateway, tables.device)
        }
    database.close()
    assert counted == {"municipality": 2, "team": 3, "staff": 9, "patient": 16, "gateway": 10, "device": 20}


def test_a_database_that_was_removed_is_filled_again(tmp_path: Path) -> None:
    office = Office(tmp_path)
    for path in tmp_path.glob("varde.db*"):
        path.unlink()
    again = office.enrol()
    assert set(again.patients) == set(office.enrolled.patients)
    assert again.token != office.enrolled.token


def test_every_patient_has_a_plan_with_the_towns_own_numbers(office: Office) -> None:
    database = office.database()
    with database.read() as connection:
        found = {key: plans.active(connection, patient) for key, patient in office.enrolled.patients.items()}
    database.close()
    assert all(found.values())
    gunnar, odd = found["gunnar"], found["odd"]
    assert gunnar is not None
    assert odd is not None
    assert (gunnar.rulebook, "missing_spo2" in gunnar.rules, gunnar.facts.age) == ("covid19", False, 82)
    assert (odd.rulebook, odd.facts.baseline["weight"]) == ("heart_failure", Decimal(82))
    assert gunnar.outside == "response_centre_red"


def test_scripts_and_the_housings_gateway_may_both_speak_for_the_silent_devices(office: Office) -> None:
    device, assignment = tables.device, tables.assignment
    database = office.database()
    with database.read() as connection:
        rows = connection.execute(
            select(device.c.address, assignment.c.gateway_id).join(assignment, assignment.c.device_id == device.c.id)
        ).all()
    database.close()
    silent = {each.address for each in office.town.script_devices()}
    assert {(row.address, row.gateway_id) for row in rows if row.address in silent} == {
        (address, gateway) for address in silent for gateway in ("gw-solbakken", "gw-script")
    }
    assert len(rows) == 19 + len(silent)


def test_the_scripts_token_opens_the_municipality(office: Office) -> None:
    database = office.database()
    with database.read() as connection:
        actor = actor_of_token(connection, office.enrolled.token, SystemClock().now())
        assert connected_gateways(connection, office.clock.epoch) == frozenset()
    database.close()
    assert actor is not None
    assert actor.role == "coordinator"


def test_names_and_national_ids_lie_in_no_file_in_clear_text(office: Office) -> None:
    secrets = [each.encode() for resident in office.town.residents for each in (resident.name, resident.national_id)]
    for path in office.folder.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [each for each in secrets if each in content], path


def test_the_demo_has_texts_kin_messages_and_a_kit_to_hand_out(office: Office) -> None:
    database = office.database()
    with database.read() as connection:
        texts = plans.texts(connection, office.enrolled.patients["kari"])
        scopes = set(map(tuple, connection.execute(select(tables.consent.c.scopes)).scalars()))
        roles = set(connection.execute(select(tables.message.c.role)).scalars())
        kits = connection.execute(select(func.count()).select_from(tables.kit_device)).scalar_one()
        numbers = connection.execute(select(tables.service_agreement.c.phone)).scalars().all()
    database.close()
    assert texts["yellow"].startswith("Du er i gul sone")
    assert scopes == {("messages", "zone"), ("report", "values", "zone")}
    assert roles == {"patient", "kin", "nurse"}
    assert kits == 1
    assert all(numbers)
