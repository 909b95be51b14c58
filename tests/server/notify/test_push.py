"""Web push end to end on a real push service: what it is given, what a browser reads, and what follows an answer."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from alerts.fact import Role as To
from server.access import Actor, Role
from server.care import browsers
from server.care.browsers import BROWSERS_MAX, BrowserError, NewBrowser, Subscription
from server.care.people import NotFoundError
from server.care.reaching import Kind
from server.db import tables
from server.notify.push import is_known
from server.notify.push_seal import sender_of
from server.notify.receipts import Word, hear
from tests.server.notify.browser import Browser, claims_of
from tests.server.notify.test_telling import Town
from tests.server.notify.test_telling import town as town
from tests.server.world import START

KNOWN = frozenset({"push.services.mozilla.com", "fcm.googleapis.com"})


def subscribe(town: Town, staff: str, name: str = "anna", language: str = "nb", endpoint: str | None = None) -> Browser:
    """That person's browser, switched on."""
    made = Browser()
    subscription = Subscription(endpoint=endpoint or town.push.endpoint(name), **made.written)
    actor = Actor(id=staff, role=Role.NURSE, municipality=town.world.municipality, team=town.world.team)
    new = NewBrowser(subscription=subscription, language=language, label="Firefox, Android")
    with town.world.database.write() as connection:
        browsers.add(connection, town.world.vault, actor, new, town.clock.now())
    return made


def read(town: Town, browser: Browser, place: int = -1) -> dict[str, Any]:
    """What the worker of a browser is given."""
    return dict(json.loads(browser.opened(town.push.taken[place][2])))


def raised(town: Town, name: str, priority: str = "high") -> None:
    """An alert of which somebody is to be told."""
    body = {"rule": "r", "state": "active", "highest": priority, "condition": True, "late": False, "waiting": False}
    body |= {"opened_at": START, "level": 0, "why": {}, "body": {}, "version": 1, "updated_at": START}
    whose = {"municipality_id": town.world.municipality, "patient_id": town.world.patient}
    with town.world.database.write() as connection:
        connection.execute(insert(tables.alert).values(**whose, **body, id=name, priority=priority))
    town.notice(priority=priority, alert=name)


def confirm(town: Town, secret: str, word: Word) -> bool:
    with town.world.database.write() as connection:
        return hear(connection, secret, word, town.clock.now())


def test_a_push_says_how_urgent_and_where_and_only_the_browser_reads_it(town: Town) -> None:
    anna = town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY)
    browser = subscribe(town, anna, language="nn")
    number = town.notice()
    town.tell()
    ((path, headers, body),) = town.push.taken
    assert path == "/send/anna"
    said = read(town, browser)
    assert said.pop("receipt")
    assert said == {"text": f"Nytt raudt varsel, sak {number}", "language": "nn", "topic": "high", "open": "/"}
    assert (headers["ttl"], headers["urgency"], headers["topic"]) == ("900", "high", "high")
    assert headers["content-encoding"] == "aes128gcm"
    claims = claims_of(headers["authorization"], sender_of(town.world.vault, "mailto:x").public)
    assert claims["aud"] == f"http://127.0.0.1:{town.push.port}"
    assert claims["sub"] == "mailto:drift@e.example"
    assert 0 < claims["exp"] - START.timestamp() <= 24 * 3600
    assert b"varsel" not in body
    assert town.attempts() == [("push", "sent")]
    assert town.texted() == []  # not before the browser has had its time


@pytest.mark.parametrize(("priority", "ttl", "urgency"), [("critical", "300", "high"), ("low", "14400", "low")])
def test_a_telephone_is_woken_for_what_is_urgent_alone(town: Town, priority: str, ttl: str, urgency: str) -> None:
    subscribe(town, town.employ("Anna", on=To.PRIMARY))
    town.notice(priority=priority)
    town.tell()
    headers = town.push.taken[0][1]
    assert (headers["ttl"], headers["urgency"], headers["topic"]) == (ttl, urgency, priority)


def test_the_newest_notice_speaks_for_all_of_its_kind(town: Town) -> None:
    browser = subscribe(town, town.employ("Anna", on=To.PRIMARY))
    for name in ("a", "b", "c"):
        raised(town, name)
    raised(town, "mild", "medium")
    town.tell()
    told = [(read(town, browser, place)["topic"], read(town, browser, place)["text"]) for place in range(4)]
    assert {topic for topic, _ in told} == {"high", "medium"}
    assert ("high", "3 røde varsler venter på svar") in told
    assert told[-1] == ("medium", "Gult varsel venter, sak 4")


