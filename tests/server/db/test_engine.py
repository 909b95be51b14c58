import os
import shutil
import socket
import threading
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from server.db import tables
from server.db.bulk import add, together
from server.db.dialect import due_at_latest, numbers, put, take_turn
from server.db.engine import Database, DatabaseAddressError, file_address, is_embedded
from server.db.journey import driver
from tests.server.world import START, World


@pytest.mark.parametrize("address", ["file"], indirect=True)
def test_the_file_is_opened_durably(database: Database) -> None:
    with database.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
        foreign_keys = connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
    assert found == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL
    assert foreign_keys == 1


@pytest.mark.parametrize("address", ["cluster"], indirect=True)
def test_the_cluster_is_asked_for_durability_whatever_its_own_setting(database: Database) -> None:
    with database.write() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW timezone").scalar() == "UTC"


@pytest.mark.parametrize("address", ["cluster"], indirect=True)
def test_a_cluster_that_is_gone_without_a_word_is_given_up_after_20_s(database: Database) -> None:
    """What the system is told; a proxy on one machine cannot lose packets."""
    with database.line() as own, socket.socket(fileno=os.dup(own.fileno())) as line:
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 20


@pytest.mark.parametrize("address", ["file"], indirect=True)
def test_what_a_dead_process_left_in_the_log_is_put_on_the_disk_first(world: World, tmp_path: Path) -> None:
    for suffix in ("", "-wal"):  # as a kill leaves it
        shutil.copy(tmp_path / f"varde.db{suffix}", tmp_path / f"left.db{suffix}")
    log = tmp_path / "left.db-wal"
    assert log.stat().st_size > 0
    with closing(Database(file_address(tmp_path / "left.db"))) as database:
        database.settle()
        assert log.stat().st_size == 0
        with database.read() as connection:
            assert connection.execute(select(tables.patient.c.id)).scalar_one() == world.patient


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
    with pytest.raises(DBAPIError, match=r"read-?only"), world.database.read() as connection:
        connection.execute(update(tables.team).values(name="x"))


def test_writers_for_one_patient_take_turns_and_none_is_lost(world: World) -> None:
    def add(number: int) -> None:
        for each in range(20):
            with world.database.write() as connection:
                take_turn(connection, world.patient, world.municipality, START)
                known = connection.exec_driver_sql("SELECT count(*) FROM role_beat").scalar()
                connection.execute(insert(tables.role_beat).values(role=f"{number}.{each}.{known}", at=START))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known = sorted(int(row["role"].rsplit(".", 1)[1]) for row in world.rows(tables.role_beat))
    assert known == list(range(80))  # each writer saw all that were before it


def test_whoever_records_waits_for_the_judge_and_keeps_the_earlier_time(world: World) -> None:
    """Else a judge who looked before a reading was committed would put his own wake-up over the recorder's "now"."""
    recorded = threading.Event()

    def record() -> None:
        with world.database.write() as connection:
            due_at_latest(connection, [(world.patient, world.municipality)], START)
        recorded.set()

    recorder = threading.Thread(target=record)
    with world.database.write() as connection:
        take_turn(connection, world.patient, world.municipality, START)
        recorder.start()
        assert not recorded.wait(0.3)
        row = {"patient_id": world.patient, "municipality_id": world.municipality}
        put(connection, tables.due, row | {"evaluate_at": START + timedelta(days=1)})
    recorder.join()
    assert [each["evaluate_at"] for each in world.rows(tables.due)] == [START]


def test_numbers_are_given_out_once(world: World) -> None:
    given: list[int] = []

    def take() -> None:
        for _ in range(20):
            with world.database.write() as connection:
                given.extend(free := numbers(connection, tables.evaluation, 3))
                assert free == sorted(free)
                for seq in free:
                    row = {"seq": seq, "municipality_id": world.municipality, "patient_id": world.patient}
                    connection.execute(insert(tables.evaluation).values(row | {"at": START, "plan_version": 1}))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given)) == len(given) == 240


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
    assert not is_embedded("postgresql://varde@localhost/varde")


def test_a_glance_sees_what_is_committed_and_opens_no_transaction(database: Database, world: World) -> None:
    with database.glance() as connection:
        assert connection.execute(select(tables.patient.c.id)).scalar() == world.patient
        if not database.is_embedded:
            assert driver(connection).info.transaction_status == TransactionStatus.IDLE


