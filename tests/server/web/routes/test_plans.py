"""The plan on its pages: edited, tried, proposed by one person and approved by another, kept or rolled back."""

import re
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from alerts import rulebook
from server.access import Role
from server.care import approval, people, plans
from server.care.people import Person
from server.db import tables
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import NOW, Hamlet
from tests.server.web.routes.test_worklist import text_of
from tests.server.web.test_why_words import ENGLISH

DAY = timedelta(days=1)
TEXTS = {"text.green": "Alt som vanlig.", "text.yellow": "Hvil litt.", "text.red": "Ring oss."}


@pytest.fixture
def calm(lia: Hamlet) -> Hamlet:
    """Gunnar's pulse is above 100 now and then; a clinician has signed his rulebook."""
    values = [88, 103, 88, 88, 104, 88, 88, 103, 88, 88, 104, 88]
    lia.measure("gunnar", "pulse", values, newest=NOW - DAY, every=DAY)
    with lia.parts.database.write() as connection:
        team = connection.execute(select(tables.team.c.id)).scalar_one()
        doctor = people.employ(connection, lia.parts.vault, team, Role.CLINICIAN, Person(name="Kåre Lege"))
        lia.staff["kåre"] = doctor
        approval.sign_off(connection, lia.municipality, rulebook.load("covid19"), doctor, NOW)
    return lia


def path(lia: Hamlet, more: str = "") -> str:
    return f"/patients/{lia.patients['gunnar']}/plan{more}"


def limit(lia: Hamlet) -> int:
    with lia.parts.database.read() as connection:
        plan = plans.stored(connection, lia.patients["gunnar"])
    assert plan
    return int(plan.rules["pulse_high"].bands[0].limits[0])  # type: ignore[union-attr, arg-type]


def form_of(html: str, ending: str) -> str:
    """The address of the form that ends so."""
    found = re.search(rf'action="([^"]*{ending})"', html)
    assert found, f"no form ends in {ending}"
    return found[1]


def propose(lia: Hamlet, client: TestClient, **typed: str) -> None:
    sent = {"limit.pulse_high.0": "108", **TEXTS, "do": "propose", "reason": "Høy hvilepuls.", **typed}
    done = client.post(path(lia, "/edit"), data=sent)
    assert (done.status_code, done.headers.get("location")) == (303, path(lia, "?done=plan_proposed")), done.text


def test_a_limit_is_tried_proposed_and_approved_by_another_person(calm: Hamlet, visitor: Visitor) -> None:
    anna, kåre = visitor("anna"), visitor("kåre")
    shown = anna.get(path(calm, "/edit")).text
    assert 'name="limit.pulse_high.0" value="100"' in shown
    assert "91 /min til 110 /min" in text_of(shown).replace("\xa0", " ")
    tried = anna.post(path(calm, "/edit"), data={"limit.pulse_high.0": "108", "do": "try"})
    said = text_of(tried.text)
    assert tried.status_code == 200
    assert "Hva disse grensene ville ha gitt" in said
    assert "målinger av denne pasienten" in said
    assert 'name="limit.pulse_high.0" value="108"' in tried.text
    assert '<rect class="then"' in tried.text
    assert limit(calm) == 100
    propose(calm, anna)
    own = anna.get(path(calm)).text
    assert "Høy hvilepuls." in own
    assert "En annen person må godkjenne" in text_of(own)
    assert "/approve" not in own
    page = kåre.get(path(calm)).text
    assert "100 /min" in text_of(page).replace("\xa0", " ")
    approve = form_of(page, "/approve")
    refused = kåre.post(approve)
    assert (refused.status_code, "utenfor" in text_of(refused.text), limit(calm)) == (422, True, 100)
    done = kåre.post(approve, data={"outside": "full"})
    assert done.status_code == 303
    assert limit(calm) == 108
    said = text_of(kåre.get(done.headers["location"]).text)
    for part in ("Planen gjelder fra nå av", "Anna Solbakk", "Kåre Lege", "Ring oss.", "Godkjent av en annen person"):
        assert part in said, part


def test_nobody_approves_their_own_and_a_nurse_nobodys(calm: Hamlet, visitor: Visitor) -> None:
    kåre = visitor("kåre")
    propose(calm, kåre)
    approve = form_of(visitor("ingrid").get(path(calm)).text, "/approve")
    refused = kåre.post(approve, data={"outside": "full"})
    assert (refused.status_code, "Du har selv foreslått" in text_of(refused.text)) == (422, True)
    assert visitor("anna").post(approve, data={"outside": "full"}).status_code == 403
    assert visitor("tore").get(path(calm)).status_code == 403
    assert limit(calm) == 100
    assert "Gunnar Prøvedal" in text_of(visitor("ingrid").get("/plans").text)


def test_without_the_municipalitys_sign_off_nothing_is_activated(lia: Hamlet, visitor: Visitor) -> None:
    propose(lia, visitor("anna"))
    ingrid = visitor("ingrid")
    approve = form_of(ingrid.get(path(lia)).text, "/approve")
    refused = ingrid.post(approve, data={"outside": "full"})
    assert (refused.status_code, "Ingen har signert" in text_of(refused.text)) == (422, True)
    assert limit(lia) == 100


def test_the_start_up_period_leads_into_the_editor(lia: Hamlet, anna: TestClient) -> None:
    lia.measure("gunnar", "pulse", [88, 88, 89, 87, 88, 88, 88, 103, 88, 88], newest=NOW - 5 * DAY, every=DAY)
    page = anna.get(f"/patients/{lia.patients['gunnar']}/proposal").text
    where = path(lia, "/edit?begin=start-up")
    assert where in page
    assert 'name="limit.pulse_high.0" value="108"' in anna.get(where).text


