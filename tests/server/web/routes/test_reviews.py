"""All green patients acknowledged with one click: who was shown, if still green and nothing came since."""

import re

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from server.care import people
from server.care.people import NewPatient, Person
from server.db import tables
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import NOW, Hamlet


@pytest.fixture
def calm(lia: Hamlet) -> Hamlet:
    """Peder and Olga are well and have measured; Ella is well and has not."""
    for who in ("peder", "olga"):
        lia.hear(who, spo2=97, pulse=70)
    for who in ("peder", "olga", "ella"):
        with lia.parts.database.write() as connection:
            connection.execute(tables.memory.delete().where(tables.memory.c.patient_id == lia.patients[who]))
        lia.zone(who, "green")
    return lia


def _sent(html: str) -> dict[str, list[str] | str]:
    as_of = re.search(r'name="as_of" value="([^"]+)"', html)
    assert as_of
    return {"as_of": as_of[1], "patient": re.findall(r'name="patient" value="([^"]+)"', html)}


def _reviews(lia: Hamlet) -> list[tuple[str, str]]:
    entry = tables.audit.c
    with lia.parts.database.read() as connection:
        rows = connection.execute(select(entry.actor, entry.patient_id).where(entry.action == "review"))
        return sorted((row.actor, row.patient_id) for row in rows)


def test_everybody_who_is_green_is_acknowledged_with_one_click(calm: Hamlet, anna: TestClient) -> None:
    assert 'href="/green"' in anna.get("/").text
    html = anna.get("/green").text
    assert "Kvittér alle 2 grønne pasienter" in html
    assert "97" in html
    assert "Ella" not in html
    answer = anna.post("/green", data=_sent(html))
    assert answer.headers["location"] == "/green?done=reviewed"
    wanted = sorted((calm.staff["anna"], calm.patients[who]) for who in ("peder", "olga"))
    assert _reviews(calm) == wanted
    assert "Noen har sett på alt som er grønt." in anna.get("/green?done=reviewed").text


def test_whoever_measured_since_or_is_no_longer_green_is_left_out(calm: Hamlet, anna: TestClient) -> None:
    sent = _sent(anna.get("/green").text)
    calm.raise_alert("late", "olga", "spo2_low", raised_at=NOW, why={"metric": "spo2"})
    answer = anna.post("/green", data=sent)
    assert answer.headers["location"] == "/green?done=reviewed_some"
    assert _reviews(calm) == [(calm.staff["anna"], calm.patients["peder"])]


def test_what_came_after_the_page_is_not_acknowledged(calm: Hamlet, anna: TestClient) -> None:
    sent = _sent(anna.get("/green").text) | {"as_of": "2026-11-22T00:00:00+00:00"}
    anna.post("/green", data=sent)
    assert _reviews(calm) == []


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"as_of": "never", "patient": ["x"]},
        {"as_of": "2026-11-22T07:00:00", "patient": ["x"]},
        {"as_of": NOW.isoformat()},
    ],
)
def test_what_no_page_of_ours_sent_changes_nothing(calm: Hamlet, anna: TestClient, sent: dict[str, object]) -> None:
    answer = anna.post("/green", data=sent)
    assert answer.status_code == 422
    assert "Ingenting er endret" in answer.text


def test_nobody_elses_patient_is_touched(calm: Hamlet, anna: TestClient, visitor: Visitor) -> None:
    with calm.parts.database.write() as connection:
        other = people.enrol_municipality(connection, "Utenfor", "9993", NOW)
        team = people.create_team(connection, other, "Andre")
        new = NewPatient(municipality=other, team=team, person=Person(name="Fremmed Person"))
        stranger = people.enrol_patient(connection, calm.parts.vault, new, NOW)
    anna.post("/green", data={"as_of": NOW.isoformat(), "patient": [stranger, "nobody", "<script>"]})
    assert _reviews(calm) == []
    assert visitor("tore").get("/green").status_code == 403
