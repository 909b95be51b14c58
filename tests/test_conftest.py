"""The fixtures of every test, tried on wrong code."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import Integer, column, insert, select, table
from sqlalchemy.engine.interfaces import CacheStats

from server.db.engine import Database, file_address


@pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR])
def test_a_log_call_that_does_not_format_fails_where_it_stands(level: int) -> None:
    with pytest.raises(TypeError, match="not enough arguments"):
        logging.getLogger("gateway.relay").log(level, "%s sent %d", "one argument")


def test_a_log_call_that_formats_passes() -> None:
    logging.getLogger("gateway.relay").debug("%s sent %d", "kit", 3)


def test_databases_share_what_is_compiled_and_nothing_else(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.db" for number in (1, 2)]
    databases = [Database(file_address(path)) for path in paths]
    for number, database in enumerate(databases):
        with database.write() as connection:
            connection.exec_driver_sql("CREATE TABLE kept (number INTEGER)")
            connection.execute(insert(_KEPT).values(number=number))
    told = [_told(database) for database in databases]
    for database in databases:
        database.close()
    assert [row for row, _ in told] == [0, 1]
    assert told[1][1] is CacheStats.CACHE_HIT


_KEPT = table("kept", column("number", Integer))


def _told(database: Database) -> tuple[int, CacheStats]:
    with database.read() as connection:
        result = connection.execute(select(_KEPT.c.number).where(_KEPT.c.number < 7))
        return result.scalar_one(), result.context.cache_hit
