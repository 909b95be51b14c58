"""The worklist page by page, and what of it was chosen: bounded, complete, and without a name in the address."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, update
from starlette.testclient import TestClient

from alerts.alert import State
from alerts.priority import Priority
from server.care import people
from server.care.people import NewPatient, Person
from server.db import tables
from server.web.gathering import worklist
from tests.server.web.hamlet import NOW, Hamlet

CROWD = 32


@pytest.fixture
def crowd(lia: Hamlet) -> Hamlet:
    """Patients more, each with four alerts of different half hours; the longest wait first by number."""
    with lia.parts.database.write() as connection:
        team = connection.execute(tables.team.select()).one().id
        for number in range(CROWD):
            person = Person(name=f"Nummer {number}")
            new = NewPatient(municipality=lia.municipality, team=team, person=person)
            lia.patients[f"p{number}"] = people.enrol_patient(connection, lia.parts.vault, new, NOW)
    for number in range(CROWD):
        for place, rule in enumerate(("spo2_low", "pulse_high", "temperature_high", "respiration_high")):
            raised_at = NOW - timedelta(minutes=2000 - number - 40 * place)
            lia.raise_alert(f"{number}{rule}", f"p{number}", rule, raised_at=raised_at, why={"metric": "spo2"})
    return lia


def _shown(html: str) -> list[str]:
    return re.findall(r'id="case-([^"]+)"', html)


def _next(html: str) -> str | None:
    found = re.search(r'rel="next" href="([^"]+)"', html)
    return found[1].replace("&amp;", "&") if found else None


def test_the_pages_together_show_everybody_once_in_order(crowd: Hamlet, anna: TestClient) -> None:
    path: str | None = "/"
    pages = []
    while path:
        html = anna.get(path).text
        assert "128 varsler venter" in html
        pages.append(_shown(html))
        path = _next(html)
    assert [len(page) for page in pages] == [worklist.PATIENTS, worklist.PATIENTS, CROWD - 2 * worklist.PATIENTS]
    assert [who for page in pages for who in page] == [crowd.patients[f"p{number}"] for number in range(CROWD)]


def test_a_next_page_is_found_by_its_place_and_names_nobody(crowd: Hamlet, anna: TestClient) -> None:
    first = anna.get("/").text
    where = _next(first)
    assert where
    assert not any(patient in where for patient in crowd.patients.values())
    with crowd.parts.database.write() as connection:  # two of the first page are closed meanwhile
        gone = [crowd.patients["p0"], crowd.patients["p1"]]
        connection.execute(update(tables.alert).where(tables.alert.c.patient_id.in_(gone)).values(state="resolved"))
    second = anna.get(where).text
    assert _shown(second)[0] == crowd.patients[f"p{worklist.PATIENTS}"]
    assert f"Pasient {worklist.PATIENTS - 1}–" in second
    assert 'href="/">Til toppen av listen' in second


def test_a_page_that_has_emptied_says_so(crowd: Hamlet, anna: TestClient) -> None:
    where = "/?after=1.9.9.1.z"
    assert "Det står ingen på denne siden lenger." in anna.get(where).text


def test_of_one_patient_the_foremost_groups_are_shown_and_the_rest_is_counted(crowd: Hamlet, anna: TestClient) -> None:
    html = anna.get("/").text
    case = html[html.index(f'id="case-{crowd.patients["p0"]}"') :].split('id="case-')[1]
    assert case.count("data-alert=") == worklist.GROUPS
    assert "1 varsel til på pasientens side" in case


def test_an_update_brings_the_same_page(crowd: Hamlet, anna: TestClient) -> None:
    where = _next(anna.get("/?priority=high").text)
    assert where
    whole = anna.get(where).text
    found = re.search(r'hx-get="([^"]+)"', whole)
    assert found
    part = anna.get(found[1].replace("&amp;", "&")).text
    assert part.strip() in whole


@contextmanager
def _statements() -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_the_number_of_questions_does_not_grow(morning: Hamlet, anna: TestClient) -> None:
    with _statements() as few:
        anna.get("/")
    for number in range(3):
        for who in ("ella", "peder", "olga"):
            morning.raise_alert(
                f"{who}{number}", who, ("pulse_high", "news2", "fever")[number], raised_at=NOW, why={"metric": "spo2"}
            )
    with _statements() as many:
        anna.get("/")
    assert len(many) == len(few)


def _acknowledge(anna: TestClient, where: str, back: str) -> str:
    """Where the first button of that page leads, sent with this `back`."""
    html = anna.get(where).text
    path = re.search(r'action="(/alerts/[^"]+/acknowledge)"', html)
    seen = re.search(r'name="seen" value="([^"]+)"', html)
    assert path
    assert seen
    answer = anna.post(path[1], data={"seen": seen[1], "back": back}, follow_redirects=False)
    assert answer.status_code == 303
    return str(answer.headers["location"])


def test_a_click_comes_back_to_the_page_that_it_was_made_on(lia: Hamlet, anna: TestClient) -> None:
    lia.hear("gunnar", spo2=87, pulse=80)
    where = "/?kind=value&after=0.0.0.1.a"
    back = re.search(r'name="back" value="([^"]+)"', anna.get(where).text)
    assert back
    assert _acknowledge(anna, where, back[1].replace("&amp;", "&")) == f"{where}&done=acknowledged"


def test_no_click_leads_elsewhere(lia: Hamlet, anna: TestClient) -> None:
    lia.hear("gunnar", spo2=87, pulse=80)
    assert _acknowledge(anna, "/", "/?zone=<b>") == "/?done=acknowledged"
    for number, back in enumerate(("//evil.example", "https://evil.example/?zone=red", "/?after=\n")):
        lia.hear(("solveig", "olga", "peder")[number], spo2=86, pulse=80)
        assert _acknowledge(anna, "/", back) == "/?done=acknowledged"


def test_what_is_chosen_is_shown_and_all_that_waits_is_still_counted(morning: Hamlet, anna: TestClient) -> None:
    def who(query: str) -> list[str]:
        known = {patient: name for name, patient in morning.patients.items()}
        return [known[each] for each in _shown(anna.get(f"/?{query}").text)]

    assert who("priority=high") == ["gunnar", "solveig"]
    assert who("kind=missing") == ["nils"]
    assert who("zone=yellow") == ["aud"]
    assert who("state=taken") == ["olga"]
    assert who("state=waiting&priority=medium") == ["gunnar", "aud"]
    assert who("whose=mine") == []
    assert who("priority=unheard&zone=red") == ["gunnar", "solveig"]
    html = anna.get("/?kind=missing").text
    assert "1 varsel venter her, av 4" in html
    assert re.search(r'id="count-worklist"[^>]*>4<', html)


def test_mine_are_those_whose_alerts_i_have(morning: Hamlet, anna: TestClient) -> None:
    morning.raise_alert(
        "own", "ella", "spo2_low", state=State.ACKNOWLEDGED, priority=Priority.MEDIUM, raised_at=NOW,
        owner=morning.staff["anna"], why={"metric": "spo2"},
    )  # fmt: skip
    assert _shown(anna.get("/?whose=mine").text) == [morning.patients["ella"]]


def test_nothing_that_fits_is_said_with_a_way_back(morning: Hamlet, anna: TestClient) -> None:
    assert 'Ingenting passer til det du har valgt. <a href="/">Vis alle</a>' in anna.get("/?kind=symptom").text


def _contact(lia: Hamlet, who: str) -> None:
    vault = lia.parts.vault
    row = {"id": f"contact-{who}", "municipality_id": lia.municipality, "patient_id": lia.patients[who]}
    row |= {"kind": "next_of_kin", "relation": "datter", "name": vault.close("Kari Prøvedal")}
    with lia.parts.database.write() as connection:
        connection.execute(tables.contact.insert().values(**row, phone=vault.close("75000001")))


def test_whom_to_call_is_one_touch_away(morning: Hamlet, anna: TestClient) -> None:
    _contact(morning, "gunnar")
    html = anna.get("/").text
    assert html.count('href="tel:75000001"') == 1
    case = html[html.index(f'id="case-{morning.patients["gunnar"]}"') :].split('id="case-')[1]
    assert "Kari Prøvedal, datter" in case


def test_a_note_is_kept_about_the_alert_and_nothing_typed_is_lost(morning: Hamlet, anna: TestClient) -> None:
    alert = morning.alerts["gunnar_spo2"]
    back = "/?priority=high"
    answer = anna.post(f"/alerts/{alert}/note", data={"text": " Ringte, <b>bedre</b> nå. ", "back": back})
    assert answer.headers["location"] == f"{back}&done=noted"
    with morning.parts.database.read() as connection:
        (note,) = connection.execute(tables.note.select()).all()
    assert (note.text, note.alert_id, note.by) == ("Ringte, <b>bedre</b> nå.", alert, morning.staff["anna"])
    long = "å<script>" * 400
    refused = anna.post(f"/alerts/{alert}/note", data={"text": long, "back": back})
    assert refused.status_code == 422
    assert long.replace("<", "&lt;").replace(">", "&gt;") in refused.text
    assert f'aria-describedby="wrong-{alert}"' in refused.text
    for text in ("", "   ", "\x00"):
        assert anna.post(f"/alerts/{alert}/note", data={"text": text}).status_code == 422
    assert anna.post("/alerts/nobodys/note", data={"text": "x"}).status_code == 404
    with morning.parts.database.read() as connection:
        assert len(connection.execute(tables.note.select()).all()) == 1
