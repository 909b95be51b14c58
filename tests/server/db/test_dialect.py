"""What the two databases do differently, asked of both."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql

from server.db import tables
from server.db.dialect import among
from server.db.engine import Database
from tests.server.world import World


def test_among_finds_those_that_are_there_and_nobody_for_none(database: Database, world: World) -> None:
    patient = tables.patient.c.id
    with database.read() as connection:
        found = connection.execute(select(patient).where(among(connection, patient, [world.patient, "nobody"])))
        assert list(found.scalars()) == [world.patient]
        assert connection.execute(select(patient).where(among(connection, patient, []))).first() is None


def test_a_plan_kept_for_lists_of_any_length_compares_no_list_with_each_row(database: Database, world: World) -> None:
    """A thousand addresses, one by one, with each of twenty thousand devices took half a second a batch."""
    if database.is_embedded:
        return  # makes each plan anew
    with database.write() as connection:
        plan = _kept_plan(connection, world)
    assert "ANY" not in plan, plan


def _kept_plan(connection: Connection, world: World) -> str:
    asked = select(tables.device.c.id).where(among(connection, tables.device.c.address, [world.device]))
    words = asked.compile(dialect=postgresql.dialect(paramstyle="numeric_dollar"))  # type: ignore[no-untyped-call]
    connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
    connection.exec_driver_sql(f"PREPARE kept (text[]) AS {words}")
    return "\n".join(connection.exec_driver_sql("EXPLAIN EXECUTE kept ('{}')").scalars())
