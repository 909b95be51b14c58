"""A hamlet of its own for each test, and browsers of its people without a screen."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Table, insert, select
from starlette.testclient import TestClient

from server.db import tables
from server.db.engine import Database, file_address
from server.web.app import build_web
from server.web.frame.changes import Changes
from server.web.frame.visit import Web
from tests.server.web import hamlet
from tests.server.web.hamlet import Hamlet

Visitor = Callable[[str | None], TestClient]


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """The hamlet as it was founded once: founding it takes longer than most tests."""

    lia: Hamlet
    rows: tuple[tuple[Table, list[dict[str, Any]]], ...]
    key: bytes  # of the vault that its names were closed with


@pytest.fixture(scope="session")
def founded(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Founded:
    """The hamlet's rows, in an order in which they can be inserted."""
    folder = tmp_path_factory.mktemp("hamlet")
    path = folder / "varde.db"
    shutil.copy(migrated, path)
    database = Database(file_address(path))
    lia = hamlet.found(database, folder)
    with database.read() as connection:
        rows = [
            (table, [dict(row) for row in connection.execute(select(table)).mappings()])
            for table in tables.metadata.sorted_tables
        ]
    database.close()
    filled = tuple((table, each) for table, each in rows if each)
    assert not any("seq" in table.c for table, _ in filled)  # or a sequence would have to be moved on
    return Founded(lia=lia, rows=filled, key=(folder / "vault.key").read_bytes())


@pytest.fixture
def lia(database: Database, tmp_path: Path, founded: Founded) -> Hamlet:
    """People, kits and plans; nothing measured yet."""
    (tmp_path / "vault.key").write_bytes(founded.key)
    with database.write() as connection:
        for table, rows in founded.rows:
            connection.execute(insert(table), rows)
    return hamlet.settled(database, tmp_path, founded.lia)


@pytest.fixture
def morning(lia: Hamlet) -> Hamlet:
    """The same on a morning with alerts of every kind."""
    return hamlet.fill(lia)


@pytest.fixture(scope="session")
def pages(founded: Founded) -> FastAPI:
    """The pages, put together once."""
    return build_web(founded.lia.parts)


@pytest.fixture
def visitor(lia: Hamlet, pages: FastAPI) -> Iterator[Visitor]:
    """A browser of that staff member, or of a stranger; it follows no redirect by itself."""
    app, parts = pages, lia.parts  # not entered: the look-out for changes is for the browser tests
    changes = Changes(parts.database, parts.clock)
    app.state.web = Web(parts=parts, renderer=app.state.web.renderer, changes=changes)
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
