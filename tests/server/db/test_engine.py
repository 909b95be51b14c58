import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError, OperationalError

from server.db import tables
from server.db.engine import Database, DatabaseAddressError, is_embedded
from tests.server.world import START, World


def test_the_file_is_opened_durably(database: Database) -> None:
    with database.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
        foreign_keys = connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
    assert found == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL
    assert foreign_keys == 1


def test_a_failure_in_the_middle_leaves_nothing(world: World) -> None:
    with pytest.raises(IntegrityError), world.database.write() as connection:
        _stamp_twice(connection)
    assert world.count(tables.role_beat) == 0


def _stamp_twice(connection: Connection) -> None:
    for _ in range(2):
        connection.execute(insert(tables.role_beat).values(role="watch", at=START))


def test_a_row_of_no_municipality_is_refused(world: World) -> None:
    with pytest.raises(IntegrityError), world.database.write() as connection:
        connection.execute(insert(tables.team).values(id="t", municipality_id="nowhere", name="x"))


def test_nothing_can_be_changed_while_reading(world: World) -> None:
    with pytest.raises(OperationalError, match="readonly"), world.database.read() as connection:
        connection.execute(update(tables.team).values(name="x"))


def test_writers_take_turns_and_none_is_lost(world: World) -> None:
    def add(number: int) -> None:
        for each in range(20):
            with world.database.write() as connection:
                known = connection.exec_driver_sql("SELECT count(*) FROM role_beat").scalar()
                connection.execute(insert(tables.role_beat).values(role=f"{number}.{each}.{known}", at=START))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known = sorted(int(row["role"].rsplit(".", 1)[1]) for row in world.rows(tables.role_beat))
    assert known == list(range(80))  # each writer saw all that were before it


def test_a_reader_does_not_wait_for_a_writer(world: World) -> None:
    with world.database.write() as connection:
        connection.execute(update(tables.team).values(name="changed"))
        assert [row["name"] for row in world.rows(tables.team)] == ["Fjordvik oppfølging"]


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "not an address"])
def test_an_address_without_durable_data_is_refused(address: str) -> None:
    with pytest.raises(DatabaseAddressError, match="database"):
        Database(address)


def test_a_file_is_embedded(tmp_path: Path) -> None:
    assert is_embedded(f"sqlite:///{tmp_path}/varde.db")
