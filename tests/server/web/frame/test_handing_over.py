"""The ISBAR text: what a colleague needs, from what is stored, on the page and over the API."""

import re
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from alerts.plan import PatientFacts, from_mapping, to_mapping
from server.access import Role
from server.care.credentials import NewToken, create_token
from server.db import tables
from server.web.routes.api import build_api
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import Hamlet
from tests.server.web.test_why_words import ENGLISH

GUNNAR = """I – Identifikasjon
Fra: Anna Solbakk, sykepleier, Hjemmeoppfølging Lia
Gjelder: Gunnar Prøvedal, 83 år
Fødselsnummeret sies muntlig; det står ikke her.

S – Situasjon
Lav oksygenmetning, prioritet høy, utløst kl. 07:31 i dag.
Oksygenmetning 87 % – grensen er 92 %. Målt kl. 07:31 i dag.
Høy puls, prioritet middels, utløst kl. 07:31 i dag.
Puls 104 /min – grensen er 100 /min. Målt kl. 07:31 i dag.

B – Bakgrunn
Følges opp hjemme: Covid-19 hjemme (regelbok versjon 1), plan versjon 1, siden 2. nov.
Ingen individuelle grenser.
Oksygen hjemme: ikke kjent.
Viktig for pasienten: Å kunne gå til naustet og se på båten.

A – Aktuell vurdering
Sone nå: rød.
- Oksygenmetning 87 %, kl. 07:31 i dag (utenfor grensen for høy)
- Puls 104 /min, kl. 07:31 i dag (utenfor grensen for middels)
Egne observasjoner (pust, hud, bevissthet, smerte): ______

R – Råd
Gjort så langt:
- ikke noe som Varde vet om
Jeg ber om: ______
Gjenta gjerne det jeg har sagt, så vi er enige.

Varde er et hjelpemiddel for oppfølgingstjenesten, ikke en nødtjeneste. Ring 113 når det er akutt."""


def text_on(html: str) -> str | None:
    """The hand-over text of a page, as a browser would copy it."""
    found = re.search(r'<pre class="handover"[^>]*>(.*?)</pre>', html, re.DOTALL)
    return None if found is None else unescape(found[1]).replace("\xa0", " ").strip()


def page(client: TestClient, lia: Hamlet, who: str, language: str | None = None) -> str | None:
    headers = {} if language is None else {"accept-language": language}
    return text_on(client.get(f"/patients/{lia.patients[who]}", headers=headers).text)


@pytest.fixture
def script(morning: Hamlet) -> TestClient:
    """A script of the municipality's coordinator."""
    new = NewToken(municipality=morning.municipality, role=Role.COORDINATOR, label="test")
    with morning.parts.database.write() as connection:
        secret = create_token(connection, new, morning.parts.wall.now())
    client = TestClient(build_api(morning.parts), base_url="http://127.0.0.1")
    client.headers["authorization"] = f"Bearer {secret}"
    return client


def test_a_high_alert_has_a_text_that_can_be_read_aloud(morning: Hamlet, anna: TestClient) -> None:
    assert page(anna, morning, "gunnar") == GUNNAR


def test_only_high_and_critical_have_one(morning: Hamlet, anna: TestClient) -> None:
    assert page(anna, morning, "solveig")
    for who in ("aud", "nils", "olga", "peder"):
        assert page(anna, morning, who) is None


