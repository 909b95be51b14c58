"""A migrated database for each test, of both kinds in turn, and one small municipality in it."""

import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from tests.server.world import World, make_world


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file after all migrations, copied by each test: migrating takes longer than most of them."""
    path = tmp_path_factory.mktemp("migrated") / "varde.db"
    database = Database(file_address(path))
    upgrade_database(database)
    database.close()
    return path


@pytest.fixture(params=["file", "cluster"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a migrated database of this test's own is."""
    if request.param == "file":
        path = tmp_path / "varde.db"
        shutil.copy(request.getfixturevalue("migrated"), path)
        yield file_address(path)
        return
    with request.getfixturevalue("cluster").migrated() as shared:
        yield shared


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    """A real database of this test's own."""
    opened = Database(address)
    yield opened
    opened.close()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """One municipality with a team, a nurse, a patient, a gateway and an oximeter."""
    return make_world(database, tmp_path)


@pytest.fixture
def journeys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with each wait for the database."""
    counted: list[str] = []
    real = psycopg.Connection.wait

    def watched(answers: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            wanted = next(answers)
        except StopIteration as end:
            return end.value
        counted.append("one")
        while True:
            ready = yield wanted
            try:
                wanted = answers.send(ready)
            except StopIteration as end:
                return end.value

    monkeypatch.setattr(psycopg.Connection, "wait", lambda self, answers, *more: real(self, watched(answers), *more))
    return counted
