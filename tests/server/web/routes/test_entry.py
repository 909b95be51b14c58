"""Coming in, going out, choosing a language."""

from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from server.db import tables
from server.db.engine import Database
from server.settings import Login
from server.web.app import build_web
from tests.server.web.conftest import Visitor
from tests.server.web.hamlet import Hamlet


def test_a_stranger_is_sent_to_the_login_and_back(lia: Hamlet, visitor: Visitor) -> None:
    stranger = visitor(None)
    assert stranger.get("/").headers["location"] == "/login"
    assert stranger.get("/quarantine").headers["location"] == "/login?back=/quarantine"
    entered = stranger.post("/login", data={"staff": lia.staff["anna"], "back": "/quarantine"})
    assert entered.headers["location"] == "/quarantine"
    assert stranger.get("/quarantine").status_code == 200


def test_the_login_offers_every_synthetic_person_and_says_so(visitor: Visitor) -> None:
    page = visitor(None).get("/login").text
    for name in ("Anna Solbakk", "Henrik Myrvoll", "Ingrid Fjellheim", "Tore Lindås"):
        assert name in page
    assert "syntetiske personer" in page


def test_the_cookie_is_opaque_and_only_its_digest_is_stored(lia: Hamlet, visitor: Visitor) -> None:
    answer = visitor(None).post("/login", data={"staff": lia.staff["anna"]})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    secret = cookie.split("varde_session=")[1].split(";")[0]
    assert len(secret) >= 40
    with lia.parts.database.read() as connection:
        assert secret not in str(connection.execute(select(tables.session)).all())


def test_logging_out_ends_the_session_not_only_the_cookie(lia: Hamlet, visitor: Visitor) -> None:
    anna = visitor("anna")
    kept = dict(anna.cookies)
    assert anna.post("/logout").headers["location"] == "/login"
    anna.cookies.update(kept)
    assert anna.get("/").headers["location"] == "/login"
    with lia.parts.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.session)).scalar() == 0


def test_nobody_logs_in_by_a_made_up_id(visitor: Visitor) -> None:
    answer = visitor(None).post("/login", data={"staff": "nobody"})
    assert answer.headers["location"] == "/login"
    assert "set-cookie" not in answer.headers


def test_outside_the_demo_there_are_no_doors(lia: Hamlet) -> None:
    settings = lia.parts.settings.model_copy(update={"login": Login.NONE})
    parts = type(lia.parts)(
        settings=settings, clock=lia.clock, database=lia.parts.database, vault=lia.parts.vault
    )  # fmt: skip
    client = TestClient(build_web(parts), base_url="http://varde.example", follow_redirects=False)
    page = client.get("/login")
    assert "Anna Solbakk" not in page.text
    assert "Innlogging er ikke satt opp" in page.text
    refused = client.post("/login", data={"staff": lia.staff["anna"]})
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_nobody_is_sent_to_another_site(lia: Hamlet, visitor: Visitor, back: str) -> None:
    answer = visitor(None).post("/login", data={"staff": lia.staff["anna"], "back": back})
    assert answer.headers["location"] == "/start"


def test_the_language_is_remembered(visitor: Visitor) -> None:
    anna = visitor("anna")
    anna.post("/language", data={"language": "nn", "back": "/patients"})
    assert "Pasientar" in anna.get("/patients").text
    anna.post("/language", data={"language": "klingon", "back": "/"})
    assert "Pasientar" in anna.get("/patients").text


def test_the_pages_work_without_what_npm_brings(lia: Hamlet, tmp_path: Path, database: Database) -> None:
    static = tmp_path / "static"
    static.mkdir()
    client = TestClient(build_web(lia.parts, static=static), base_url="http://127.0.0.1")
    page = client.get("/login").text
    assert "base.css" in page
    assert "vendor/" not in page
    assert "Anna Solbakk" in page
