"""A patient's own pages: the zone and its text, whom to call, what is typed in, and nobody else's anything."""

import random
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient

from server.care.reports import BY_HAND
from server.db import tables
from server.own_rows import Share
from server.watch.beat import Pulse
from server.watch.silence import Part
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import NOW, Hamlet

TOKEN = "a-token-of-some-form-1"


@pytest.fixture
def watched(lia: Hamlet) -> Hamlet:
    """The loop of the rules is alive."""
    Pulse(lia.parts, Part.WATCH).beat()
    return lia


@pytest.fixture
def gunnar(visitor: Visitor) -> TestClient:
    return visitor("gunnar")


def zone_of(page: str) -> str:
    found = re.search(r'data-zone="([a-z]+)"', page)
    assert found
    return found[1]


def rows(lia: Hamlet, table: Any) -> list[Any]:
    with lia.parts.database.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)).mappings())


def no_to_all(page: str) -> dict[str, str]:
    return dict.fromkeys(re.findall(r'name="([a-z_]+)" value="yes"', page), "no")


def write_text(lia: Hamlet, patient: str, **texts: str) -> None:
    row = {"patient_id": lia.patients[patient], "municipality_id": lia.municipality, "version": 1}
    with lia.parts.database.write() as connection:
        connection.execute(insert(tables.plan_text).values(**row, **{"green": "g", "yellow": "y", "red": "r"} | texts))


def test_a_good_morning_is_green_with_the_plans_own_text(watched: Hamlet, gunnar: TestClient) -> None:
    write_text(watched, "gunnar", green="Gå en tur til naustet.")
    watched.hear("gunnar", spo2=96, pulse=70)
    page = gunnar.get("/own").text
    assert zone_of(page) == "green"
    assert "Gå en tur til naustet." in page
    assert "Hei, Gunnar" in page


def test_who_was_never_measured_is_not_green(watched: Hamlet, gunnar: TestClient) -> None:
    assert zone_of(gunnar.get("/own").text) == "unknown"


def test_nobody_is_green_while_the_rules_stand_still(watched: Hamlet, gunnar: TestClient) -> None:
    watched.hear("gunnar", spo2=96, pulse=70)
    with watched.parts.database.write() as connection:
        connection.execute(update(tables.role_beat).values(at=watched.parts.wall.now() - timedelta(hours=1)))
    page = gunnar.get("/own").text
    assert zone_of(page) == "unknown"
    assert "blir ikke vurdert akkurat nå" in page


def test_a_serious_symptom_turns_the_page_red_at_once(watched: Hamlet, gunnar: TestClient, visitor: Visitor) -> None:
    write_text(watched, "gunnar", red="Sett deg oppreist og ring oss.")
    watched.hear("gunnar", spo2=96, pulse=70)
    answers = no_to_all(gunnar.get("/own/symptoms").text) | {"chest_pain": "yes", "token": TOKEN}
    sent = gunnar.post("/own/symptoms", data=answers)
    assert (sent.status_code, sent.headers["location"]) == (303, "/own?done=serious")
    page = gunnar.get(sent.headers["location"]).text
    assert zone_of(page) == "red"
    assert "Sett deg oppreist og ring oss." in page
    assert 'href="tel:113"' in page
    assert "ring nå" in page
    (alert,) = rows(watched, tables.alert)
    assert (alert["rule"], alert["priority"]) == ("symptom_red", "high")
    seen = visitor("anna").get(f"/patients/{watched.patients['gunnar']}/messages").text
    assert "Har du smerter eller trykk i brystet?" in seen
    assert "Gunnar Prøvedal" in seen


def test_a_form_that_is_sent_twice_counts_once(watched: Hamlet, gunnar: TestClient) -> None:
    answers = no_to_all(gunnar.get("/own/symptoms").text) | {"token": TOKEN, "remark": "Sov dårlig."}
    for done in ("answered", "sent_before"):
        assert gunnar.post("/own/symptoms", data=answers).headers["location"] == f"/own?done={done}"
    assert len(rows(watched, tables.reading)) == len(rows(watched, tables.self_report)) == 1
    assert len(rows(watched, tables.message)) == 1


def test_a_measurement_typed_in_is_recorded_judged_and_marked(watched: Hamlet, gunnar: TestClient) -> None:
    sent = gunnar.post("/own/measure", data={"token": TOKEN, "spo2": "84", "pulse": "104"})
    assert sent.headers["location"] == "/own?done=measured"
    (reading,) = rows(watched, tables.reading)
    assert (reading["gateway_id"], reading["device"], reading["clock"]) == (None, BY_HAND, "person")
    assert reading["flags"] == ["entered_by_hand"]
    assert reading["evaluation_seq"] is not None
    assert {row["metric"]: int(row["value"]) for row in rows(watched, tables.measurement)} == {"spo2": 84, "pulse": 104}
    assert zone_of(gunnar.get("/own").text) in ("red", "unknown")  # alerted, or asked to measure again
    assert {row["rule"] for row in rows(watched, tables.alert)} >= {"spo2_low"}
    assert "skrevet inn for hånd" in gunnar.get("/own/values").text
    logged = [row for row in rows(watched, tables.audit) if row["action"] == "report_own"]
    assert [row["role"] for row in logged] == ["patient"]


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(lia: Hamlet, gunnar: TestClient) -> None:
    sent = gunnar.post("/own/measure", data={"token": TOKEN, "spo2": "ninety", "temperature": "37,5"})
    assert sent.status_code == 422
    assert 'id="wrong-spo2"' in sent.text
    assert 'value="ninety"' in sent.text
    assert 'value="37,5"' in sent.text
    assert f'value="{TOKEN}"' in sent.text
    assert rows(lia, tables.reading) == []


