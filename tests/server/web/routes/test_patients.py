"""A patient's page, and the list that is searched without a name in an address."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update
from starlette.testclient import TestClient

from server.db import tables
from server.web.frame.changes import fingerprint
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import NOW, Hamlet
from tests.server.web.routes.test_worklist import text_of


def test_the_page_shows_zone_wish_alerts_values_and_kit(morning: Hamlet, anna: TestClient) -> None:
    said = text_of(anna.get(f"/patients/{morning.patients['gunnar']}").text)
    for part in (
        "Gunnar Prøvedal",
        "83 år",
        "Rød",
        "Hva er viktig for deg?",
        "Å kunne gå til naustet og se på båten.",
        "1 åpent varsel",
        "Pulsoksymeter",
        "Batteri 80 %",
        "Siste kontakt for 8 min siden",
        "Varsel utløst",
        "Pasientens egen plan, versjon 2",
    ):
        assert part in said, part


def test_every_value_stands_in_a_table_too(morning: Hamlet, anna: TestClient) -> None:
    html = anna.get(f"/patients/{morning.patients['gunnar']}").text
    table = html[html.index('id="table-spo2"') :].split("</table>")[0]
    assert re.findall(r'class="number">(\d+)\xa0%<', table) == [
        "87",
        "90",
        "91",
        "93",
        "92",
        "94",
        "93",
        "95",
        "94",
        "95",
    ]
    assert "utenfor grensen for høy" in text_of(table)


def test_the_chart_gets_values_limits_and_where_alerts_were_raised(morning: Hamlet, anna: TestClient) -> None:
    html = anna.get(f"/patients/{morning.patients['gunnar']}").text
    charts = [json.loads(unescape(each)) for each in re.findall(r'data-chart="([^"]*)"', html)]
    spo2 = charts[0]
    assert spo2["values"][-1] == 87.0
    assert {(limit["value"], limit["priority"]) for limit in spo2["limits"]} == {(94.0, "medium"), (92.0, "high")}
    assert [mark["time"] for mark in spo2["marks"]] == [spo2["times"][-1]]


def test_a_patient_without_alerts_and_values_is_not_called_well(morning: Hamlet, anna: TestClient) -> None:
    said = text_of(anna.get(f"/patients/{morning.patients['ella']}").text)
    assert "Ukjent" in said
    assert "Grønn" not in said
    assert "ikke nok målinger til å si at alt er bra" in said


def test_a_name_is_searched_for_by_post(morning: Hamlet, anna: TestClient) -> None:
    page = anna.post("/patients", data={"name": " olga  PRØVE "})
    assert "Olga Prøvevik" in page.text
    assert "Gunnar" not in page.text
    assert "1 treff" in text_of(page.text)
    assert "Gunnar" in anna.get("/patients?name=olga").text  # an address holds no name


def test_the_most_urgent_zone_stands_first_in_the_list(morning: Hamlet, anna: TestClient) -> None:
    zones = re.findall(r"</svg>(\w+)</span></span><span><a", anna.get("/patients").text)
    assert zones == ["Rød", "Rød", "Gul", "Teknisk", "Ukjent", "Grønn", "Grønn"]


@pytest.mark.parametrize("stuck", [{"failures": 1}, {"evaluate_at": timedelta(minutes=11)}], ids=["failed", "overdue"])
def test_a_patient_who_cannot_be_judged_is_not_green_and_the_pages_say_why(
    morning: Hamlet, anna: TestClient, stuck: dict[str, Any]
) -> None:
    peder, now = morning.patients["peder"], morning.clock.now()
    row = {"patient_id": peder, "municipality_id": morning.municipality, "evaluate_at": now + timedelta(hours=1)}
    with morning.parts.database.write() as connection:
        connection.execute(insert(tables.due).values(row))
    before = fingerprint(morning.parts.database, now)
    assert "Grønn" in person(anna.get(f"/patients/{peder}").text)
    assert "Reglene fikk ikke vurdert" not in text_of(anna.get("/").text)
    changed = {name: now - value if name == "evaluate_at" else value for name, value in stuck.items()}
    with morning.parts.database.write() as connection:
        connection.execute(update(tables.due).where(tables.due.c.patient_id == peder).values(changed))
    page = anna.get(f"/patients/{peder}").text
    assert "Grønn" not in person(page)
    assert "Ukjent" in person(page)
    assert "Reglene fikk ikke vurdert denne pasienten. Se på målingene selv" in text_of(page)
    assert "Ingen åpne varsler, men reglene fikk ikke vurdert om alt er bra." in text_of(page)
    worklist = anna.get("/").text
    assert "Reglene fikk ikke vurdert 1 pasient." in text_of(worklist)
    assert re.findall(r'data-zone="(unknown|green)">(\d+)<', worklist) == [("unknown", "2"), ("green", "1")]
    assert "Peder Testhaugen , 71 Reglene fikk ikke vurdert dette" in text_of(anna.get("/patients").text)
    assert fingerprint(morning.parts.database, now) != before  # open pages ask again


def test_what_was_known_to_be_red_stays_red_when_the_rules_cannot_be_asked(morning: Hamlet, anna: TestClient) -> None:
    gunnar, now = morning.patients["gunnar"], morning.clock.now()
    row = {"patient_id": gunnar, "municipality_id": morning.municipality, "evaluate_at": now, "failures": 3}
    with morning.parts.database.write() as connection:
        connection.execute(insert(tables.due).values(row))
    page = anna.get(f"/patients/{gunnar}").text
    assert "Rød" in person(page)
    assert "Reglene fikk ikke vurdert denne pasienten" in text_of(page)
    assert re.findall(r'data-zone="(red)">(\d+)<', anna.get("/").text) == [("red", "2")]


def person(html: str) -> str:
    """The head of the page: name and zone."""
    return html.split('<div class="person">')[1].split("<section")[0]


def looks(morning: Hamlet) -> int:
    """How often somebody's look at Gunnar's page has been noted."""
    table = tables.audit
    noted = select(func.count()).where(
        table.c.patient_id == morning.patients["gunnar"], table.c.action == "see_patient"
    )
    with morning.parts.database.read() as connection:
        return connection.execute(noted).scalar_one()


def test_a_live_page_is_noted_as_seen_once_an_hour_for_each_reader(morning: Hamlet, visitor: Visitor) -> None:
    part = f"/parts/patients/{morning.patients['gunnar']}"
    for times, who in enumerate(("anna", "henrik"), start=1):
        client = visitor(who)
        for _ in range(3):
            assert "Gunnar Prøvedal" in client.get(part).text
        assert looks(morning) == times
    morning.clock.advance(timedelta(hours=1, seconds=1))
    assert client.get(part).status_code == 200
    assert looks(morning) == 3


def test_the_page_that_answers_a_click_that_came_too_late_is_noted_as_seen(morning: Hamlet, anna: TestClient) -> None:
    path = f"/patients/{morning.patients['gunnar']}"
    form = {"seen": "active:low:", "back": path}
    answer = anna.post(f"/alerts/{morning.alerts['gunnar_spo2']}/acknowledge", data=form)
    assert (answer.status_code, "Gunnar Prøvedal" in answer.text) == (409, True)
    assert looks(morning) == 1
    anna.get(path)
    assert looks(morning) == 2


def test_the_same_notice_many_times_is_one_line_of_the_timeline(morning: Hamlet, anna: TestClient) -> None:
    whose = {"patient_id": morning.patients["gunnar"], "municipality_id": morning.municipality}
    told = whose | {"kind": "notice", "rule": "spo2_low", "to": "shift_lead"}
    with morning.parts.database.write() as connection:
        for minutes in (5, 3, 1):
            connection.execute(insert(tables.fact).values(**told, at=NOW - timedelta(minutes=minutes)))
    timeline = text_of(anna.get(f"/patients/{morning.patients['gunnar']}").text.split('class="timeline"')[1])
    assert timeline.count("Varslet: vaktleder") == 1
    assert "3 ganger siden kl. 07:35 i dag" in timeline
