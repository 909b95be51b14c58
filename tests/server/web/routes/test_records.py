"""Around the measurements: pauses, decision and contacts, notes, sign-offs, every measurement, a period to print."""

import re
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from alerts import rulebook
from server.care import approval
from server.db import tables
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import NOW, Hamlet
from tests.server.web.routes.test_worklist import text_of
from tests.server.web.test_why_words import ENGLISH
from tests.server.world import an_id

DAY = timedelta(days=1)


@pytest.fixture
def page(lia: Hamlet) -> str:
    return f"/patients/{lia.patients['gunnar']}"


def rows(lia: Hamlet, table: object) -> list[object]:
    with lia.parts.database.read() as connection:
        return list(connection.execute(select(table)))  # type: ignore[call-overload]


def test_a_pause_is_set_shown_and_ended(lia: Hamlet, page: str, anna: TestClient) -> None:
    assert 'name="starts_at" value="2026-11-22T07:40"' in anna.get(f"{page}/pauses").text
    sent = {"reason": "hospital", "starts_at": "2026-11-22T06:00", "ends_at": "", "remark": "Lungeavdelingen"}
    done = anna.post(f"{page}/pauses", data=sent)
    assert (done.status_code, done.headers["location"]) == (303, f"{page}/pauses?done=paused")
    said = text_of(anna.get(page).text)
    for part in ("På pause: på sykehus", "Lungeavdelingen", "Det kommer ingen nye varsler"):
        assert part in said
    lia.hear("gunnar", spo2=80)
    assert "Lav oksygenmetning" not in text_of(anna.get("/").text)
    html = anna.get(f"{page}/pauses").text
    where = re.search(r'action="([^"]*/end)"', html)
    assert where
    assert anna.post(where[1]).status_code == 303
    assert "På pause" not in text_of(anna.get(page).text)
    assert anna.post(where[1]).status_code == 422


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("starts_at", "i morgen", "Skriv dato og klokkeslett"),
        ("starts_at", "2020-01-01T08:00", "tidligst for 14 dager siden"),
        ("ends_at", "2026-11-20T08:00", "Pausen må slutte etter"),
        ("reason", "lyst", "Velg hvorfor"),
        ("remark", "x" * 301, "For lang"),
    ],
)
def test_a_pause_that_cannot_be_is_said_beside_its_field(
    page: str, anna: TestClient, field: str, typed: str, said: str
) -> None:
    sent = {"reason": "holiday", "starts_at": "2026-11-22T06:00", "remark": "Syden", field: typed}
    answer = anna.post(f"{page}/pauses", data=sent)
    found = re.search(rf'id="{field}-problem"[^>]*>([^<]*)<', answer.text)
    assert (answer.status_code, found is not None) == (422, True)
    assert found
    assert said in found[1]
    assert ("Syden" in answer.text) is (field != "remark")


def test_contacts_and_decision_are_kept_encrypted_and_shown(lia: Hamlet, page: str, anna: TestClient) -> None:
    sent = {"name.0": "Kari Prøvedal", "phone.0": "900 00 001", "relation.0": "datter", "id.0": ""}
    sent |= {"name.1": "Ola Prøvedal", "phone.1": "+47 900 00 002", "relation.1": "sønn"}
    assert anna.post(f"{page}/follow-up/contacts", data=sent).status_code == 303
    decision = {"reference": "2026/17", "purpose": "Trygg hjemme", "replaces": "to besøk i uka"}
    decision |= {"decided_by": "Tildelingskontoret", "starts_at": "2026-11-01", "start_up_until": "2026-11-28"}
    assert anna.post(f"{page}/follow-up/decision", data=decision).status_code == 303
    said = text_of(anna.get(page).text)
    for part in ("Kari Prøvedal", "90 00 00 01", "sønn", "2026/17", "to besøk i uka", "Oppstartsperiode"):
        assert part in said, part
    assert 'href="tel:90000001"' in anna.get(page).text
    stored = repr(rows(lia, tables.contact) + rows(lia, tables.decision))
    for secret in ("Kari", "900 00", "Tildelingskontoret"):
        assert secret not in stored
    forgotten = re.search(r'name="id.1" value="([^"]+)"', anna.get(f"{page}/follow-up").text)
    assert forgotten
    assert anna.post(f"{page}/follow-up/contacts", data={"id.1": forgotten[1]}).status_code == 303
    assert "Ola Prøvedal" not in anna.get(page).text


