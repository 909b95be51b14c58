"""The two buttons, through the real rules: what they do, and who is told that somebody was faster."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from starlette.testclient import TestClient

from server.db import tables
from server.db.engine import Database
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import Hamlet
from tests.server.web.routes.test_worklist import text_of


@pytest.fixture
def alert(lia: Hamlet) -> str:
    """Gunnar's oxygen is at 87 %: no second reading is waited for at such a value."""
    lia.hear("gunnar", spo2=87, pulse=80)
    with lia.parts.database.read() as connection:
        table = tables.alert
        return str(connection.execute(select(table.c.id).where(table.c.rule == "spo2_low")).scalar_one())


def form_of(client: TestClient, alert: str, page: str = "/") -> dict[str, str]:
    """What the browser would send with that alert's first form."""
    html = client.get(page).text
    row = html[html.index(f'id="alert-{alert}"') :]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', row)[:2])


def state_of(lia: Hamlet, alert: str) -> str:
    with lia.parts.database.read() as connection:
        return str(connection.execute(select(tables.alert.c.state).where(tables.alert.c.id == alert)).scalar_one())


def test_a_real_reading_is_on_the_page_with_value_limit_and_time(lia: Hamlet, alert: str, anna: TestClient) -> None:
    said = re.sub(r" (?=[.,])", "", text_of(anna.get("/").text))
    assert "Oksygenmetning 87 % – grensen er 92 %. Målt kl. 07:40 i dag." in said
    page = text_of(anna.get(f"/patients/{lia.patients['gunnar']}").text)
    for fact in (
        "spo2_low",
        "Covid-19 hjemme",
        "Med 95 % eller høyere ville",
        "AA:BB:CC:00:00:00",
        "Regelbokas eget tall",
    ):
        assert fact in page


def test_acknowledging_puts_a_name_on_it(lia: Hamlet, alert: str, anna: TestClient) -> None:
    answer = anna.post(f"/alerts/{alert}/acknowledge", data=form_of(anna, alert))
    assert (answer.status_code, answer.headers["location"]) == (303, "/?done=acknowledged")
    assert state_of(lia, alert) == "acknowledged"
    page = text_of(anna.get("/?done=acknowledged").text)
    assert "Du har kvittert varselet." in page
    assert "Anna Solbakk har det" in page


def test_closing_asks_what_came_of_it(lia: Hamlet, alert: str, anna: TestClient) -> None:
    form = form_of(anna, alert)
    assert anna.post(f"/alerts/{alert}/resolve", data=form).status_code == 422
    assert anna.post(f"/alerts/{alert}/resolve", data=form | {"outcome": "magic"}).status_code == 422
    assert state_of(lia, alert) == "active"
    answer = anna.post(f"/alerts/{alert}/resolve", data=form | {"outcome": "actionable"})
    assert answer.headers["location"] == "/?done=resolved"
    assert state_of(lia, alert) == "resolved"
    assert f"alert-{alert}" not in anna.get("/").text


def test_the_second_of_two_nurses_is_told_who_was_faster(
    lia: Hamlet, alert: str, anna: TestClient, visitor: Visitor
) -> None:
    henrik = visitor("henrik")
    hers, his = form_of(anna, alert), form_of(henrik, alert)
    assert anna.post(f"/alerts/{alert}/acknowledge", data=hers).status_code == 303
    late = henrik.post(f"/alerts/{alert}/acknowledge", data=his)
    assert late.status_code == 409
    assert "Anna Solbakk var raskere: kvittert kl. 07:40. Klikket ditt endret ingenting." in text_of(late.text)
    closed = henrik.post(f"/alerts/{alert}/resolve", data=his | {"outcome": "watch"})
    assert closed.status_code == 409  # what he meant to close was nobody's yet
    assert state_of(lia, alert) == "acknowledged"


def test_a_button_of_somebody_elses_alert_does_nothing(
    lia: Hamlet, alert: str, anna: TestClient, visitor: Visitor
) -> None:
    anna.post(f"/alerts/{alert}/acknowledge", data=form_of(anna, alert))
    hers = form_of(anna, alert)
    henrik = visitor("henrik")
    henrik.post(f"/alerts/{alert}/take_over", data=form_of(henrik, alert))
    late = anna.post(f"/alerts/{alert}/release", data=hers)
    assert late.status_code == 409
    assert "Henrik Myrvoll var raskere: overtatt kl. 07:40." in text_of(late.text)
    assert state_of(lia, alert) == "acknowledged"


def test_a_notice_that_falls_due_with_the_click_does_not_make_it_void(
    lia: Hamlet, alert: str, anna: TestClient
) -> None:
    form = form_of(anna, alert)
    lia.clock.advance(timedelta(minutes=16))  # nobody has judged since: the shift lead is told by this very click
    assert anna.post(f"/alerts/{alert}/acknowledge", data=form).status_code == 303


def test_one_more_measurement_does_not_make_the_click_void(lia: Hamlet, alert: str, anna: TestClient) -> None:
    form = form_of(anna, alert)
    lia.hear("gunnar", spo2=86, pulse=82)
    assert anna.post(f"/alerts/{alert}/acknowledge", data=form).status_code == 303
    assert state_of(lia, alert) == "acknowledged"


