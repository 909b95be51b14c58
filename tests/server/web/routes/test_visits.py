"""The home visit as a nurse makes it: enrol, hand out a kit by its code, pair, see the first value, tick the rest."""

import random
import re
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from server.care import kits, people
from server.care.home_visit import is_national_id
from server.care.people import NewPatient, Person
from server.db import tables
from server.web.views.stickers import picture
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import GATEWAY, NOW, Hamlet

FILLED = {
    "name": "Prøve Testesen",
    "national_id": "148348 11899",
    "reference": "2026/417",
    "purpose": "Følge oksygenmetningen hjemme",
    "replaces": "To besøk i uken",
    "decided_by": "Tildelingskontoret",
    "matters": "Å være hjemme.",
}


@pytest.fixture
def ingrid(visitor: Visitor) -> TestClient:
    return visitor("ingrid")


def rows(lia: Hamlet, table: Any) -> list[Any]:
    with lia.parts.database.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)).mappings())


def enrolled(anna: TestClient) -> str:
    """The address of the visit of somebody who was enrolled just now."""
    sent = anna.post("/visits/new", data=FILLED)
    assert sent.status_code == 303
    return str(sent.headers["location"].partition("?")[0])


def a_kit(lia: Hamlet, ingrid: TestClient, address: str = "AA:BB:CC:DD:00:01") -> str:
    with lia.parts.database.write() as connection:
        device = kits.register_device(connection, lia.municipality, address, "oximeter", "Varde Sim")
    sent = ingrid.post("/kits/stickers", data={"label": "Koffert 7", "gateway": GATEWAY, f"device-{device}": "yes"})
    assert sent.headers["location"] == "/kits/stickers?done=kit_made"
    return str(rows(lia, tables.kit)[-1]["code"])


def done_steps(page: str) -> set[str]:
    return set(re.findall(r'data-done id="step-([a-z_]+)"', page))


def test_a_visit_from_the_decision_to_the_first_measurement(lia: Hamlet, anna: TestClient, ingrid: TestClient) -> None:
    visit = enrolled(anna)
    patient = visit.split("/")[2]
    (decision,) = rows(lia, tables.decision)
    assert (decision["patient_id"], decision["replaces"]) == (patient, "To besøk i uken")
    assert done_steps(anna.get(visit).text) == {"decision"}

    code = a_kit(lia, ingrid)
    assert anna.post(f"/patients/{patient}/kit", data={"code": f"{code[:4]} {code[4:].lower()}"}).status_code == 303
    assert done_steps(anna.get(visit).text) == {"decision", "kit"}

    asked = {"kind": "pairing_window", "device": "AA:BB:CC:DD:00:01", "back": visit}
    assert anna.post(f"/gateways/{GATEWAY}/commands", data=asked).headers["location"] == f"{visit}?done=asked_gateway"
    assert anna.post(f"/gateways/{GATEWAY}/commands", data=asked | {"passkey": "x"}).status_code == 422

    lia.patients["new"] = patient
    lia.hear("new", spo2=96, pulse=70)
    page = anna.get(visit).text
    assert done_steps(page) == {"decision", "kit"}  # another device's reading is nobody's
    lia.patients.pop("new")

    for step in ("paired", "own_page", "numbers", "kin"):
        assert anna.post(visit, data={"step": step, "done": "yes"}).status_code == 303
    assert done_steps(anna.get(visit).text) == {"decision", "kit", "paired", "own_page", "numbers", "kin"}
    anna.post(visit, data={"step": "kin"})
    assert "kin" not in done_steps(anna.get(visit).text)
    logged = {row["subject"] for row in rows(lia, tables.audit) if row["action"] == "visit_home"}
    assert {"paired", "kin"} <= logged


def test_the_first_value_of_the_kit_is_seen(lia: Hamlet, anna: TestClient) -> None:
    visit = f"/patients/{lia.patients['gunnar']}/visit"
    assert "first_measurement" not in done_steps(anna.get(visit).text)
    lia.hear("gunnar", spo2=96, pulse=70)
    page = anna.get(f"/parts{visit}").text
    assert "first_measurement" in done_steps(page)
    assert "96" in page


def test_a_kit_that_somebody_has_goes_to_nobody_else(lia: Hamlet, anna: TestClient, ingrid: TestClient) -> None:
    visit, code = enrolled(anna), a_kit(lia, ingrid)
    patient = visit.split("/")[2]
    anna.post(f"/patients/{patient}/kit", data={"code": code})
    for who in (lia.patients["gunnar"], patient):
        again = anna.post(f"/patients/{who}/kit", data={"code": code})
        assert again.status_code == 422
        assert "leveres tilbake først" in again.text
    assert len([row for row in rows(lia, tables.assignment) if row["patient_id"] == patient]) == 1
    assert anna.post(f"/patients/{patient}/kit/back", data={"code": code}).status_code == 303
    assert anna.post(f"/patients/{patient}/kit/back", data={"code": code}).status_code == 404