def test_what_the_browser_confirms_is_delivered_and_nobody_else_is_told(town: Town) -> None:
    anna = town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY)
    town.employ("Lise", (Kind.TEXT, "+4799900002"), on=To.SHIFT_LEAD)
    browser = subscribe(town, anna)
    town.notice()
    town.tell()
    assert town.world.rows(tables.outbox)[0]["state"] == "waiting"
    assert confirm(town, read(town, browser)["receipt"], Word.DELIVERED)
    for _ in range(7):
        town.wall.advance(timedelta(seconds=9))
        town.pass_time(1)
    assert (town.texted(), town.attempts()) == ([], [("push", "sent")])
    assert town.world.rows(tables.outbox)[0]["state"] == "sent"
    assert confirm(town, read(town, browser)["receipt"], Word.READ)
    assert town.world.rows(tables.delivery)[0]["state"] == "read"


def test_a_push_that_no_browser_confirms_is_followed_by_the_next_channel(town: Town) -> None:
    anna = town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY)
    town.employ("Lise", (Kind.TEXT, "+4799900002"), on=To.SHIFT_LEAD)
    subscribe(town, anna)
    town.notice()
    town.tell()
    town.wall.advance(timedelta(seconds=58))
    town.pass_time(1)
    assert town.texted() == []
    town.pass_time(3)
    assert town.texted() == ["+4799900001"]
    assert town.attempts() == [("push", "sent"), ("push", "silent"), ("text", "sent")]
    town.pass_time(1)
    assert town.world.rows(tables.outbox)[0]["state"] == "sent"


def test_with_no_other_channel_the_next_role_is_told_as_well(town: Town) -> None:
    anna = town.employ("Anna", on=To.PRIMARY)
    town.employ("Lise", (Kind.TEXT, "+4799900002"), on=To.SHIFT_LEAD)
    subscribe(town, anna)
    town.notice()
    town.tell()
    town.wall.advance(timedelta(seconds=59))
    town.pass_time(4)
    assert town.texted() == ["+4799900002"]
    assert [path for path, _, _ in town.push.taken].count("/send/anna") == 2  # and it is tried once more


def test_a_webhook_that_promises_receipts_and_sends_none_is_no_delivery(town: Town) -> None:
    town.given = {"webhook_confirms_s": 30}
    town.employ("Anna", (Kind.TEXT, "+4799900001"), (Kind.MAIL, "anna@e.example"), on=To.PRIMARY)
    town.notice()
    town.tell()
    town.wall.advance(timedelta(seconds=28))
    town.pass_time(1)
    assert town.mailed() == []
    town.pass_time(2)
    assert (town.texted(), town.mailed()) == (["+4799900001"], ["anna@e.example"])


def test_without_confirmations_a_push_does_not_go_before_what_wakes_people(town: Town) -> None:
    town.given = {"push_confirms_s": 0}
    subscribe(town, town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY))
    town.notice()
    town.tell()
    assert (town.texted(), town.push.taken) == (["+4799900001"], [])


@pytest.mark.parametrize("answer", [404, 410])
def test_a_browser_that_is_gone_is_forgotten_and_the_others_are_told(town: Town, answer: int) -> None:
    anna = town.employ("Anna", on=To.PRIMARY)
    subscribe(town, anna, "old")
    town.clock.advance(timedelta(seconds=1))
    subscribe(town, anna, "new")
    town.push.answers["old"] = answer
    town.notice()
    town.tell()
    assert sorted(path for path, _, _ in town.push.taken) == ["/send/new", "/send/old"]
    assert town.attempts() == [("push", "sent")]
    (left,) = town.world.rows(tables.browser)
    assert left["digest"] == browsers.digest_of(town.push.endpoint("new"))


def test_the_only_browser_gone_is_a_failed_try_and_the_next_channel_is_used(town: Town) -> None:
    subscribe(town, town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY))
    town.push.answers["anna"] = 410
    town.notice()
    town.tell()
    town.pass_time(6)
    assert town.world.rows(tables.attempt)[0]["reason"] == "the browser no longer takes notices"
    assert (town.texted(), len(town.push.taken)) == (["+4799900001"], 1)


