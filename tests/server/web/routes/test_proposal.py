"""The proposal of individual limits on a page and over the API: shown with its why, noted as seen, never applied."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from server.access import Role
from server.care.credentials import NewToken, create_token
from server.db import tables
from server.web.routes.api import build_api
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import NOW, Hamlet
from tests.server.web.routes.test_worklist import text_of
from tests.server.web.test_why_words import ENGLISH


@pytest.fixture
def calm(lia: Hamlet) -> Hamlet:
    """Gunnar with a quick heart for ten days, Solveig with a saturation that lies at the limit."""
    day = timedelta(days=1)
    lia.measure("gunnar", "pulse", [88, 88, 89, 87, 88, 88, 88, 103, 88, 88], newest=NOW - 5 * day, every=day)
    lia.measure("solveig", "spo2", [95, 95, 95, 95, 95, 95, 95], newest=NOW - 5 * day, every=day)
    return lia


def page(client: TestClient, lia: Hamlet, who: str, **headers: str) -> str:
    answer = client.get(f"/patients/{lia.patients[who]}/proposal", headers=headers)
    assert answer.status_code == 200
    main = answer.text.split("<main")[1].split("</main>")[0]
    return text_of("<main" + main).replace("\xa0", " ")


def test_the_page_says_what_is_proposed_why_and_what_it_would_have_meant(calm: Hamlet, anna: TestClient) -> None:
    said = page(anna, calm, "gunnar")
    for part in (
        "Bare et forslag: ingenting her gjelder.",
        "88 /min (median)",
        "Fra 7 gode målinger på 7 dager",
        "Dette gir færre varsler enn nå. Varsler i disse målingene:",
        "Middels: 108 /min i stedet for 100 /min",
        "Varsler i disse målingene: 1 med grensene som gjelder, 0 med de foreslåtte.",
        "NEWS2: ett poeng fra 91 til 110, to fra 111.",
    ):
        assert part in said, said
    assert "Det vanlige ligger nær" not in said
    assert "krever en forordnet nedre grense" in page(anna, calm, "solveig")


@pytest.mark.parametrize("language", ["nb", "nn"])
def test_no_english_reaches_a_norwegian_reader(calm: Hamlet, anna: TestClient, language: str) -> None:
    for who in ("gunnar", "solveig", "peder"):
        said = page(anna, calm, who, **{"accept-language": language})
        assert not ENGLISH.search(said), ENGLISH.search(said)


def test_looking_is_noted_and_changes_no_plan(calm: Hamlet, anna: TestClient) -> None:
    versions = select(tables.plan_version).order_by(tables.plan_version.c.id)
    with calm.parts.database.read() as connection:
        before = connection.execute(versions).all()
    page(anna, calm, "gunnar")
    seen = select(tables.audit.c.action).where(tables.audit.c.patient_id == calm.patients["gunnar"])
    with calm.parts.database.read() as connection:
        assert connection.execute(seen).scalars().all() == ["see_patient"]
        assert connection.execute(versions).all() == before
    assert f"/patients/{calm.patients['gunnar']}/proposal" in anna.get(f"/patients/{calm.patients['gunnar']}").text


def test_a_stranger_a_technician_and_nobody(calm: Hamlet, visitor: Visitor, anna: TestClient) -> None:
    path = f"/patients/{calm.patients['gunnar']}/proposal"
    assert visitor(None).get(path).status_code in (303, 401)
    assert visitor("tore").get(path).status_code == 403
    assert anna.get("/patients/nobody/proposal").status_code == 404


def test_a_script_gets_exact_numbers(calm: Hamlet) -> None:
    new = NewToken(municipality=calm.municipality, role=Role.COORDINATOR, label="test")
    with calm.parts.database.write() as connection:
        secret = create_token(connection, new, calm.parts.wall.now())
    script = TestClient(build_api(calm.parts), headers={"authorization": f"Bearer {secret}"})
    told = script.get(f"/patients/{calm.patients['gunnar']}/proposal").json()
    assert (told["applied"], told["rules"][0]["rule"], told["needs"]) == (
        False,
        "pulse_high",
        {"readings": 7, "days": 5},
    )
    assert told["rules"][0]["limits"][0]["proposed"] == 108
    assert script.get("/patients/nobody/proposal").status_code == 404