def test_an_unlikely_value_waits_for_a_person(watched: Hamlet, visitor: Visitor) -> None:
    typed, aud = {"token": TOKEN, "weight": "9"}, visitor("aud")
    asked = aud.post("/own/measure", data=typed)
    assert asked.status_code == 422
    assert "is_right" in asked.text
    aud.post("/own/measure", data=typed | {"is_right": "yes"})
    assert "quarantined" in {row["rule"] for row in rows(watched, tables.alert)}


@pytest.mark.parametrize("path", ["/own/measure", "/own/symptoms", "/own/messages", "/own/sharing"])
def test_whatever_is_sent_gives_a_page_and_changes_nobody_else(watched: Hamlet, gunnar: TestClient, path: str) -> None:
    watched.share("berit", "gunnar", Share.ZONE)
    chance = random.Random(path)
    names = ["spo2", "pulse", "when", "clock", "is_right", "token", "chest_pain", "confused", "remark", "text"]
    names += ["contact", "zone", "values", "patient", "patient_id"]
    texts = [
        "",
        "yes",
        "no",
        "94",
        "x" * 9000,
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "\x00\x07",
        "🫀",
        "-1",
        "NaN",
    ]
    texts += [watched.patients["aud"], watched.kin["berit"], TOKEN, "2026-11-22", "today", "07:61"]
    for _ in range(15):
        typed = {name: chance.choice(texts) for name in chance.sample(names, chance.randint(0, 8))}
        answer = gunnar.post(path, data=typed)
        assert answer.status_code in (303, 404, 422), typed
        assert "<script>alert" not in answer.text
        assert "Traceback" not in answer.text
    for table in (tables.reading, tables.message, tables.self_report, tables.consent):
        assert {row["patient_id"] for row in rows(watched, table)} <= {watched.patients["gunnar"]}


def test_no_address_of_others_opens(watched: Hamlet, gunnar: TestClient, visitor: Visitor) -> None:
    aud = watched.patients["aud"]
    others = ["/", "/patients", f"/patients/{aud}", f"/patients/{aud}/messages", f"/patients/{aud}/sharing", "/kits"]
    others += [f"/parts/patients/{aud}", "/quarantine", "/messages", f"/patients/{watched.patients['gunnar']}"]
    for path in others:
        assert gunnar.get(path).status_code == 403, path
    assert visitor("anna").get("/own").status_code == 403
    assert visitor(None).get("/own").headers["location"] == "/login?back=/own"


def test_the_team_is_called_in_its_hours_and_somebody_else_outside(watched: Hamlet, gunnar: TestClient) -> None:
    agreement = tables.service_agreement
    with watched.parts.database.write() as connection:
        connection.execute(update(agreement).values(phone="75000000", phone_after_hours="75000001"))
    assert 'href="tel:75000000"' in gunnar.get("/own").text
    table = tables.plan_version
    mine = table.c.patient_id == watched.patients["gunnar"]
    with watched.parts.database.write() as connection:
        body = connection.execute(select(table.c.body).where(mine)).scalar_one()
        connection.execute(update(table).where(mine).values(body=body | {"hours": "08:00-15:30 mon-fri"}))
    page = gunnar.get("/own").text
    assert 'href="tel:75000001"' in page
    assert 'href="tel:75000000"' not in page
    assert "tilbake 23. nov. kl. 08:00" in page