@pytest.mark.parametrize(("answer", "after"), [(413, "40"), (429, "Mon, 02 Mar 2026 07:00:40 GMT")])
def test_a_service_that_asks_to_wait_is_left_alone_and_the_next_channel_is_not_kept_waiting(
    town: Town, answer: int, after: str
) -> None:
    subscribe(town, town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY))
    town.push.answers["anna"], town.push.says = answer, {"Retry-After": after}
    town.notice()
    town.tell()
    town.pass_time(20)
    reasons = [row["reason"] for row in town.world.rows(tables.attempt)]
    assert reasons == [f"push service answers {answer}", *["push service asked to wait"] * 2, None]
    assert (len(town.push.taken), town.texted()) == (1, ["+4799900001"])
    town.push.answers.clear()
    town.wall.advance(timedelta(seconds=20))
    town.notice(alert="b")
    town.tell()
    assert len(town.push.taken) == 2


def test_a_service_at_which_nobody_answers_is_asked_once_a_round(town: Town) -> None:
    anna = town.employ("Anna", on=To.PRIMARY)
    for name in ("a", "b"):
        subscribe(town, anna, endpoint=f"http://127.0.0.1:1/{name}")
    town.notice()
    town.tell()
    assert town.world.rows(tables.attempt)[0]["reason"] == "push service asked to wait"
    assert town.push.taken == []


@pytest.mark.parametrize(
    ("endpoint", "known"),
    [
        ("https://updates.push.services.mozilla.com/wpush/v2/x", True),
        ("https://fcm.googleapis.com/fcm/send/x", True),
        ("https://fcm.googleapis.com:443/fcm/send/x", True),
        ("http://fcm.googleapis.com/fcm/send/x", False),
        ("https://fcm.googleapis.com:8443/x", False),
        ("https://fcm.googleapis.com.evil.example/x", False),
        ("https://evilfcm.googleapis.com/x", False),
        ("https://fcm.googleapis.com@evil.example/x", False),
        ("https://a@fcm.googleapis.com/x", False),
        ("https://127.0.0.1/x", False),
        ("http://169.254.169.254/latest", False),
        ("https://[::1]/x", False),
        ("file:///etc/passwd", False),
        ("https://fcm.googleapis.com:x/", False),
        ("", False),
    ],
)
def test_only_known_services_are_written_to(endpoint: str, known: bool) -> None:
    assert is_known(endpoint, KNOWN) is known


def test_an_address_that_was_stored_and_is_no_longer_known_is_not_written_to(town: Town) -> None:
    subscribe(town, town.employ("Anna", on=To.PRIMARY))
    town.given = {"push_services": "fcm.googleapis.com"}
    town.notice()
    town.tell()
    assert town.push.taken == []
    assert town.world.rows(tables.attempt)[0]["reason"] == "push service is not known here"


def test_a_service_is_not_followed_to_another_address(town: Town) -> None:
    subscribe(town, town.employ("Anna", on=To.PRIMARY))
    town.push.answers["anna"], town.push.says = 307, {"Location": town.push.endpoint("elsewhere")}
    town.notice()
    town.tell()
    assert [path for path, _, _ in town.push.taken] == ["/send/anna"]


def test_a_browser_tells_whoever_switched_it_on_last_and_only_they_can_switch_it_off(town: Town) -> None:
    anna, henrik = town.employ("Anna"), town.employ("Henrik")
    subscribe(town, anna)
    subscribe(town, henrik)
    (row,) = town.world.rows(tables.browser)
    assert row["staff_id"] == henrik
    assert b"127.0.0.1" not in row["subscription"]
    actor = Actor(id=anna, role=Role.NURSE, municipality=town.world.municipality, team=town.world.team)
    with town.world.database.write() as connection:
        assert browsers.own(connection, actor) == []
        with pytest.raises(NotFoundError):
            browsers.remove(connection, actor, row["id"], START)
        browsers.remove(connection, replace(actor, id=henrik), row["id"], START)
    assert town.world.rows(tables.browser) == []
    assert [row["action"] for row in town.world.rows(tables.audit)].count("be_told") == 3


def test_nobody_has_more_browsers_than_can_be_told_in_time(town: Town) -> None:
    anna = town.employ("Anna")
    for number in range(BROWSERS_MAX):
        subscribe(town, anna, f"b{number}")
    with pytest.raises(BrowserError):
        subscribe(town, anna, "one more")
    subscribe(town, anna, "b0")  # the same one again
    assert town.world.count(tables.browser) == BROWSERS_MAX