def test_the_script_gets_the_part_alone(lia: Hamlet, alert: str, anna: TestClient) -> None:
    part = anna.post(f"/alerts/{alert}/acknowledge", data=form_of(anna, alert), headers={"hx-request": "true"})
    assert part.status_code == 200
    assert part.text.lstrip().startswith('<div id="live"')
    assert "Du har kvittert varselet." in part.text
    again = anna.post(f"/alerts/{alert}/acknowledge", data={"seen": "active:high:"}, headers={"hx-request": "true"})
    assert again.status_code == 409
    assert again.text.lstrip().startswith('<div id="live"')


def test_a_button_on_the_patients_page_leads_back_there(lia: Hamlet, alert: str, anna: TestClient) -> None:
    page = f"/patients/{lia.patients['gunnar']}"
    answer = anna.post(f"/alerts/{alert}/acknowledge", data=form_of(anna, alert, page))
    assert answer.headers["location"] == f"{page}?done=acknowledged"


def test_the_buttons_are_those_of_its_state_and_of_who_has_it(
    lia: Hamlet, alert: str, anna: TestClient, visitor: Visitor
) -> None:
    buttons = r'action="/alerts/[^/]+/(\w+)"'
    assert re.findall(buttons, anna.get("/").text) == ["acknowledge", "resolve", "note"]
    anna.post(f"/alerts/{alert}/acknowledge", data=form_of(anna, alert))
    assert re.findall(buttons, anna.get("/").text) == ["resolve", "snooze", "dispatch", "release", "note"]
    henriks = re.findall(buttons, visitor("henrik").get("/").text)
    assert henriks == ["take_over", "resolve", "snooze", "dispatch", "note"]


def test_an_alert_goes_from_hand_to_hand(lia: Hamlet, alert: str, anna: TestClient, visitor: Visitor) -> None:
    henrik = visitor("henrik")
    for who, signal, said in (
        (anna, "acknowledge", "Anna Solbakk har det"),
        (henrik, "take_over", "Henrik Myrvoll har det"),
        (henrik, "dispatch", "Hjemmeteamet er spurt og har ikke svart"),
        (henrik, "dispatch_refuse", "Henrik Myrvoll har det"),
        (henrik, "dispatch", "Hjemmeteamet er spurt og har ikke svart"),
        (henrik, "dispatch_accept", "Hjemmeteamet er på vei"),
        (henrik, "release", "1 varsel venter"),
    ):
        answer = who.post(f"/alerts/{alert}/{signal}", data=form_of(who, alert))
        assert answer.status_code == 303, signal
        assert said in text_of(who.get(answer.headers["location"]).text), signal
    late = anna.post(f"/alerts/{alert}/take_over", data={"seen": f"acknowledged:high:{lia.staff['henrik']}"})
    assert late.status_code == 409
    assert "Henrik Myrvoll var raskere: gitt tilbake kl. 07:40." in text_of(late.text)


def test_putting_off_for_a_span_or_until_a_time_of_day(lia: Hamlet, alert: str, anna: TestClient) -> None:
    anna.post(f"/alerts/{alert}/acknowledge", data=form_of(anna, alert))
    for sent, said in (
        ({"span": "120"}, "Utsatt til kl. 09:40 i dag"),
        ({"span": "at", "at": "13:15"}, "Utsatt til kl. 13:15 i dag"),
    ):
        answer = anna.post(f"/alerts/{alert}/snooze", data=form_of(anna, alert) | sent)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?done=snoozed")
        assert said in text_of(anna.get("/").text)
    for sent, said in (
        ({"span": "at", "at": "07:39"}, "høyst 12 timer"),  # tomorrow
        ({"span": "0"}, "høyst 12 timer"),
        ({"span": "at", "at": ""}, "Klokkeslettet mangler"),
        ({"span": "at", "at": "27:00"}, "Klokkeslettet mangler"),
    ):
        answer = anna.post(f"/alerts/{alert}/snooze", data=form_of(anna, alert) | sent)
        assert (answer.status_code, said in text_of(answer.text)) == (422, True), sent
        assert f'name="at" value="{sent.get("at", "")}"' in answer.text  # what was typed is not lost
    assert anna.post(f"/alerts/{alert}/snooze", data=form_of(anna, alert)).status_code == 422
    page = text_of(anna.get(f"/patients/{lia.patients['gunnar']}").text)
    assert "Utsatt: til kl. 13:15 i dag" in page  # in the timeline
    assert "Utsatt til kl. 13:15 i dag" in text_of(anna.get("/").text)


def test_what_is_put_off_waits_again_when_the_time_is_over(lia: Hamlet, anna: TestClient) -> None:
    lia.hear("gunnar", spo2=93, pulse=80)
    lia.hear("gunnar", spo2=93, pulse=80, minutes=-1)
    with lia.parts.database.read() as connection:
        table = tables.alert
        mild = connection.execute(select(table.c.id).where(table.c.rule == "spo2_low")).scalar_one()
    before = re.search(r"(\d+) vars\w+ venter", anna.get("/").text)
    assert before
    anna.post(f"/alerts/{mild}/snooze", data=form_of(anna, mild) | {"span": "30"})
    assert f"{int(before[1]) - 1} vars" in anna.get("/").text or "Ingen venter" in anna.get("/").text
    lia.clock.advance(timedelta(minutes=31))
    assert f"{before[1]} vars" in anna.get("/").text


