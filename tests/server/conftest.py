"""A migrated database for each test, of both kinds in turn, and one small municipality in it."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from tests import postgres
from tests.server.world import World, make_world

_TEMPLATE = "migrated"
_NUMBERS = count(1)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file after all migrations, copied by each test: migrating takes longer than most of them."""
    path = tmp_path_factory.mktemp("migrated") / "varde.db"
    database = Database(file_address(path))
    upgrade_database(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A running PostgreSQL with a database after all migrations, copied by each test."""
    with postgres.running(durable=False) as found:
        _tell(found, f"CREATE DATABASE {_TEMPLATE}")
        database = Database(found.address(_TEMPLATE))
        upgrade_database(database)
        database.close()
        yield found


def _tell(cluster: postgres.Cluster, statement: str) -> None:
    engine = create_engine(cluster.address().replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(params=["file", "cluster"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a migrated database of this test's own is."""
    if request.param == "file":
        path = tmp_path / "varde.db"
        shutil.copy(request.getfixturevalue("migrated"), path)
        yield file_address(path)
        return
    cluster, name = request.getfixturevalue("cluster"), f"test_{next(_NUMBERS)}"
    _tell(cluster, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
    yield cluster.address(name)
    _tell(cluster, f"DROP DATABASE {name} WITH (FORCE)")


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