def test_a_connection_that_the_database_dropped_while_nobody_used_it_is_not_used(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_embedded:
        return  # a file drops nobody
    with database.read() as connection:
        mine = connection.execute(select(func.pg_backend_pid())).scalar_one()
    other = Database(database.address)
    with other.read() as connection:
        assert connection.execute(select(func.pg_terminate_backend(mine, 5000))).scalar()
    other.close()
    monkeypatch.setattr("server.db.engine._IDLE_SECONDS", 0.0)
    with database.write() as connection:
        assert connection.execute(select(func.pg_backend_pid())).scalar() != mine


def test_what_a_process_held_when_it_froze_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    if world.database.is_embedded:
        return  # nobody else waits there
    monkeypatch.setattr("server.db.engine._FROZEN_SECONDS", 1)
    with closing(Database(world.database.address)) as frozen:
        with pytest.raises(DBAPIError, match="idle-in-transaction"):
            _freeze(world, frozen)
        assert world.count(tables.role_beat) == 0, "and nothing of it is left"
        with frozen.write() as connection:
            take_turn(connection, world.patient, world.municipality, START)


def _freeze(world: World, frozen: Database) -> None:
    with frozen.write() as connection:
        put(connection, tables.role_beat, {"role": "watch", "at": START})
        take_turn(connection, world.patient, world.municipality, START)
        with world.database.write() as other:
            take_turn(other, world.patient, world.municipality, START)
        connection.execute(select(tables.team))


def test_a_pool_that_has_no_connection_left_is_the_databases_trouble(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_CONNECTIONS", 1), ("_MORE_AT_PEAK", 0), ("_BUSY_SECONDS", 0)):
        monkeypatch.setattr(f"server.db.engine.{name}", value)
    with closing(Database(address)) as small:
        with small.read(), pytest.raises(OperationalError), small.read():
            pass
        with small.read() as connection:
            assert connection.execute(select(1)).scalar() == 1


def _backend(connection: Connection) -> int:
    return connection.execute(select(func.pg_backend_pid())).scalar_one() if _is_shared(connection) else 0


def _is_shared(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def test_a_thread_that_keeps_its_connection_shares_it_with_nobody(database: Database) -> None:
    with database.keeping():
        with database.write() as connection:
            own = _backend(connection)
        with database.read() as another:
            others = _backend(another)
        with database.write() as connection:
            assert _backend(connection) == own
    with database.write() as connection:
        assert _backend(connection) == own, "it was given back"
    assert (others != own) == (not database.is_embedded)


def test_a_thread_whose_kept_connection_failed_gets_another(world: World) -> None:
    with world.database.keeping():
        with suppress(ZeroDivisionError, DBAPIError), world.database.write() as connection:
            if _is_shared(connection):
                driver(connection).close()  # as it is when nobody knows which answers are still on their way
            raise ZeroDivisionError
        with world.database.write() as connection:
            connection.execute(insert(tables.role_beat).values(role="watch", at=START))
    assert world.count(tables.role_beat) == 1


def _beat_twice(database: Database) -> None:
    """Add one row two times, which PostgreSQL notices at the COMMIT."""
    with database.write() as connection, together(connection):
        for _ in range(2):
            add(connection, tables.role_beat, [{"role": "watch", "at": START}])


def test_a_kept_connection_whose_commit_failed_is_none_the_worse(world: World) -> None:
    with world.database.keeping():
        with world.database.write() as connection:
            add(connection, tables.role_beat, [{"role": "web", "at": START}])
        with pytest.raises(IntegrityError):
            _beat_twice(world.database)
        with world.database.write() as connection:
            add(connection, tables.role_beat, [{"role": "ingest", "at": START}])
    assert {row["role"] for row in world.rows(tables.role_beat)} == {"web", "ingest"}


def test_a_kept_connection_that_nobody_used_for_a_while_is_asked_whether_it_is_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.db.engine._IDLE_SECONDS", 0.0)
    with world.database.keeping():
        with world.database.write() as connection:
            dropped = _backend(connection)
        with world.database.read() as other:
            if _is_shared(other):
                other.execute(select(func.pg_terminate_backend(dropped, 5000)))
        with world.database.write() as connection:
            connection.execute(insert(tables.role_beat).values(role="watch", at=START))
    assert world.count(tables.role_beat) == 1
