"""A member of staff's own browsers: switched on, tried and switched off with forms, in the reader's language."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from server.db import tables
from server.notify.push_seal import decoded, sender_of
from server.web.frame.visit import Web
from server.web.routes.browsers import label_of
from tests.server.notify.browser import Browser, PushService, push_service
from tests.server.web import valley
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import Hamlet
from tests.server.web.routes.test_worklist import text_of

FIREFOX = "Mozilla/5.0 (Android 15; Mobile; rv:141.0) Gecko/141.0 Firefox/141.0"


def rows(lia: Hamlet) -> list[Any]:
    with lia.parts.database.read() as connection:
        return list(connection.execute(select(tables.browser)))


def fields(service: PushService, browser: Browser, **changed: str) -> dict[str, str]:
    return {"endpoint": service.endpoint(), **browser.written, **changed}


def test_a_browser_is_switched_on_tried_and_switched_off(lia: Hamlet, anna: TestClient) -> None:
    anna.headers["user-agent"] = FIREFOX
    anna.cookies.set("varde_language", "nn", domain="127.0.0.1")
    with push_service() as service:
        browser = Browser()
        assert anna.post("/me/notices", data=fields(service, browser)).headers["location"] == (
            "/me/notices?done=browser_on"
        )
        said = text_of(anna.get("/me/notices").text)
        assert "Firefox, Android denne slått på" in said
        assert anna.post("/me/notices/try").headers["location"] == "/me/notices?done=browser_tried"
        ((_, headers, body),) = service.taken
        assert "Ei prøve" in browser.opened(body).decode()
        assert headers["urgency"] == "low"
    (row,) = rows(lia)
    assert (row.staff_id, row.language) == (lia.staff["anna"], "nn")
    assert anna.post("/me/notices/off", data={"browser": row.id}).status_code == 303
    assert rows(lia) == []
    assert "Ingen nettlesar enno" in text_of(anna.get("/me/notices").text)
    assert anna.post("/me/notices/try").status_code == 422


@pytest.mark.parametrize(
    "changed",
    [
        {"endpoint": "https://evil.example/x"},
        {"endpoint": "http://169.254.169.254/x"},
        {"endpoint": "http://127.0.0.1:1/" + "x" * 1000},
        {"endpoint": "http://127.0.0.1:1/å"},
        {"endpoint": ""},
        {"p256dh": "AAAA"},
        {"auth": "AAAA"},
    ],
)
def test_an_address_that_is_none_is_refused_in_words(lia: Hamlet, anna: TestClient, changed: dict[str, str]) -> None:
    answer = anna.post("/me/notices", data=fields(PushService(port=1), Browser(), **changed))
    assert answer.status_code == 422
    assert "Denne nettleseren kunne ikke slås på" in text_of(answer.text)
    assert rows(lia) == []


def test_a_trial_that_nobody_takes_says_so(morning: Hamlet, visitor: Visitor) -> None:
    valley.settle(morning)
    answer = visitor("anna").post("/me/notices/try")
    assert answer.status_code == 422
    assert "Ingen varslingstjeneste tok imot prøven" in text_of(answer.text)


def test_nobody_switches_off_anothers_browser_or_sees_it(morning: Hamlet, visitor: Visitor) -> None:
    valley.settle(morning)
    hers = next(row for row in rows(morning) if row.staff_id == morning.staff["anna"])
    henrik = visitor("henrik")
    assert henrik.post("/me/notices/off", data={"browser": hers.id}).status_code == 404
    assert hers in rows(morning)
    assert "Firefox, Android" not in text_of(henrik.get("/me/notices").text)
    assert visitor("gunnar").get("/me/notices").status_code == 403
    assert visitor("tore").get("/me/notices").status_code == 403


def test_the_page_gives_the_key_that_a_browser_needs_and_says_what_without_scripts(
    lia: Hamlet, anna: TestClient
) -> None:
    html = anna.get("/me/notices").text
    key = sender_of(lia.parts.vault, "mailto:x").public
    assert f'data-key="{key}"' in html
    assert len(decoded(key)) == 65
    assert '<p data-say="scripts">Skript er slått av' in html


def test_where_it_is_not_set_up_the_page_says_so_and_nothing_is_kept(lia: Hamlet, anna: TestClient) -> None:
    web = anna.app.state.web  # type: ignore[attr-defined]
    parts = replace(lia.parts, settings=lia.parts.settings.model_copy(update={"push_contact": None}))
    anna.app.state.web = Web(parts=parts, renderer=web.renderer, changes=web.changes)  # type: ignore[attr-defined]
    assert "Varsler i nettlesere er ikke satt opp her" in text_of(anna.get("/me/notices").text)
    assert anna.post("/me/notices", data=fields(PushService(port=1), Browser())).status_code == 422
    assert rows(lia) == []


def test_the_worker_is_served_fresh_and_with_the_scope_of_its_folder_alone(anna: TestClient) -> None:
    answer = anna.get("/static/notices.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "service-worker-allowed" not in answer.headers
    assert "script-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        (FIREFOX, "Firefox, Android"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 Edg/143.0",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36", "Chrome, Linux"),
        ("<script>", ""),
    ],
)
def test_a_browser_is_called_by_its_own_name(agent: str, label: str) -> None:
    assert label_of(agent) == label


def test_a_coordinator_says_after_how_many_hours_an_unread_message_is_told(morning: Hamlet, visitor: Visitor) -> None:
    valley.settle(morning)
    ingrid = visitor("ingrid")
    page = text_of(ingrid.get("/team/channels").text)
    assert "Varsel i nettleseren 1, slått på av personen selv" in page
    assert ingrid.post("/team/unread", data={"hours": "2"}).headers["location"] == "/team/channels?done=unread_set"
    assert 'name="hours" value="2"' in ingrid.get("/team/channels").text
    for wrong in ("0", "25", "two", "", "-1", "٣٠"):
        answer = ingrid.post("/team/unread", data={"hours": wrong})
        assert answer.status_code == 422, wrong
        assert "Skriv et helt tall fra 1 til 24" in text_of(answer.text)
    assert 'name="hours" value="2"' in ingrid.get("/team/channels").text
    assert visitor("anna").post("/team/unread", data={"hours": "3"}).status_code == 403