def test_what_is_wrong_with_contacts_and_decision_is_said_beside_it(page: str, anna: TestClient) -> None:
    wrong = anna.post(f"{page}/follow-up/contacts", data={"name.0": "Kari", "phone.0": "ring meg", "phone.1": "1234"})
    assert wrong.status_code == 422
    assert 'id="phone.0-problem"' in wrong.text
    assert 'id="name.1-problem"' in wrong.text
    assert "ring meg" in wrong.text
    wrong = anna.post(f"{page}/follow-up/decision", data={"purpose": "Trygg", "starts_at": "snart"})
    for field in ("reference", "decided_by", "starts_at"):
        assert f'id="{field}-problem"' in wrong.text
    assert ">Trygg<" in wrong.text


def test_the_follow_up_ends_when_no_alert_is_open(lia: Hamlet, page: str, anna: TestClient) -> None:
    lia.hear("gunnar", spo2=80)
    refused = anna.post(f"{page}/follow-up/end", data={"said": "Frisk"})
    assert (refused.status_code, "Lukk dem først" in text_of(refused.text)) == (422, True)
    with lia.parts.database.write() as connection:
        connection.execute(tables.alert.update().values(state="resolved"))
    assert anna.post(f"{page}/follow-up/end", data={"said": ""}).status_code == 422
    assert anna.post(f"{page}/follow-up/end", data={"said": "Frisk"}).status_code == 303
    assert anna.get(page).status_code == 404


def test_a_note_is_kept(page: str, anna: TestClient) -> None:
    assert anna.post(f"{page}/notes", data={"text": "Ringt. Har det bra."}).status_code == 303
    assert "Har det bra." in text_of(anna.get(page).text)
    refused = anna.post(f"{page}/notes", data={"text": "x" * 2001})
    assert (refused.status_code, "x" * 2001 in refused.text) == (422, True)


def test_a_value_that_is_held_back_is_decided_on_beside_its_chart(lia: Hamlet, page: str, anna: TestClient) -> None:
    lia.hear("gunnar", pulse=80)
    lia.hear("gunnar", pulse=20, minutes=-1)
    html = anna.get(page).text
    chart = html[html.index('id="chart-pulse"') :].split("</figure>")[0]
    assert "holdt tilbake" in text_of(chart)
    assert f"{page}/readings/{an_id('heard 2')}/accept" in chart
    assert f"{page}/readings/{an_id('heard 2')}/invalidate" in chart
    assert "<b>80" in chart.replace("\xa0", " ")  # the newest that counts
    assert anna.post(f"{page}/readings/{an_id('heard 2')}/accept", data={"back": page}).status_code == 303
    html = anna.get(page).text
    assert "/accept" not in html[html.index('id="chart-pulse"') :].split("</figure>")[0]


def test_every_measurement_page_by_page(lia: Hamlet, page: str, anna: TestClient) -> None:
    lia.measure("gunnar", "pulse", list(range(60, 180)), newest=NOW, every=timedelta(hours=1))
    seen, where = [], f"{page}/measurements?metric=pulse"
    while where:
        html = anna.get(where).text
        seen += re.findall(r'<td class="number">(\d+)', html)
        older = re.search(r'href="([^"]*after=[^"]*)"', html)
        where = older[1].replace("&amp;", "&") if older else ""
    assert seen == [str(value) for value in reversed(range(60, 180))]
    assert anna.get(f"{page}/measurements?after=nonsense&metric=x").status_code == 200


