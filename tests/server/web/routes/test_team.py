"""The pages of a team: who is on duty, what was left, who was told; and what people type into their forms."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from server.access import Role
from server.care import people
from server.care.people import NewPatient, Person
from server.db import tables
from tests.server.web import valley
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import NOW, Hamlet
from tests.server.web.routes.test_worklist import text_of


@pytest.fixture
def shift(morning: Hamlet) -> Hamlet:
    return valley.settle(morning)


@pytest.fixture
def ingrid(shift: Hamlet, visitor: Visitor) -> TestClient:
    return visitor("ingrid")


def rows(lia: Hamlet, table: Any) -> list[Any]:
    with lia.parts.database.read() as connection:
        return list(connection.execute(select(table)))


def put_on(client: TestClient, lia: Hamlet, **changed: str) -> Any:
    form = {"staff": lia.staff["anna"], "role": "backup", "day": "2026-11-23", "from": "22:00", "until": "07:00"}
    return client.post("/team/roster", data=form | changed)


def test_the_shift_says_who_answers_what_was_left_and_what_is_quiet_on_purpose(shift: Hamlet, anna: TestClient) -> None:
    said = text_of(anna.get("/team").text)
    for part in (
        "Primærkontakt Anna Solbakk til kl. 15:00 i dag",
        "Reserveteam Tore Lindås til 23. nov. kl. 07:00 ingen kanal: kan ikke nås",
        "Nattsentralen i dalen svarer 22:00-07:00",
        "Han puster lettere når han sitter",
        "Aud Eksempelmo Middels Vektøkning på tre dager til kl. 10:40 i dag",
        "Peder Testhaugen på sykehus",
        "Solveig Testnes Nattsentralen i dalen, fikk et varsel til kl. 08:00 i dag",
    ):
        assert part in said, said


def test_a_shift_over_midnight_ends_the_next_day(shift: Hamlet, ingrid: TestClient) -> None:
    answer = put_on(ingrid, shift)
    assert answer.headers["location"] == "/team/roster?done=on_roster&day=2026-11-23"
    (row,) = [each for each in rows(shift, tables.duty) if each.role == "backup" and each.starts_at > NOW]
    assert row.ends_at - row.starts_at == timedelta(hours=9)
    assert "22:00–07:00 Anna Solbakk" in text_of(ingrid.get("/team/roster?day=2026-11-23").text)
    gone = ingrid.post("/team/roster/remove", data={"duty": row.id, "day": "2026-11-23"})
    assert gone.status_code == 303
    assert row.id not in {each.id for each in rows(shift, tables.duty)}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"day": "tomorrow"}, "Skriv en dato"),
        ({"day": "2226-01-01"}, "Skriv en dato"),
        ({"day": "2036-01-01"}, "Velg en dag fra forrige uke"),
        ({"from": "kl 7"}, "Skriv et klokkeslett"),
        ({"staff": "x"}, "Velg noen fra listen"),
        ({"role": "owner"}, "Velg en fra listen"),
        ({"staff": "again"}, "har allerede denne vakten"),
    ],
)
def test_a_shift_that_cannot_be_is_said_beside_its_field(
    shift: Hamlet, ingrid: TestClient, wrong: dict[str, str], says: str
) -> None:
    if wrong == {"staff": "again"}:
        put_on(ingrid, shift)
        wrong = {}
    answer = put_on(ingrid, shift, **wrong)
    assert answer.status_code == 422
    assert says in text_of(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert 'value="22:00"' in answer.text or "from" in wrong  # nothing typed is lost


def test_a_week_is_copied_once(shift: Hamlet, ingrid: TestClient) -> None:
    before = len(rows(shift, tables.duty))
    for done in ("copied_week", "nothing_to_copy"):
        answer = ingrid.post("/team/roster/copy", data={"day": "2026-11-23"})
        assert answer.headers["location"] == f"/team/roster?done={done}&day=2026-11-23"
    assert len(rows(shift, tables.duty)) == before + 6


def test_a_channel_is_kept_closed_and_shown_by_its_end(shift: Hamlet, ingrid: TestClient) -> None:
    form = {"staff": shift.staff["tore"], "kind": "text", "address": "+47 999 00 777"}
    assert ingrid.post("/team/channels", data=form).status_code == 303
    page = ingrid.get("/team/channels").text
    assert "…777" in page
    assert "99900777" not in page
    (row,) = [each for each in rows(shift, tables.channel) if each.staff_id == shift.staff["tore"]]
    assert b"999" not in row.address
    assert shift.parts.vault.open(row.address) == "+4799900777"
    answer = ingrid.post("/team/channels", data=form | {"kind": "mail"})
    assert answer.status_code == 422
    assert "Skriv en adresse" in text_of(answer.text)
    assert "+47 999 00 777" in answer.text
    assert ingrid.post("/team/channels/remove", data={"channel": row.id}).status_code == 303
    assert "…777" not in ingrid.get("/team/channels").text


def test_only_the_coordinator_of_the_team_changes_it(shift: Hamlet, ingrid: TestClient, anna: TestClient) -> None:
    duty, channel = rows(shift, tables.duty)[0].id, rows(shift, tables.channel)[0].id
    for path, form in (
        ("/team/roster", {}),
        ("/team/roster/remove", {"duty": duty}),
        ("/team/channels", {}),
        ("/team/channels/remove", {"channel": channel}),
    ):
        assert anna.post(path, data=form).status_code == 403
    assert anna.get("/team/channels").status_code == 403
    assert anna.get("/team/load").status_code == 403
    with shift.parts.database.write() as connection:
        other = people.create_team(connection, shift.municipality, "Et annet team")
        stranger = people.employ(connection, shift.parts.vault, other, Role.NURSE, Person(name="Fremmed"))
    assert put_on(ingrid, shift, staff=stranger).status_code == 422
    assert ingrid.post("/team/channels", data={"staff": stranger, "kind": "log"}).status_code == 422
    assert len(rows(shift, tables.channel)) == 5


def test_a_note_is_left_for_the_next_shift_and_taken_once(shift: Hamlet, anna: TestClient, visitor: Visitor) -> None:
    team = valley.team_of(shift)
    form = {"to_team": team, "patient": shift.patients["gunnar"], "text": "Ring datteren <b>først</b>."}
    assert anna.post("/team/notes", data=form).status_code == 303
    page = anna.get("/team").text
    assert "Ring datteren &lt;b&gt;først&lt;/b&gt;." in page
    (row,) = [each for each in rows(shift, tables.handover_note) if each.by == shift.staff["anna"]]
    assert b"datteren" not in row.text
    henrik = visitor("henrik")
    assert henrik.post("/team/notes/take", data={"note": row.id}).status_code == 303
    assert anna.post("/team/notes/take", data={"note": row.id}).status_code == 303
    (row,) = [each for each in rows(shift, tables.handover_note) if each.id == row.id]
    assert row.taken_by == shift.staff["henrik"]
    assert anna.post("/team/notes/take", data={"note": "guess"}).status_code == 404


def test_a_note_that_cannot_be_is_said_and_keeps_its_words(shift: Hamlet, anna: TestClient) -> None:
    team = valley.team_of(shift)
    for form, says in (
        ({"to_team": team, "text": "  "}, "Skriv det neste vakt"),
        ({"to_team": "x", "text": "Hei du"}, "Velg noen fra listen"),
        ({"to_team": team, "text": "Hei du", "patient": "guess"}, "Velg noen fra listen"),
        ({"to_team": team, "text": "Hei du" * 500}, "Det er for langt"),
    ):
        answer = anna.post("/team/notes", data=form)
        assert answer.status_code == 422
        assert says in text_of(answer.text)
        assert form["text"].strip()[:6] in answer.text
    assert len(rows(shift, tables.handover_note)) == 2


def test_who_answers_at_night_sees_the_notes_to_it_and_no_others(
    shift: Hamlet, anna: TestClient, visitor: Visitor
) -> None:
    nina = visitor("nina")
    said = text_of(nina.get("/team").text)
    assert "puster lettere" not in said
    assert "Solveig Testnes hos oss, fikk et varsel" in said
    assert "Peder Testhaugen" not in said
    assert nina.get(f"/patients/{shift.patients['solveig']}").status_code == 200
    assert nina.get(f"/patients/{shift.patients['gunnar']}").status_code == 404
    assert "Gunnar" not in nina.get("/").text
    assert "Gunnar" not in nina.get("/patients").text
    assert "Solveig" in nina.get("/").text
    shift.clock.advance(timedelta(minutes=21))
    assert nina.get(f"/patients/{shift.patients['solveig']}").status_code == 404
    assert "Solveig" not in nina.get("/").text


def test_the_log_of_channels_says_every_try(shift: Hamlet, anna: TestClient) -> None:
    said = text_of(anna.get("/team/told").text)
    for part in (
        "Gitt opp: ingen kunne nås.",
        "E-post: avbrutt: kan være sendt to ganger",
        "Henrik Myrvoll fikk beskjed som Vaktleder Sendt",
        "Tekstmelding: ikke tatt imot webhook answers 503",
    ):
        assert part in said, said
    assert "Gunnar" not in said  # a case has a number


def test_a_case_leads_to_its_patient_for_who_may_know_them(shift: Hamlet, anna: TestClient, visitor: Visitor) -> None:
    number = rows(shift, tables.outbox)[0].seq
    assert anna.get(f"/cases/{number}").headers["location"] == f"/patients/{shift.patients['gunnar']}"
    for guess in ("999999", "0", "-1", "x", "9" * 40):
        assert anna.get(f"/cases/{guess}").status_code == 404
    assert visitor("nina").get(f"/cases/{number}").status_code == 404
    assert visitor("tore").get(f"/cases/{number}").status_code == 403
    assert visitor(None).get(f"/cases/{number}").headers["location"].startswith("/login")


def test_a_patient_of_another_team_is_in_none_of_the_lists(shift: Hamlet, anna: TestClient) -> None:
    with shift.parts.database.write() as connection:
        other = people.create_team(connection, shift.municipality, "Et annet team")
        new = NewPatient(municipality=shift.municipality, team=other, person=Person(name="Hemmelig Person"))
        patient = people.enrol_patient(connection, shift.parts.vault, new, NOW)
        pause = {"id": "p2", "municipality_id": shift.municipality, "patient_id": patient, "reason": "holiday"}
        pause |= {"starts_at": NOW, "set_by": shift.staff["anna"], "set_at": NOW}
        connection.execute(insert(tables.pause).values(**pause))
    assert "Hemmelig" not in anna.get("/team").text


def test_odd_inputs_are_answered_and_change_nothing(shift: Hamlet, ingrid: TestClient) -> None:
    chance = random.Random(7)
    odd = ["", " ", "x" * 4000, "<script>alert(1)</script>", "0", "-1", "2026-13-45", "25:61", "\x00", "ærøåÆ", "%s%n"]
    odd += ["'; DROP TABLE duty; --", "2026-11-23", "07:00", "primary", "text", "9" * 30, "\u202e", "null", "[]"]
    odd += [shift.patients["gunnar"], shift.staff["nina"]]
    before = [len(rows(shift, table)) for table in (tables.duty, tables.channel, tables.handover_note)]
    forms = {
        "/team/roster": ("staff", "role", "day", "from", "until"),
        "/team/channels": ("staff", "kind", "address"),
        "/team/notes": ("to_team", "patient", "text"),
    }
    for path, fields in forms.items():
        for _ in range(15):
            answer = ingrid.post(path, data={name: chance.choice(odd) for name in fields if chance.random() < 0.9})
            assert answer.status_code in (303, 422), (path, answer.status_code)
            assert "Traceback" not in answer.text
            if answer.status_code == 422:
                assert 'class="bad"' in answer.text
                assert "<script>alert" not in answer.text
    after = [len(rows(shift, table)) for table in (tables.duty, tables.channel, tables.handover_note)]
    assert after[0] == before[0]
    assert after[1] <= before[1] + 5  # the team itself may be given telephones
    assert after[2] == before[2]
