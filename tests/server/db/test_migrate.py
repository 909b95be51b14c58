from importlib import import_module
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.care import kits
from server.care.kits import NewGateway
from server.db import migrate, tables
from server.db.engine import Database, file_address
from server.db.migrate import WrongTablesError, check, upgrade_database
from tests.server.world import START, World

# In an order in which they can be dropped.
_OF_PLANS = ("plan_step", "plan_proposal", "plan_text", "pause", "decision", "contact", "alert_budget")


def test_a_migrated_database_has_exactly_the_tables_of_the_program(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, tables.metadata) == []


def test_migrating_twice_is_harmless(world: World) -> None:
    upgrade_database(world.database)
    upgrade_database(world.database)
    check(world.database)
    assert world.count(tables.patient) == 1


def test_an_empty_database_is_refused_by_name_of_the_remedy(tmp_path: Path) -> None:
    database = Database(file_address(tmp_path / "empty.db"))
    with pytest.raises(WrongTablesError, match="varde migrate"):
        check(database)
    database.close()


def test_a_migration_that_is_cut_short_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(file_address(tmp_path / "cut.db"))
    monkeypatch.setattr("server.db.dialect.never_changed", lambda dialect, table: (f"NOT SQL {dialect} {table}",))
    with pytest.raises(Exception, match="syntax error"):
        upgrade_database(database)
    monkeypatch.undo()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0
    upgrade_database(database)
    check(database)
    database.close()


def test_a_reading_that_a_patient_already_has_twice_is_theirs_once_after_migrating(world: World) -> None:
    world.record(world.reading())
    value = tables.measurement
    with world.database.write() as connection:
        connection.exec_driver_sql("DROP INDEX uq_reading_patient_id_id")
        second = NewGateway(id="gw-fjordvik-2", municipality=world.municipality)
        kits.enrol_gateway(connection, world.vault, second, START)
        (row,) = connection.execute(select(tables.reading)).mappings()
        connection.execute(insert(tables.reading).values({**row, "seq": 2, "gateway_id": second.id}))
        for each in connection.execute(select(value)).mappings().all():
            connection.execute(insert(value).values({**each, "reading_seq": 2}))
        with Operations.context(MigrationContext.configure(connection)):
            import_module("server.db.migrations.versions.0003_a_reading_once").upgrade()
    owners = [(each["patient_id"], each["unclaimed"]) for each in world.rows(tables.reading)]
    assert owners == [(world.patient, None), (None, "heard_twice")]
    assert [each["patient_id"] for each in world.rows(value)] == [world.patient, world.patient, None, None]


def test_a_notice_that_was_told_before_the_outbox_knew_of_messages_is_kept(tmp_path: Path) -> None:
    database = Database(file_address(tmp_path / "old.db"))
    at = "2026-01-01 00:00:00"
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0014")
        for statement in (
            f"municipality (municipality_id, name, number, hosts, created_at) VALUES ('m', 'M', '9999', 0, '{at}')",
            "person (id, municipality_id, name) VALUES ('n', 'm', x'00')",
            f"patient (id, municipality_id, person_id, timezone, created_at) VALUES ('p', 'm', 'n', 'UTC', '{at}')",
            f"fact (seq, municipality_id, patient_id, at, kind) VALUES (7, 'm', 'p', '{at}', 'notice')",
            (
                'outbox (seq, municipality_id, patient_id, fact_seq, "to", state, created_at) '
                f"VALUES (9, 'm', 'p', 7, 'primary', 'sent', '{at}')"
            ),
            (
                "delivery (id, municipality_id, patient_id, outbox_seq, role, state, tries, created_at) "
                f"VALUES ('d', 'm', 'p', 9, 'primary', 'sent', 1, '{at}')"
            ),
        ):
            connection.exec_driver_sql(f"INSERT INTO {statement}")
    upgrade_database(database)
    check(database)
    with database.write() as connection:
        assert connection.execute(select(tables.delivery.c.outbox_seq)).scalar_one() == 9
        (old,) = connection.execute(select(tables.outbox)).mappings()
        connection.execute(insert(tables.outbox).values({**old, "seq": 10, "fact_seq": None, "unread_of": "t"}))
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").first() is None
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(tables.outbox).values({**old, "seq": 11}))  # a step is still told once
    database.close()


@pytest.mark.parametrize("table", [tables.fact, tables.audit, tables.plan_step], ids=lambda table: table.name)
@pytest.mark.parametrize("how", [update, delete], ids=lambda how: how.__name__)
def test_what_only_grows_cannot_be_changed(world: World, table: Table, how: type) -> None:
    rows = {
        tables.fact: {"patient_id": world.patient, "kind": "raised"},
        tables.audit: {"actor": "x", "role": "nurse", "action": "see_patient", "outcome": "done"},
        tables.plan_step: {"patient_id": world.patient, "step": "proposed", "by": "x"},
    }
    with world.database.write() as connection:
        connection.execute(insert(table).values(municipality_id=world.municipality, at=START, **rows[table]))
    statement = update(table).values(at=START) if how is update else delete(table)
    with pytest.raises(IntegrityError, match="only grows"), world.database.write() as connection:
        connection.execute(statement)
    assert world.count(table) == 1


@pytest.mark.parametrize("table", [tables.patient, tables.gateway], ids=lambda table: table.name)
def test_nobody_whom_a_reading_names_can_be_removed(world: World, table: Table) -> None:
    world.record(world.reading())
    with pytest.raises(IntegrityError, match="loses nobody"), world.database.write() as connection:
        connection.execute(delete(table))
    assert world.count(table) == 1


def test_every_table_carries_its_municipality() -> None:
    assert [table.name for table in tables.metadata.sorted_tables if "municipality_id" not in table.c] == []
