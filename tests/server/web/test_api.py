"""The API as a script meets it, over HTTP in this process."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.testclient import TestClient

from alerts.command import Action as Signal
from server.access import Action, Role, action_of
from server.care.credentials import NewToken, create_token
from server.db import tables
from server.db.engine import Database
from server.parts import Parts
from server.watch import beat
from server.watch.evaluate import evaluate
from server.watch.silence import Part, Silent
from server.web.api.schemas import AlertItem, Listed, QuarantineItem, ReadingItem
from server.web.app import UndeclaredRouteError, check_actions, endpoints
from server.web.routes.api import build_api
from server.web.serving import build_pages
from tests.server.plans import activate
from tests.server.world import START, World, an_id, make_world
from vitals.clock import ManualClock
from vitals.reading import Extreme

ALERTS = "/api/v1/alerts"
ITEM = {"id", "patient", "rule", "state", "priority", "highest", "condition", "late", "raised_at", "why"}


@pytest.fixture
def parts(world: World) -> Parts:
    return world.parts(ManualClock(START))


@pytest.fixture
def client(parts: Parts) -> Iterator[TestClient]:
    with TestClient(build_pages(parts), base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def token(world: World, role: Role = Role.NURSE) -> dict[str, str]:
    """The header that a token of this role sends."""
    new = NewToken(municipality=world.municipality, role=role, label="test", team=world.team)
    with world.database.write() as connection:
        return {"Authorization": f"Bearer {create_token(connection, new, START)}"}


def alarm(world: World, *spo2: int) -> None:
    """Readings of that many per cent, judged."""
    activate(world)
    for number, value in enumerate(spo2):
        world.record(world.reading(number=number, values={"spo2": Decimal(value)}))
    with world.database.write() as connection:
        evaluate(connection, world.patient, START)


def test_an_active_alert_has_exactly_the_contracts_fields(world: World, client: TestClient) -> None:
    alarm(world, 88)
    body = client.get(ALERTS, params={"state": "active"}, headers=token(world)).json()
    assert set(body) == {"items", "next"}
    assert body["next"] is None
    (item,) = body["items"]
    assert set(item) == ITEM
    assert (item["patient"], item["rule"], item["state"]) == (world.patient, "spo2_low", "active")
    assert (item["priority"], item["condition"], item["late"]) == ("high", True, False)
    assert item["why"]["reading_id"] == an_id(0)
    assert item["raised_at"].endswith("Z")


def test_nobodys_alerts_without_a_valid_token(world: World, client: TestClient) -> None:
    alarm(world, 88)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eA=="}):
        answer = client.get(ALERTS, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["status"] == 401


def test_every_click_on_an_alert_by_its_words(world: World, client: TestClient) -> None:
    alarm(world, 88)
    headers, where = token(world), f"{ALERTS}/{world.rows(tables.alert)[0]['id']}"
    until = (START + timedelta(hours=2)).isoformat()

    def click(signal: str, body: Any = None) -> tuple[int, str]:
        seen = {"If-Match": client.get(where, headers=headers).headers["etag"]}
        answer = client.post(f"{where}/{signal}", headers=headers | seen, json=body)
        return answer.status_code, answer.json().get("state") or answer.json()["detail"]

    assert click("snooze", {"until": until}) == (
        409,
        "spo2_low: snooze means nothing for a active alert unless below high",
    )
    assert click("release")[0] == click("dispatch")[0] == click("take_over")[0] == 409
    for signal, body, state in (
        ("acknowledge", None, "acknowledged"),
        ("snooze", {"until": until}, "acknowledged"),
        ("dispatch", None, "acknowledged"),
        ("dispatch_refuse", None, "acknowledged"),
        ("dispatch", None, "acknowledged"),
        ("dispatch_accept", None, "acknowledged"),
        ("release", None, "active"),
    ):
        assert click(signal, body) == (200, state), signal
    kinds = [row["kind"] for row in world.rows(tables.fact) if row["by"] and row["kind"] != "notice"]
    assert kinds[0] == "acknowledged"
    assert kinds[-1] == "released"
    assert len(kinds) == 7


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [(-1, "a snooze ends after now and within 12 hours"), (12 * 60 + 1, "a snooze ends after now and within 12 hours")],
)
def test_a_wrong_word_is_named_and_nothing_is_changed(
    world: World, client: TestClient, minutes: int, reason: str
) -> None:
    alarm(world, 88)
    headers, where = token(world), f"{ALERTS}/{world.rows(tables.alert)[0]['id']}"
    taken = client.post(f"{where}/acknowledge", headers=headers | {"If-Match": '"1"'})
    before = [world.rows(table) for table in (tables.alert, tables.fact, tables.evaluation)]
    seen = headers | {"If-Match": taken.headers["etag"]}
    until = (START + timedelta(minutes=minutes)).isoformat()
    refused = client.post(f"{where}/snooze", headers=seen, json={"until": until})
    assert (refused.status_code, refused.json()["field"]) == (422, "until")
    assert refused.json()["detail"] == f"spo2_low: {reason}"
    assert client.post(f"{where}/snooze", headers=seen, json={"until": "2026-03-02T09:00:00"}).status_code == 422
    assert client.post(f"{where}/resolve", headers=seen, json={}).status_code == 422
    assert [world.rows(table) for table in (tables.alert, tables.fact, tables.evaluation)] == before


def test_a_reading_is_taken_out_and_another_believed(world: World, client: TestClient) -> None:
    alarm(world, 88)
    world.record(world.reading(number=5, values={"pulse": Decimal(20)}))
    headers, where = token(world), f"/api/v1/patients/{world.patient}/readings"
    out = client.post(f"{where}/{an_id(0)}/invalidate", headers=headers, json={"reason": "wrong_person"})
    assert out.json() == {"patient": world.patient, "reading": an_id(0), "done": "invalidate", "zone": "blue"}
    assert {row["rule"]: row["state"] for row in world.rows(tables.alert)} == {
        "spo2_low": "cleared",
        "quarantined": "active",
    }
    (fact,) = [row for row in world.rows(tables.fact) if row["kind"] == "invalidated"]
    assert fact["why"] == {"reading_id": an_id(0), "reason": "wrong_person"}
    again = client.post(f"{where}/{an_id(0)}/invalidate", headers=headers, json={"reason": "mistake"})
    assert (again.status_code, again.json()["field"]) == (422, "reading")
    assert client.post(f"{where}/{an_id(0)}/accept", headers=headers).json()["field"] == "reading"
    assert client.post(f"{where}/{an_id(5)}/accept", headers=headers).status_code == 200
    assert client.post(f"{where}/{an_id(77)}/accept", headers=headers).status_code == 404
    assert client.post(f"{where}/{an_id(0)}/invalidate", headers=headers, json={}).status_code == 422


def test_a_role_that_may_not_is_told_so(world: World, client: TestClient) -> None:
    answer = client.get(ALERTS, headers=token(world, Role.TECHNICIAN))
    assert (answer.status_code, answer.json()["detail"]) == (403, "role technician may not see_alerts")


def test_another_municipality_sees_and_touches_nothing(world: World, client: TestClient) -> None:
    alarm(world, 88)
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    foreign = token(other, Role.COORDINATOR)
    alert = world.rows(tables.alert)[0]["id"]
    assert client.get(ALERTS, params={"state": "all"}, headers=foreign).json()["items"] == []
    assert client.get("/api/v1/readings", params={"patient": world.patient}, headers=foreign).json()["items"] == []
    headers = foreign | {"If-Match": '"1"'}
    there = client.post(f"{ALERTS}/{alert}/acknowledge", headers=headers)
    nowhere = client.post(f"{ALERTS}/no-such/acknowledge", headers=headers)
    assert (there.status_code, there.json()) == (404, nowhere.json())
    assert [row["patient_id"] for row in world.rows(tables.audit) if row["patient_id"]] == []


def test_a_change_needs_the_version_that_was_seen(world: World, client: TestClient) -> None:
    alarm(world, 88)
    headers = token(world)
    where = f"{ALERTS}/{world.rows(tables.alert)[0]['id']}"
    seen = client.get(where, headers=headers)
    assert client.post(f"{where}/acknowledge", headers=headers).status_code == 428
    taken = client.post(f"{where}/acknowledge", headers=headers | {"If-Match": seen.headers["etag"]})
    assert (taken.status_code, taken.json()["state"]) == (200, "acknowledged")
    late = client.post(
        f"{where}/resolve", headers=headers | {"If-Match": seen.headers["etag"]}, json={"outcome": "watch"}
    )
    assert (late.status_code, late.headers["etag"]) == (412, taken.headers["etag"])
    fresh = headers | {"If-Match": taken.headers["etag"]}
    assert client.post(f"{where}/resolve", headers=fresh, json={"outcome": "nonsense"}).status_code == 422
    assert client.post(f"{where}/resolve", headers=fresh, json={}).json()["field"] == "outcome"
    assert client.post(f"{where}/resolve", headers=fresh, json={"outcome": "watch"}).json()["state"] == "resolved"
    assert client.post(f"{where}/acknowledge", headers=headers | {"If-Match": '"3"'}).status_code == 409


def test_an_unchanged_list_is_not_sent_again(world: World, client: TestClient) -> None:
    alarm(world, 88)
    headers = token(world)
    first = client.get(ALERTS, headers=headers)
    again = client.get(ALERTS, headers=headers | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def pages(client: TestClient, where: str, headers: dict[str, str], **params: Any) -> list[Any]:
    """Every item, two at a time."""
    items: list[Any] = []
    after = None
    while True:
        given = params | {"limit": 2} | ({"after": after} if after else {})
        body = client.get(where, params=given, headers=headers).json()
        assert len(body["items"]) <= 2
        items += body["items"]
        after = body["next"]
        if after is None:
            return items


def test_readings_come_page_by_page_with_every_digit(world: World, client: TestClient) -> None:
    for number in range(5):
        world.record(world.reading(number=number, values={"weight": Decimal("72.123456789012345678")}))
    world.record(world.reading(number=9, device="STRAY"))
    everything = pages(client, "/api/v1/readings", token(world))
    assert [item["id"] for item in everything] == [an_id(9), *(an_id(n) for n in (4, 3, 2, 1, 0))]
    assert [item["unclaimed"] for item in everything] == ["unknown_device"] + [None] * 5
    assert len(pages(client, "/api/v1/readings", token(world), patient=world.patient)) == 5
    raw = client.get("/api/v1/readings", params={"patient": world.patient}, headers=token(world)).text
    assert '"weight":72.123456789012345678' in raw
    assert json.loads(raw)["items"][0]["quality"] == "good"


def test_quarantine_tells_in_words_and_bytes(world: World, client: TestClient) -> None:
    world.record(world.frame(0), world.frame(1), world.frame(2), world.frame(2))
    items = pages(client, "/api/v1/quarantine", token(world, Role.TECHNICIAN))
    assert [(item["message"], item["times"]) for item in items] == [
        (an_id("frame 2"), 2),
        (an_id("frame 1"), 1),
        (an_id("frame 0"), 1),
    ]
    assert {item["kind"] for item in items} == {"undecodable_frame"}
    assert items[0]["reason"] == "Characteristic 2A5E: 1 byte is missing"
    assert b'"frame":"0062"' in bytes.fromhex(items[0]["payload"])


def test_alerts_come_page_by_page(world: World, client: TestClient) -> None:
    activate(world)
    values = {"spo2": Decimal(85), "pulse": Decimal(140), "temperature": Decimal("39.5"), "symptom_red": Decimal(1)}
    for number in range(2):
        world.record(world.reading(number=number, values=values))
    with world.database.write() as connection:
        evaluate(connection, world.patient, START)
    wanted = {row["id"] for row in world.rows(tables.alert)}
    got = pages(client, ALERTS, token(world), state="all")
    assert len(wanted) >= 3
    assert [item["id"] for item in got] == list(dict.fromkeys(item["id"] for item in got))
    assert {item["id"] for item in got} == wanted


@pytest.mark.parametrize("after", ["", "x", "e30", "WzFd", "WyJ4Il0", "W251bGwsbnVsbF0", "A" * 399])
def test_a_cursor_that_is_none_is_refused_in_words(world: World, client: TestClient, after: str) -> None:
    answer = client.get(ALERTS, params={"after": after}, headers=token(world))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "after" in answer.json()["detail"]


def test_a_look_at_a_patient_is_noted_once_a_spell(world: World, client: TestClient, parts: Parts) -> None:
    world.record(world.reading())
    headers = token(world)
    for _ in range(5):
        client.get("/api/v1/readings", params={"patient": world.patient}, headers=headers)
    noted = [row for row in world.rows(tables.audit) if row["patient_id"] == world.patient]
    assert len(noted) == 1
    assert isinstance(parts.clock, ManualClock)
    parts.clock.advance(timedelta(minutes=11))
    client.get("/api/v1/readings", params={"patient": world.patient}, headers=headers)
    assert len([row for row in world.rows(tables.audit) if row["patient_id"] == world.patient]) == 2


def test_what_is_not_there_is_a_problem_and_not_a_page(world: World, client: TestClient) -> None:
    for method, where, status in (("GET", "/api/v1/nothing", 404), ("DELETE", ALERTS, 405)):
        answer = client.request(method, where, headers=token(world))
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_our_own_mistake_says_nothing_of_its_cause(
    world: World, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("13897404089")

    monkeypatch.setattr("server.web.routes.api.alert_item", fail)
    alarm(world, 88)
    answer = client.get(ALERTS, headers=token(world))
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "13897404089" not in answer.text


def test_every_route_declares_its_action(parts: Parts) -> None:
    pages, api = endpoints(build_pages(parts)), endpoints(build_api(parts))
    assert {"/healthz", "/readyz", "/metrics", "/login"} <= {path for path, _ in pages}
    assert {path for path, _ in api} == {
        "/alerts",
        "/alerts/{alert}",
        "/gateways/{gateway}/commands",
        *(f"/alerts/{{alert}}/{each}" for each in Signal if each not in (Signal.INVALIDATE, Signal.ACCEPT)),
        "/patients/{patient}/readings/{reading}/invalidate",
        "/patients/{patient}/readings/{reading}/accept",
        "/patients/{patient}/handover",
        "/patients/{patient}/proposal",
        "/readings",
        "/quarantine",
    }
    assert [path for path, endpoint in (*pages, *api) if action_of(endpoint) is None] == []
    assert [path for path, endpoint in api if action_of(endpoint) is Action.ENTER] == []


def test_a_route_without_an_action_does_not_start(parts: Parts) -> None:
    app, router = build_api(parts), APIRouter()
    router.add_api_route("/undeclared", lambda: None)
    app.include_router(router)
    with pytest.raises(UndeclaredRouteError, match="/undeclared"):
        check_actions(app)


def test_it_lives(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_health_says_what_is_silent_and_names_nobody(world: World, client: TestClient, parts: Parts) -> None:
    since = parts.wall.now()
    gateway = Silent(part=Part.GATEWAY, why="not heard", since=since, subject=world.gateway)
    parts.findings.put((gateway,))
    home = {"part": "gateway", "count": 1, "since": since.isoformat()}
    assert client.get("/healthz").json() == {"status": "ok", "silent": [home]}
    parts.findings.put((Silent(part=Part.DISK, why="96% of the disk is in use"), gateway))
    alive, ready = client.get("/healthz"), client.get("/readyz")
    disk = {"part": "disk", "count": 1, "since": None}
    assert (alive.status_code, alive.json()) == (200, {"status": "alarm", "silent": [disk, home]})
    assert (ready.status_code, ready.json()["checks"]["disk"]) == (503, "96% of the disk is in use")
    assert world.gateway not in alive.text + ready.text


def test_it_is_ready_when_readings_can_come_in_and_be_judged(world: World, client: TestClient, parts: Parts) -> None:
    first = client.get("/readyz")
    assert first.status_code == 503
    assert first.json()["checks"] == {
        "database": "ok",
        "broker": "not connected",
        "watch": "has not judged anybody yet",
    }
    parts.broker_up.set()
    with world.database.write() as connection:
        beat.stamp(connection, "watch", parts.wall.now())
    assert client.get("/readyz").json() == {
        "status": "ready",
        "checks": {"database": "ok", "broker": "ok", "watch": "ok"},
    }
    with world.database.write() as connection:
        beat.stamp(connection, "watch", parts.wall.now() - timedelta(seconds=40))
    silent = client.get("/readyz")
    assert (silent.status_code, silent.json()["checks"]["watch"][:10]) == (503, "silent for")


def test_metrics_count_and_name_nobody(world: World, client: TestClient, parts: Parts) -> None:
    parts.metrics.readings.labels("new").inc()
    parts.metrics.quarantine.labels("wrong_field").inc(2)
    text = client.get("/metrics").text
    assert 'varde_readings_total{result="new"} 1.0' in text
    assert 'varde_quarantine_total{kind="wrong_field"} 2.0' in text
    for secret in (world.patient, world.gateway, world.nurse, "Fjordvik"):
        assert secret not in text


def test_answers_have_the_shapes_that_the_document_promises(world: World, client: TestClient) -> None:
    alarm(world, 88, 97)
    world.record(world.frame(), world.reading(number=5, values={"spo2": Extreme.LO}))
    headers = token(world, Role.COORDINATOR)
    shapes = {"alerts?state=all": AlertItem, "readings": ReadingItem, "quarantine": QuarantineItem}
    for where, shape in shapes.items():
        body = client.get(f"/api/v1/{where}", headers=headers).text
        assert Listed[shape].model_validate_json(body).items, where  # type: ignore[valid-type]
    document = client.get("/api/v1/openapi.json").json()
    for path in ("/alerts", "/readings", "/quarantine"):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert "Listed" in schema["$ref"]


def test_a_click_is_of_the_time_when_it_is_done(
    world: World, parts: Parts, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm(world, 88)
    (row,) = world.rows(tables.alert)
    headers, real, clock = token(world) | {"If-Match": f'"{row["version"]}"'}, Database.write, parts.clock
    assert isinstance(clock, ManualClock)

    @contextmanager
    def late(database: Database) -> Iterator[Connection]:
        with real(database) as connection:
            clock.advance(timedelta(seconds=20))
            yield connection

    with monkeypatch.context() as busy:
        busy.setattr(Database, "write", late)
        assert client.post(f"{ALERTS}/{row['id']}/acknowledge", headers=headers).status_code == 200
    assert world.rows(tables.evaluation)[-1]["at"] == START + timedelta(seconds=20)