def test_plan_facts_and_what_was_done_are_in_it(morning: Hamlet, anna: TestClient) -> None:
    table, facts = tables.plan_version, tables.fact
    whose = table.c.patient_id == morning.patients["gunnar"]
    stated = PatientFacts(age=83, spo2_scale=2, spo2_floor=Decimal(84), on_oxygen=True, baseline={"spo2": Decimal(90)})
    with morning.parts.database.write() as connection:
        plan = from_mapping(connection.execute(select(table.c.body).where(whose)).scalar_one())
        changed = replace(plan, facts=stated, individual=("spo2_low",))
        connection.execute(update(table).where(whose).values(body=to_mapping(changed)))
        at = morning.clock.now()
        row = {"patient_id": morning.patients["gunnar"], "municipality_id": morning.municipality, "at": at}
        for more in (
            {"kind": "notice", "rule": "spo2_low", "to": "primary"},
            {"kind": "advice", "why": {"zone": "red"}},
            {"kind": "acknowledged", "rule": "spo2_low", "by": morning.staff["henrik"]},
        ):
            connection.execute(facts.insert().values(**row, **more))
    told = page(anna, morning, "gunnar")
    assert told is not None
    for line in (
        "Individuelle grenser: Lav oksygenmetning.",
        "Det vanlige for pasienten: oksygenmetning 90 %.",
        "Forordnet nedre grense for oksygenmetning: 84 %.",
        "Oksygenskala i NEWS2: 2.",
        "Oksygen hjemme: ja.",
        "- kl. 07:40 i dag: Varslet: primærkontakt",
        "- kl. 07:40 i dag: Kvittert: Henrik Myrvoll",
    ):
        assert line in told.splitlines(), line
    assert re.search(r"- kl\. 07:40 i dag: .*\(rød\)", told)


def test_whom_to_call_and_a_pause_are_in_it(morning: Hamlet, anna: TestClient) -> None:
    where = f"/patients/{morning.patients['gunnar']}"
    contacts = {"name.0": "Randi Prøvedal", "phone.0": "90 00 00 01", "name.1": "Kari Prøvedal", "relation.1": "datter"}
    assert anna.post(f"{where}/follow-up/contacts", data=contacts | {"phone.1": ""}).status_code == 303
    pause = {"reason": "hospital", "starts_at": "2026-11-22T07:35", "ends_at": "2026-11-22T23:00"}
    assert anna.post(f"{where}/pauses", data=pause).status_code == 303
    told = page(anna, morning, "gunnar")
    assert told is not None
    assert (
        "På pause: på sykehus, til kl. 23:00 i dag\n"
        "Primærkontakt: Randi Prøvedal, 90 00 00 01\n"
        "Pårørende: Kari Prøvedal (datter)\n"
        "Viktig for pasienten:" in told
    )


@pytest.mark.parametrize("language", ["nb", "nn"])
def test_no_english_reaches_a_norwegian_reader(morning: Hamlet, anna: TestClient, language: str) -> None:
    told = page(anna, morning, "gunnar", language)
    assert told is not None
    assert not ENGLISH.search(told), ENGLISH.search(told)
    assert "None" not in told


def test_markup_in_a_wish_stays_text(morning: Hamlet, anna: TestClient) -> None:
    table = tables.patient
    wish = "<b>Å se båten</b> & sjøen"
    with morning.parts.database.write() as connection:
        sealed = morning.parts.vault.close(wish)
        connection.execute(update(table).where(table.c.id == morning.patients["gunnar"]).values(matters=sealed))
    html = anna.get(f"/patients/{morning.patients['gunnar']}").text
    assert "<b>Å se" not in html
    assert f"Viktig for pasienten: {wish}" in (text_on(html) or "").splitlines()


def test_a_script_gets_the_same_in_its_language_and_is_noted(morning: Hamlet, script: TestClient) -> None:
    who = morning.patients["gunnar"]
    answer = script.get(f"/patients/{who}/handover", headers={"accept-language": "en"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert (answer.headers["content-language"], answer.headers["cache-control"]) == ("en", "no-store")
    assert answer.text.startswith("I – Identification\nAbout: Gunnar Prøvedal, 83 years\n")
    table = tables.audit
    noted = select(table.c.action, table.c.subject).where(table.c.patient_id == who)
    with morning.parts.database.read() as connection:
        assert [tuple(row) for row in connection.execute(noted)] == [("see_patient", "handover")]
    assert script.get(f"/patients/{morning.patients['aud']}/handover").status_code == 404
    assert script.get("/patients/nobody/handover").status_code == 404


def test_a_technician_hands_over_nobody(morning: Hamlet, visitor: Visitor) -> None:
    assert visitor("tore").get(f"/patients/{morning.patients['gunnar']}").status_code == 403
