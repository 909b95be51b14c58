"""A hamlet of its own for each test, and browsers of its people without a screen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.db.engine import Database
from server.web.app import build_web
from tests.server.web import hamlet
from tests.server.web.hamlet import Hamlet

Visitor = Callable[[str | None], TestClient]


@pytest.fixture
def lia(database: Database, tmp_path: Path) -> Hamlet:
    """People, kits and plans; nothing measured yet."""
    return hamlet.found(database, tmp_path)


@pytest.fixture
def morning(lia: Hamlet) -> Hamlet:
    """The same on a morning with alerts of every kind."""
    return hamlet.fill(lia)


@pytest.fixture
def visitor(lia: Hamlet) -> Iterator[Visitor]:
    """A browser of that staff member, or of a stranger; it follows no redirect by itself."""
    app = build_web(lia.parts)  # not entered: the look-out for changes is for the browser tests
    clients = []

    def visit(who: str | None) -> TestClient:
        client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
        clients.append(client)
        client.headers["sec-fetch-site"] = "same-origin"
        if who is not None:
            client.cookies.set("varde_session", lia.session(who), domain="127.0.0.1")
        return client

    yield visit
    for client in clients:
        client.close()


@pytest.fixture
def anna(visitor: Visitor) -> TestClient:
    return visitor("anna")