def test_a_change_that_was_measured_is_kept_or_rolled_back(calm: Hamlet, visitor: Visitor) -> None:
    propose(calm, visitor("anna"))
    kåre = visitor("kåre")
    kåre.post(form_of(kåre.get(path(calm)).text, "/approve"), data={"outside": "full"})
    calm.clock.advance(31 * DAY)
    page = kåre.get(path(calm)).text
    where = form_of(page, r"/changes/\d+")
    assert "Behold endringen" in text_of(page)
    assert kåre.post(where, data={"do": "back", "reason": ""}).status_code == 422
    refused = kåre.post(where, data={"do": "keep", "reason": "x" * 501}).text
    assert ('id="reason-problem"' in refused, 'id="said-problem"' in refused) == (True, False)
    assert kåre.post(where, data={"do": "back", "reason": "Oversett."}).status_code == 303
    assert limit(calm) == 100
    assert kåre.post(where, data={"do": "keep"}).status_code == 422  # somebody has decided


def test_a_first_plan_begins_with_a_rulebook(lia: Hamlet, anna: TestClient) -> None:
    with lia.parts.database.write() as connection:
        connection.execute(tables.plan_version.update().values(state="replaced"))
    assert "Velg regelboken" in text_of(anna.get(path(lia, "/edit")).text)
    shown = anna.get(path(lia, "/edit?rulebook=copd"))
    assert 'name="spo2_floor"' in shown.text
    assert anna.get(path(lia, "/edit?rulebook=nothing")).status_code == 404
    done = anna.post(path(lia, "/edit"), data={"rulebook": "copd", "spo2_floor": "84", "do": "propose"})
    assert done.status_code == 303
    assert "Foreslått av Anna Solbakk" in text_of(anna.get(path(lia)).text)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("limit.pulse_high.0", "111", "Må være mellom 91 /min og 110 /min"),
        ("limit.pulse_high.0", "høy", "Skriv et tall"),
        ("limit.pulse_high.0", "100,5", "For mange desimaler"),
        ("limit.pulse_high.1", "91", "lenger fra det normale"),
        ("slots.missing_spo2", "morgen", "Skriv klokkeslett"),
        ("spo2_floor", "10", "Ingen levende"),
        ("outside", "whatever", "Velg et av svarene"),
        ("text.green", "x" * 1001, "For lang"),
        ("reason", "x" * 501, "For lang"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    calm: Hamlet, anna: TestClient, field: str, typed: str, said: str
) -> None:
    sent = {"limit.pulse_low.0": "45", **TEXTS, "do": "propose", field: typed}
    answer = anna.post(path(calm, "/edit"), data=sent)
    assert answer.status_code == 422
    found = re.search(rf'id="{re.escape(field)}-problem"[^>]*>([^<]*)<', answer.text)
    assert found
    assert said in found[1].replace("\xa0", " ")
    assert field == "outside" or typed in answer.text
    assert "Hvil litt." in answer.text  # nothing typed is lost


def test_any_nonsense_is_answered_in_words(calm: Hamlet, anna: TestClient) -> None:
    dice = Random(7)
    names = ["limit.pulse_high.0", "limit.pulse_high.9", "slots.missing_spo2", "baseline.pulse", "outside", "do"]
    names += ["spo2_floor", "spo2_scale", "on_oxygen", "text.red", "reason", "rulebook", "limit.", "\x00"]
    nonsense = ["", " ", "0", "-1", "1e9", "9" * 400, "<script>alert(1)</script>", "'; --", "\x00\x07", "æøå" * 500]
    nonsense += ["NaN", "∞", "06:00-", "25:00-26:00", calm.patients["solveig"], "{{ 7 * 7 }}", "%s%s%(x)s", "propose"]
    for _ in range(20):  # on either database; tests/server/web/test_forms.py sends more to every form
        sent = {dice.choice(names): dice.choice(nonsense) for _ in range(dice.randint(1, 6))}
        answer = anna.post(path(calm, "/edit"), data=sent)
        assert answer.status_code in (200, 303, 422), (sent, answer.status_code)
        assert "<script>alert" not in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("language", ["nb", "nn"])
def test_no_english_reaches_a_norwegian_reader(calm: Hamlet, visitor: Visitor, language: str) -> None:
    anna, headers = visitor("anna"), {"accept-language": language}
    sent = {"limit.pulse_high.0": "108", **TEXTS}
    pages = [anna.get(path(calm, "/edit"), headers=headers), anna.post(path(calm, "/edit"), data=sent, headers=headers)]
    propose(calm, anna)
    pages += [visitor(who).get(path(calm), headers=headers) for who in ("anna", "ingrid")]
    pages.append(visitor("ingrid").get("/plans", headers=headers))
    for page in pages:
        said = text_of("<main" + page.text.split("<main")[1].split("</main>")[0])
        assert not ENGLISH.search(said), ENGLISH.search(said)


@pytest.mark.parametrize("book", rulebook.shipped())
def test_every_rulebook_can_be_edited_and_shown(lia: Hamlet, visitor: Visitor, book: str) -> None:
    with lia.parts.database.write() as connection:
        connection.execute(tables.plan_version.update().values(state="replaced"))
        plan = rulebook.draft(rulebook.load(book), {"plan_id": book, "starts_at": (NOW - DAY).isoformat()})
        plans.activate(connection, lia.patients["gunnar"], plan, lia.staff["ingrid"], NOW)
    ingrid = visitor("ingrid")
    assert ingrid.get(path(lia)).status_code == 200
    assert ingrid.get(path(lia, "/edit")).status_code == 200
    tried = ingrid.post(path(lia, "/edit"), data={"do": "try"})
    assert (tried.status_code, "Dette er det som gjelder allerede" in text_of(tried.text)) == (200, True)