def test_a_sticker_leads_to_the_kit_and_those_without_one(lia: Hamlet, anna: TestClient, ingrid: TestClient) -> None:
    visit, code = enrolled(anna), a_kit(lia, ingrid)
    page = anna.get(f"/k/{code}").text
    assert "Prøve Testesen" in page
    assert "Gunnar Prøvedal" not in page  # has one
    assert anna.post(f"/k/{code}", data={}).status_code == 422
    given = anna.post(f"/k/{code}", data={"patient": visit.split("/")[2]})
    assert given.headers["location"] == f"{visit}?done=kit_handed_out"
    assert anna.get("/k/NOSUCHKIT").status_code == 404


def test_nobody_hands_out_to_patients_of_others(lia: Hamlet, anna: TestClient, ingrid: TestClient) -> None:
    code = a_kit(lia, ingrid)
    with lia.parts.database.write() as connection:
        team = people.create_team(connection, lia.municipality, "Another team")
        new = NewPatient(municipality=lia.municipality, team=team, person=Person(name="Of others"))
        stranger = people.enrol_patient(connection, lia.parts.vault, new, NOW)
    assert anna.post(f"/k/{code}", data={"patient": stranger}).status_code == 404
    assert anna.get(f"/patients/{stranger}/visit").status_code == 404
    assert anna.post(f"/patients/{stranger}/visit", data={"step": "kin", "done": "yes"}).status_code == 404
    assert anna.get(f"/patients/{stranger}/messages").status_code == 404
    assert anna.get(f"/patients/{stranger}/sharing").status_code == 404
    assert rows(lia, tables.visit_step) == []


def test_the_same_person_is_enrolled_once_and_mistakes_are_told(lia: Hamlet, anna: TestClient) -> None:
    wrong = anna.post("/visits/new", data=FILLED | {"national_id": "12345678901", "purpose": " "})
    assert wrong.status_code == 422
    assert 'id="wrong-national_id"' in wrong.text
    assert 'id="wrong-purpose"' in wrong.text
    assert 'value="Prøve Testesen"' in wrong.text
    before = len(rows(lia, tables.patient))
    enrolled(anna)
    twice = anna.post("/visits/new", data=FILLED)
    assert twice.status_code == 422
    assert len(rows(lia, tables.patient)) == before + 1


@pytest.mark.parametrize("path", ["/visits/new", "/kits/stickers"])
def test_whatever_is_sent_gives_a_page(lia: Hamlet, ingrid: TestClient, path: str) -> None:
    chance = random.Random(path)
    names = [*FILLED, "label", "gateway", "device-nobody", "token"]
    texts = ["", " ", "x" * 9000, "<script>alert(1)</script>", "\x00", "🫀", "'; DROP TABLE kit;--", GATEWAY, "٣"]
    for _ in range(15):
        typed = {name: chance.choice(texts) for name in chance.sample(names, chance.randint(0, len(names)))}
        answer = ingrid.post(path, data=typed)
        assert answer.status_code in (303, 422), typed
        assert "<script>alert" not in answer.text
    assert rows(lia, tables.kit) == []


@pytest.mark.parametrize("who", ["gunnar", "tore", None])
def test_a_visit_is_made_by_those_who_follow_up(lia: Hamlet, visitor: Visitor, who: str | None) -> None:
    expected = 303 if who is None else 403
    for path in ("/visits/new", f"/patients/{lia.patients['gunnar']}/visit", "/k/ABCD2345"):
        assert visitor(who).get(path).status_code == expected


@pytest.mark.parametrize(
    ("text", "good"),
    [("14834811899", True), ("14834811898", False), ("1483481189", False), ("１4834811899", False), ("", False)],
)
def test_a_national_id_has_its_control_digits(text: str, good: bool) -> None:
    assert is_national_id(text) is good


def test_a_sticker_shows_its_three_corners_in_a_quiet_zone() -> None:
    drawn = picture("https://varde.example/k/ABCD2345")
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn.path)}
    last = drawn.size - 5
    assert min(x for x, _ in dark) == min(y for _, y in dark) == 4
    assert max(x for x, _ in dark) == max(y for _, y in dark) == last
    for x, y in ((4, 4), (last - 6, 4), (4, last - 6)):  # each a ring of seven with a square of three in it
        ring = {(x + i, y + j) for i in range(7) for j in range(7) if i in (0, 6) or j in (0, 6)}
        assert ring <= dark
        assert {(x + 2 + i, y + 2 + j) for i in range(3) for j in range(3)} <= dark
        assert (x + 1, y + 1) not in dark