class TestSomebodyClose:
    def test_sees_the_zone_alone_until_more_is_shared(self, watched: Hamlet, visitor: Visitor) -> None:
        watched.hear("gunnar", spo2=96, pulse=70)
        watched.share("berit", "gunnar", Share.ZONE)
        berit = visitor("berit")
        page = berit.get("/own").text
        assert zone_of(page) == "green"
        assert "96" not in re.sub(r"<[^>]+>", "", page)
        for path in ("/own/values", "/own/measure", "/own/symptoms", "/own/messages", "/own/sharing", "/own/log", "/"):
            assert berit.get(path).status_code == 403, path
        watched.share("berit", "gunnar", Share.VALUES)
        assert berit.get("/own/values").status_code == 200
        watched.share("berit", "gunnar", Share.REPORT)
        assert berit.get("/own/values").status_code == 403
        sent = berit.post("/own/measure", data={"token": TOKEN, "pulse": "70", "remark": "not hers to write"})
        assert sent.headers["location"] == "/own?done=measured"
        assert rows(watched, tables.self_report)[0]["by"] == watched.kin["berit"]

    def test_is_out_at_once_when_the_patient_says_so(
        self, watched: Hamlet, visitor: Visitor, gunnar: TestClient
    ) -> None:
        watched.share("berit", "gunnar", Share.ZONE, Share.VALUES)
        berit = visitor("berit")
        assert berit.get("/own").status_code == 200
        gunnar.post("/own/sharing", data={"contact": watched.kin["berit"]})
        assert berit.get("/own").headers["location"] == "/login?back=/own"
        assert [row["withdrawn_by"] for row in rows(watched, tables.consent)] == [watched.patients["gunnar"]]
        assert [row["action"] for row in rows(watched, tables.audit)].count("share_own") == 2

    def test_is_shared_with_by_nobody_but_the_patient_and_the_team(
        self, watched: Hamlet, visitor: Visitor, gunnar: TestClient
    ) -> None:
        watched.share("berit", "aud")  # known, and given nothing
        berit = {"contact": watched.kin["berit"], "values": "yes"}
        assert gunnar.post("/own/sharing", data=berit).status_code == 404
        assert rows(watched, tables.consent) == []
        assert visitor("anna").post(f"/patients/{watched.patients['gunnar']}/sharing", data=berit).status_code == 404
        noted = visitor("anna").post(f"/patients/{watched.patients['aud']}/sharing", data=berit)
        assert noted.status_code == 303
        assert [(row["scopes"], row["given_role"]) for row in rows(watched, tables.consent)] == [
            (["values", "zone"], "nurse")
        ]


def test_the_patient_reads_who_has_looked(watched: Hamlet, visitor: Visitor, gunnar: TestClient) -> None:
    visitor("anna").get(f"/patients/{watched.patients['gunnar']}")
    visitor("anna").get(f"/patients/{watched.patients['aud']}")
    page = gunnar.get("/own/log").text
    assert page.count("Anna Solbakk") == 1
    assert "Åpnet siden om deg" in page


def test_messages_go_both_ways_and_are_counted(watched: Hamlet, visitor: Visitor, gunnar: TestClient) -> None:
    anna, path = visitor("anna"), f"/patients/{watched.patients['gunnar']}/messages"
    gunnar.post("/own/messages", data={"token": TOKEN, "text": "Kan jeg få en ny pute?"})
    assert "Gunnar Prøvedal" in anna.get("/messages").text
    assert "Kan jeg få en ny pute?" in anna.get(path).text
    assert "Gunnar Prøvedal" not in anna.get("/messages").text  # read
    anna.post(path, data={"token": "another-form-of-hers", "text": "Vi tar den med i morgen."})
    assert 'data-color="warning">1<' in gunnar.get("/own").text
    page = gunnar.get("/own/messages").text
    assert "Vi tar den med i morgen." in page
    assert "Anna Solbakk" in page
    stored = rows(watched, tables.message)
    assert all(b"pute" not in row["text"] for row in stored)  # closed
    assert stored[0]["at"] >= NOW


def test_the_coordinator_says_which_numbers_patients_call(
    watched: Hamlet, visitor: Visitor, gunnar: TestClient
) -> None:
    ingrid = visitor("ingrid")
    assert 'href="tel:116117"' in gunnar.get("/own").text  # nobody has said any
    wrong = ingrid.post("/numbers", data={"phone": "call us", "phone_after_hours": "75 99 00 01"})
    assert wrong.status_code == 422
    assert 'value="call us"' in wrong.text
    assert ingrid.post("/numbers", data={"phone": "75 99 00 00"}).status_code == 303
    assert 'href="tel:75990000"' in gunnar.get("/own").text
    assert 'value="75990000"' in ingrid.get("/numbers").text
    assert visitor("anna").get("/numbers").status_code == 403


def test_the_demo_lets_those_at_home_in_with_one_press(watched: Hamlet, visitor: Visitor) -> None:
    watched.share("berit", "gunnar", Share.ZONE)
    stranger = visitor(None)
    page = stranger.get("/login").text
    for field, identity in (("patient", watched.patients["gunnar"]), ("kin", watched.kin["berit"])):
        assert f'name="{field}" value="{identity}"' in page
        entered = stranger.post("/login", data={field: identity})
        assert (entered.status_code, entered.headers["location"]) == (303, "/start")
        assert stranger.get("/start").headers["location"] == "/own"
        stranger.cookies.clear()
    assert stranger.post("/login", data={"patient": "nobody"}).headers["location"] == "/login"


def test_an_address_that_no_database_takes_is_not_found(lia: Hamlet, visitor: Visitor) -> None:
    for path in ("/patients/%00", "/patients/%00/visit", "/patients/x%00y/messages", "/k/%00"):
        assert visitor("anna").get(path).status_code == 404, path