def test_a_period_to_print(lia: Hamlet, page: str, anna: TestClient) -> None:
    lia.measure("gunnar", "pulse", [60, 70, 110], newest=NOW - DAY, every=DAY)
    said = text_of(anna.get(f"{page}/summary").text).replace("\xa0", " ")
    for part in ("Sammendrag", "60 /min", "80 /min", "110 /min"):
        assert part in said
    day = text_of(anna.get(f"{page}/summary?from=2026-11-20&to=2026-11-20").text).replace("\xa0", " ")
    assert "70 /min" in day
    assert "110 /min" not in day
    for odd in ("from=x&to=y", "from=2026-11-20&to=2026-11-01", "from=0001-01-01&to=9999-12-31"):
        assert anna.get(f"{page}/summary?{odd}").status_code == 200


def test_a_rulebook_is_signed_by_whoever_answers_for_it(lia: Hamlet, visitor: Visitor) -> None:
    ingrid, book = visitor("ingrid"), rulebook.load("covid19")
    html = ingrid.get("/rulebooks").text
    assert "Ikke signert" in text_of(html)
    sent = {"digest": approval.digest(book), "read": "yes"}
    assert ingrid.post("/rulebooks/covid19/sign", data={"digest": sent["digest"]}).status_code == 422
    assert ingrid.post("/rulebooks/covid19/sign", data=sent | {"digest": "other"}).status_code == 422
    assert visitor("anna").post("/rulebooks/covid19/sign", data=sent).status_code == 403
    assert ingrid.post("/rulebooks/covid19/sign", data=sent).status_code == 303
    assert "Signert Ingrid Fjellheim" in text_of(ingrid.get("/rulebooks").text)
    (team,) = re.findall(r'action="(/teams/[^"]*/alert-budget)"', html)
    assert ingrid.post(team, data={"alerts": "mange"}).status_code == 422
    assert ingrid.post(team, data={"alerts": "6"}).status_code == 303
    assert 'name="alerts" inputmode="numeric" value="6"' in ingrid.get("/rulebooks").text


def test_any_nonsense_is_answered_in_words(lia: Hamlet, page: str, anna: TestClient) -> None:
    dice = Random(11)
    nonsense = ["", " ", "9" * 400, "<script>alert(1)</script>", "\x00", "æ" * 3000, "2026-13-45", "2026-11-22T25:61"]
    nonsense += ["0001-01-01", "9999-12-31", "9999-12-31T23:59", "0001-01-01T00:00", lia.patients["aud"], "hospital"]
    forms = {
        "/pauses": ("reason", "starts_at", "ends_at", "remark"),
        "/follow-up/decision": ("reference", "purpose", "decided_by", "starts_at", "ends_at", "start_up_until"),
        "/follow-up/contacts": ("id.0", "name.0", "phone.0", "name.1", "id.1", "relation.4"),
        "/notes": ("text",),
    }
    for _ in range(20):  # on either database; tests/server/web/test_forms.py sends more to every form
        form = dice.choice(list(forms))
        sent = {name: dice.choice(nonsense) for name in forms[form]}
        answer = anna.post(page + form, data=sent)
        assert answer.status_code in (303, 404, 422), (form, sent, answer.status_code)
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize("language", ["nb", "nn"])
def test_no_english_reaches_a_norwegian_reader(lia: Hamlet, page: str, visitor: Visitor, language: str) -> None:
    ingrid = visitor("ingrid")
    lia.hear("gunnar", pulse=20, spo2=95)
    ingrid.post(f"{page}/pauses", data={"reason": "other", "starts_at": "2026-11-22T06:00"})
    for path in ("", "/pauses", "/follow-up", "/measurements", "/summary"):
        html = ingrid.get(page + path, headers={"accept-language": language}).text
        said = text_of("<main" + html.split("<main")[1].split("</main>")[0])
        assert not ENGLISH.search(said), (path, ENGLISH.search(said))
    html = re.sub(
        r'<span lang="en">.*?</span>', "", ingrid.get("/rulebooks", headers={"accept-language": language}).text
    )
    said = text_of("<main" + html.split("<main")[1].split("</main>")[0])
    assert not ENGLISH.search(said), ENGLISH.search(said)