def test_a_group_is_acknowledged_and_closed_as_one(lia: Hamlet, anna: TestClient, visitor: Visitor) -> None:
    lia.hear("gunnar", spo2=87, pulse=155)
    with lia.parts.database.read() as connection:
        found = connection.execute(select(tables.alert.c.id, tables.alert.c.rule, tables.alert.c.state)).all()
    active = {row.rule: row.id for row in found if row.state == "active"}
    assert {"spo2_low", "pulse_high"} <= set(active)
    page = anna.get("/").text
    assert f"Kvittér alle {len(active)}" in page
    assert "1 varsel venter" in page
    form = group_form(page)
    lia.hear("gunnar", temperature=39.5)  # while she reads
    assert anna.post(form.pop("action"), data=form).status_code == 303
    states = {rule: state_of(lia, name) for rule, name in active.items()}
    assert set(states.values()) == {"acknowledged"}
    again = anna.get("/").text
    assert "Kvittér alle" in again  # what came meanwhile is nobody's yet
    late = visitor("henrik").post(f"/alerts/{active['spo2_low']}/acknowledge", data=form)
    assert late.status_code == 409
    assert "Anna Solbakk var raskere" in text_of(late.text)
    closing = group_form(again) | {"outcome": "actionable"}
    where = closing.pop("action").replace("acknowledge", "resolve")
    assert anna.post(where, data=closing).status_code == 303
    assert {state_of(lia, name) for name in active.values()} == {"resolved"}
    assert "Ingen venter på svar" in anna.get("/").text


def group_form(html: str) -> dict[str, Any]:
    """The first form on the page, as a browser would send it."""
    form = html[html.index('<form method="post" action="/alerts/') :].split("</form>")[0]
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    sent: dict[str, Any] = {name: value for name, value in fields if name != "also"}
    action = re.search(r'action="([^"]*)"', form)
    assert action
    return sent | {"also": [value for name, value in fields if name == "also"], "action": action[1]}


def test_an_alert_of_nowhere_is_not_found_and_a_technician_may_not(lia: Hamlet, alert: str, visitor: Visitor) -> None:
    form = {"seen": "active:high:", "back": "/"}
    assert visitor("anna").post("/alerts/none/acknowledge", data=form).status_code == 404
    assert visitor("tore").post(f"/alerts/{alert}/acknowledge", data=form).status_code == 403
    assert visitor(None).post(f"/alerts/{alert}/acknowledge", data=form).headers["location"] == "/login"
    assert state_of(lia, alert) == "active"


def test_back_leads_nowhere_else(lia: Hamlet, alert: str, anna: TestClient) -> None:
    form = form_of(anna, alert) | {"back": "https://evil.example/"}
    assert anna.post(f"/alerts/{alert}/acknowledge", data=form).headers["location"] == "/?done=acknowledged"


def test_a_click_is_of_the_time_when_it_is_done_and_not_when_it_began_to_wait(
    lia: Hamlet, alert: str, anna: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others did while it waited for the write lock must not come after it."""
    form, asked, real = form_of(anna, alert), lia.clock.now(), Database.write

    @contextmanager
    def late(database: Database) -> Iterator[Connection]:
        with real(database) as connection:
            lia.clock.advance(timedelta(seconds=20))
            yield connection

    with monkeypatch.context() as busy:
        busy.setattr(Database, "write", late)
        assert anna.post(f"/alerts/{alert}/acknowledge", data=form).status_code == 303
    with lia.parts.database.read() as connection:
        done = connection.execute(select(tables.evaluation.c.at).order_by(tables.evaluation.c.seq.desc())).scalars()
        assert next(done) == asked + timedelta(seconds=20)


# Three forms each time, on two databases.
_WORDS = st.text(max_size=60) | st.sampled_from(
    ("<script>alert(1)</script>", "at", "99999", "25:99", "'; --", "å" * 5000)
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outcome=_WORDS, span=_WORDS, at=_WORDS, note=_WORDS, seen=_WORDS)
def test_whatever_is_sent_is_answered_beside_its_field(
    alert: str, anna: TestClient, outcome: str, span: str, at: str, note: str, seen: str
) -> None:
    sent = {"seen": seen, "outcome": f"{outcome}?", "span": span, "at": at, "text": f"{note}{'x' * 2001}"}
    for what in ("resolve", "snooze", "note"):
        answer = anna.post(f"/alerts/{alert}/{what}", data=sent)
        assert answer.status_code in (409, 422), what
        assert "Traceback" not in answer.text
        assert "<script>alert(1)" not in answer.text
    assert f'id="wrong-{alert}"' in answer.text
    assert "x" * 2001 in answer.text  # nothing that was typed is lost
