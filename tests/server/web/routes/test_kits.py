"""The page of kits: what is silent or wrong comes first, and what people ask of gateways is on its way and noted."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select
from starlette.testclient import TestClient

from server.db import tables
from server.ingest.batch import take_in
from server.ingest.gateways import KeyRing
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import GATEWAY, NOW, Hamlet
from tests.server.web.routes.test_worklist import text_of
from vitals.seal import seal
from vitals.topics import Lane, gateway_id, topic

DEVICE = "AA:BB:CC:00:00:00"


def say(lia: Hamlet, **status: Any) -> None:
    """The gateway's status, through the street."""
    where = topic(gateway_id(GATEWAY), Lane.STATUS)
    message = where, seal(lia.key, where, json.dumps({"online": True, **status}).encode())
    with lia.parts.database.write() as connection:
        take_in(connection, KeyRing(lia.parts.vault), [message], lia.clock.now())


def silence(lia: Hamlet, *, days: int) -> None:
    """The first patient's device was last heard so long ago."""
    with lia.parts.database.write() as connection:
        device = connection.execute(select(tables.device.c.id).where(tables.device.c.address == DEVICE)).scalar_one()
        row = {"municipality_id": lia.municipality, "device_id": device, "patient_id": lia.patients["gunnar"]}
        row |= {"heard_at": NOW - timedelta(days=days), "known_at": NOW}
        connection.execute(insert(tables.device_silence).values(**row))


def press(client: TestClient, **form: str) -> Any:
    given = {"kind": "pairing_window", "device": DEVICE, "back": "/kits", **form}
    return client.post(f"/gateways/{GATEWAY}/commands", data=given)


def test_it_shows_what_the_gateway_says_of_itself(lia: Hamlet, anna: TestClient) -> None:
    assert "Den har ikke meldt seg ennå" in text_of(anna.get("/kits").text)
    say(
        lia,
        spool=3,
        refused=2,
        time_sure=False,
        given_up=1,
        receipts_refused=1,
        pairing=DEVICE,
        heard={DEVICE: (NOW - timedelta(minutes=5)).isoformat()},
        versions={"varde": "0.1.0"},
        adapters={"hci0": {"sessions": 9, "failures": 2, "rescans": 3, "resets": 1}},
        devices={DEVICE: {"bonds": {"hci0": "lost"}, "records_refused": 1}},
    )
    said = text_of(anna.get("/kits").text)
    for part in (
        "Den meldte seg for under ett minutt siden",
        "Meldinger som ikke er levert 3",
        "Ikke stilt av en tidstjener siden start",
        "Radio hci0 9 tilkoblinger, 2 feil, 4 omstarter fordi ingenting ble hørt",
        "1 gang fordi ingen radio hørte noe",
        f"{DEVICE} kan pares nå",
        "Siste kontakt for 5 min siden",
        "Paringen er tapt",
        "Det gir ikke fra seg lagrede målinger",
    ):
        assert part in said, part
    assert lia.patients["gunnar"] not in anna.get("/kits").text


def test_a_silent_device_is_told_here_and_on_its_patients_page(lia: Hamlet, anna: TestClient) -> None:
    words = "Ikke hørt på 3 d: lenger enn planen regner med"
    pages = ("/kits", f"/patients/{lia.patients['gunnar']}")
    assert not any(words in text_of(anna.get(page).text) for page in pages)
    silence(lia, days=3)
    for page, hint in zip(pages, ("Gatewayen hører de andre apparatene", "Gatewayen er på plass"), strict=True):
        said = text_of(anna.get(page).text)
        assert words in said
        assert hint in said
    assert words not in text_of(anna.get(f"/patients/{lia.patients['solveig']}").text)


def test_a_pairing_window_is_asked_for_noted_and_shown(lia: Hamlet, anna: TestClient) -> None:
    answer = press(anna, passkey="123 456")
    assert (answer.status_code, answer.headers["location"]) == (303, "/kits?done=asked_gateway")
    assert "Gatewayen er spurt" in anna.get("/kits?done=asked_gateway").text
    with lia.parts.database.read() as connection:
        (row,) = connection.execute(select(tables.gateway_command)).all()
        seen = connection.execute(select(tables.audit).where(tables.audit.c.action == "command_kit")).one()
    assert json.loads(lia.parts.vault.open(row.body))["passkey"] == 123456
    assert (seen.actor, seen.patient_id, seen.subject) == (lia.staff["anna"], lia.patients["gunnar"], row.id)
    waits = f"Åpne for ny enhet: {DEVICE} – Anna Solbakk – Venter på gatewayen"
    for page in ("/kits", f"/patients/{lia.patients['gunnar']}"):
        assert waits in text_of(anna.get(page).text), text_of(anna.get(page).text)
    say(lia, commands={row.id: "refused: this radio cannot pair"})
    said = text_of(anna.get("/kits").text)
    assert "Gatewayen nektet this radio cannot pair" in said
    assert "123456" not in said


def test_a_press_on_the_patients_page_leads_back_there(lia: Hamlet, anna: TestClient) -> None:
    page = f"/patients/{lia.patients['gunnar']}"
    answer = press(anna, kind="measure_again", back=page)
    assert answer.headers["location"] == f"{page}?done=asked_gateway"
    anna.headers["hx-request"] = "true"
    answer = press(anna, back=page)
    assert (answer.status_code, 'id="live"' in answer.text) == (200, True)


def test_what_cannot_be_asked_is_said(lia: Hamlet, anna: TestClient) -> None:
    for form in ({"passkey": "12345678"}, {"passkey": "four"}, {"device": "AA:BB:CC:00:00:99"}):
        answer = press(anna, **form)
        assert answer.status_code == 422
        assert "Ingenting ble bedt om" in answer.text
    assert press(anna, kind="explode").status_code == 422
    with lia.parts.database.read() as connection:
        assert connection.execute(select(tables.gateway_command)).all() == []


def test_only_who_looks_after_kits_sends_a_list(lia: Hamlet, anna: TestClient, visitor: Visitor) -> None:
    assert "Send listen" not in anna.get("/kits").text
    assert press(anna, kind="configuration", device="").status_code == 403
    stranger = visitor(None).get("/kits")
    assert stranger.status_code == 303
