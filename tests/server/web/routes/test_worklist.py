"""What a nurse sees first: who waits, in which order, and why in one line."""

import re

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from server.care import people
from server.care.people import NewPatient, Person
from server.db import tables
from server.watch.silence import Part, Silent
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import NOW, Hamlet


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html).replace("\xa0", " "))


def test_the_most_urgent_comes_first_then_what_gets_worse_fastest(morning: Hamlet, anna: TestClient) -> None:
    html = anna.get("/").text
    shown = re.findall(r'id="case-([^"]+)"', html)
    wanted = ["gunnar", "solveig", "aud", "nils", "olga"]  # he falls fast, though she has waited longer; olga is taken
    assert shown == [morning.patients[who] for who in wanted]
    assert text_of(html).count("Høy Blir raskt verre Har ventet 9 min") == 1
    assert "Mest alvorlig først, så det som blir raskest verre, så lengst ventetid" in html


def test_the_alerts_of_one_patient_stand_together(morning: Hamlet, anna: TestClient) -> None:
    html = anna.get("/").text
    case = html[html.index(f'id="case-{morning.patients["gunnar"]}"') :].split("</li>")[0]
    assert case.count("data-alert=") == 2
    assert case.index(morning.alerts["gunnar_spo2"]) < case.index(morning.alerts["gunnar_pulse"])


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "nb",
            (
                "Oksygenmetning 87 % – grensen er 92 %. Målt kl. 07:31 i dag.",
                "Oksygenmetning skulle vært målt fra kl. 19:00 i går og er ikke målt. Gatewayen hadde ikke kontakt",
                "Henrik Myrvoll har det Innenfor grensene igjen",
                "4 varsler venter",
                "Viktig for pasienten: Å kunne gå til naustet og se på båten.",
            ),
        ),
        (
            "nn",
            (
                "Oksygenmetting 87 % – grensa er 92 %. Målt kl. 07:31 i dag.",
                "Oksygenmetting skulle vore målt frå kl. 19:00 i går og er ikkje målt.",
                "4 varsel ventar",
            ),
        ),
        (
            "en",
            (
                "Oxygen saturation 87 % – the limit is 92 %. Measured 07:31 today.",
                "Oxygen saturation was due from 19:00 yesterday and has not been measured.",
                "4 alerts wait",
            ),
        ),
    ],
)
def test_what_happened_stands_in_one_line_of_the_readers_words(
    morning: Hamlet, anna: TestClient, language: str, sentences: tuple[str, ...]
) -> None:
    anna.cookies.set("varde_language", language, domain="127.0.0.1")
    said = re.sub(r" (?=[.,])", "", text_of(anna.get("/").text))
    for sentence in sentences:
        assert sentence in said


def test_priority_has_a_word_and_a_shape_beside_its_colour(morning: Hamlet, anna: TestClient) -> None:
    html = anna.get("/").text
    for word in ("Høy", "Middels", "Lav"):
        assert re.search(rf'class="mark"[^>]*><svg class="icon".*?</svg>{word}</span>', html, re.DOTALL)
    shapes = set(re.findall(r'class="mark"[^>]*><svg[^>]*>(.*?)</svg>', html, re.DOTALL))
    assert len(shapes) == 3


def test_the_zones_are_counted_and_unknown_is_not_green(morning: Hamlet, anna: TestClient) -> None:
    counts = dict(re.findall(r'data-zone="(\w+)">(\d+)<', anna.get("/").text))
    assert counts == {"red": "2", "yellow": "1", "blue": "1", "unknown": "1", "green": "2"}


def test_a_patient_whom_nobody_has_judged_is_unknown(lia: Hamlet, anna: TestClient) -> None:
    counts = dict(re.findall(r'data-zone="(\w+)">(\d+)<', anna.get("/").text))
    assert counts["unknown"] == "7"
    assert counts["green"] == "0"
    assert "For 7 pasienter er det ikke nok målinger" in anna.get("/").text


def test_the_page_says_how_old_it_is(morning: Hamlet, anna: TestClient) -> None:
    said = text_of(anna.get("/").text)
    assert "Oppdatert 07:40:12" in said
    assert "Siden viser hvordan det var kl. 07:40:12, og oppdaterer seg ikke selv." in said


def test_the_update_brings_the_same_part_without_the_frame(morning: Hamlet, anna: TestClient) -> None:
    whole, part = anna.get("/").text, anna.get("/parts/worklist").text
    assert part.lstrip().startswith('<div id="live"')
    assert part.strip() in whole


def test_a_watch_that_stopped_is_said_on_top(morning: Hamlet, anna: TestClient) -> None:
    assert "Reglene kjører ikke" not in anna.get("/").text
    with morning.parts.database.write() as connection:
        connection.execute(tables.role_beat.insert().values(role="watch", at=NOW.replace(year=2020)))
    assert "Reglene kjører ikke." in anna.get("/").text


def test_whatever_else_is_silent_is_said_on_top_in_words(morning: Hamlet, anna: TestClient) -> None:
    broker = Silent(part=Part.BROKER, why="not connected")
    morning.parts.findings.put((broker, Silent(part=Part.GATEWAY, why="not heard", subject="gw-1")))
    page = anna.get("/").text
    assert "Nye målinger kommer ikke inn: forbindelsen til meldingsmegleren er brutt." in page
    assert page.count("data-silent=") == 1  # a home without power is the patient's page's business
    morning.parts.findings.put(())
    assert "data-silent=" not in anna.get("/").text


def test_what_was_written_into_a_name_stays_text(lia: Hamlet, anna: TestClient) -> None:
    vault = lia.parts.vault
    with lia.parts.database.write() as connection:
        whose = select(tables.patient.c.person_id).where(tables.patient.c.id == lia.patients["gunnar"])
        person = tables.person
        closed = vault.close("<script>alert(1)</script>")
        connection.execute(update(person).where(person.c.id == whose.scalar_subquery()).values(name=closed))
    html = anna.get("/patients").text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_another_municipalitys_patient_is_not_there(morning: Hamlet, anna: TestClient) -> None:
    vault = morning.parts.vault
    with morning.parts.database.write() as connection:
        other = people.enrol_municipality(connection, "Utenfor", "9993", NOW)
        team = people.create_team(connection, other, "Andre")
        new = NewPatient(municipality=other, team=team, person=Person(name="Fremmed Person"))
        stranger = people.enrol_patient(connection, vault, new, NOW)
    assert "Fremmed" not in anna.get("/patients").text
    answer = anna.get(f"/patients/{stranger}")
    assert answer.status_code == 404
    assert answer.text == anna.get("/patients/nobody").text.replace("/patients/nobody", f"/patients/{stranger}")


def test_who_looked_at_whom_is_written_down(morning: Hamlet, anna: TestClient) -> None:
    anna.get(f"/patients/{morning.patients['gunnar']}")
    with morning.parts.database.read() as connection:
        seen = connection.execute(select(tables.audit.c.actor, tables.audit.c.patient_id, tables.audit.c.action)).all()
    assert seen == [(morning.staff["anna"], morning.patients["gunnar"], "see_patient")]


def test_a_technician_has_no_worklist_but_quarantine(morning: Hamlet, visitor: Visitor) -> None:
    tore = visitor("tore")
    refused = tore.get("/")
    assert refused.status_code == 403
    assert "Gunnar" not in refused.text
    assert tore.get("/start").headers["location"] == "/kits"
    page = tore.get("/quarantine").text
    assert "måling uten eier" not in page  # values of people are not a technician's
