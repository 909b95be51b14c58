from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Select, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from server.db import journey, tables
from server.db.asking import Within, ask, asked_about
from server.db.bulk import add, put, together
from server.db.engine import Database
from server.db.migrate import upgrade_database
from tests import postgres
from tests.server.world import START

BEAT = {"role": "watch", "at": START}


@asked_about
def _beats(within: Within) -> Select[Any]:
    return select(tables.role_beat).where(within(tables.role_beat.c.role)).order_by(tables.role_beat.c.role)


@asked_about
def _teams(within: Within) -> Select[Any]:
    return select(tables.team.c.name).where(within(tables.team.c.id))


@pytest.fixture
def database(cluster: postgres.Cluster) -> Iterator[Database]:
    with cluster.migrated() as address:
        opened = Database(address)
        yield opened
        opened.close()


def beats(database: Database) -> dict[str, Any]:
    with database.read() as connection:
        return {row.role: row.at for row in connection.execute(select(tables.role_beat))}


def twice(database: Database) -> None:
    """Add what is there, and something else after it."""
    with database.write() as connection, together(connection):
        add(connection, tables.role_beat, [BEAT])
        put(connection, tables.role_beat, [BEAT | {"role": "web"}])


def fail(database: Database) -> None:
    """Add something, and fail before anybody has asked."""
    with database.write() as connection, together(connection):
        put(connection, tables.role_beat, [BEAT])
        raise ZeroDivisionError


def lose(database: Database) -> None:
    """Ask over a connection that the database ends meanwhile."""
    with database.write() as connection:
        _beats(connection, ["watch"])
        own = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with database.write() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
        _beats(connection, ["watch"])


def test_a_transaction_of_two_questions_and_two_changes_is_two_journeys(
    database: Database, journeys: list[str]
) -> None:
    beats(database)  # whatever a new connection costs
    journeys.clear()
    with database.write() as connection:
        ask(connection, _beats.about(["watch"]), _teams.about(["x"]))
        assert len(journeys) == 1
        with together(connection):
            put(connection, tables.role_beat, [BEAT])
            add(connection, tables.role_beat, [BEAT | {"role": "ingest"}])
        assert len(journeys) == 1
    assert len(journeys) == 2
    assert beats(database) == {"watch": START, "ingest": START}


def test_what_was_told_is_there_for_a_question_and_for_any_other_statement(database: Database) -> None:
    with database.write() as connection:
        with together(connection):
            put(connection, tables.role_beat, [BEAT])
        assert connection.execute(select(tables.role_beat.c.role)).scalars().all() == ["watch"]
        with together(connection):
            add(connection, tables.role_beat, [BEAT | {"role": "web"}])
        assert [row.role for row in _beats(connection, ["web"])] == ["web"]
        with together(connection):
            add(connection, tables.role_beat, [BEAT | {"role": f"{number:03}"} for number in range(3)])
        add(connection, tables.gateway, [])
    assert len(beats(database)) == 5


def test_what_fails_at_the_commit_is_told_as_any_error_and_the_connection_is_none_the_worse(
    database: Database,
) -> None:
    for _ in range(7):  # the driver keeps some statements of its own, and forgets all of them at a ROLLBACK
        beats(database)
    with database.write() as connection:
        add(connection, tables.role_beat, [BEAT])
        assert len(_beats(connection, ["watch"])) == 1
    with pytest.raises(IntegrityError):
        twice(database)
    for _ in range(3):
        with database.write() as connection:
            assert [row.role for row in _beats(connection, ["watch", "web"])] == ["watch"]
            put(connection, tables.role_beat, [BEAT | {"role": "notify"}])
    assert set(beats(database)) == {"watch", "notify"}


def test_what_was_told_before_something_else_fails_is_never_said(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        fail(database)
    with database.write() as connection:
        assert _beats(connection, ["watch"]) == []
    assert beats(database) == {}


def test_a_question_begins_the_transaction_that_it_is_asked_in(database: Database) -> None:
    how = text("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
    with database.read() as connection:
        _beats(connection, ["watch"])
        assert tuple(connection.execute(how).one()) == ("repeatable read", "on")
        with database.write() as other:
            put(other, tables.role_beat, [BEAT])
        assert _beats(connection, ["watch"]) == []  # one view of the data
    with database.write() as connection:
        _beats(connection, ["watch"])
        assert tuple(connection.execute(how).one()) == ("read committed", "off")


def test_a_lost_connection_is_told_as_such_and_is_not_used_again(database: Database) -> None:
    with pytest.raises(OperationalError) as told:
        lose(database)
    assert "the connection is closed" not in str(told.value)  # nobody tried to roll it back
    with database.write() as connection:
        put(connection, tables.role_beat, [BEAT])
    assert beats(database) == {"watch": START}


def test_tables_that_change_under_a_running_server_do_not_hold_it_up(database: Database) -> None:
    with database.write() as connection:
        _beats(connection, ["watch"])
    upgrade_database(database)
    with database.write() as connection:
        assert _beats(connection, ["watch"]) == []


def plans(connection: Connection) -> tuple[int, int]:
    """How often the one question about teams was answered by one plan for whatever ids, and by one for just these."""
    kept = text("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%FROM team%'")
    generic, custom = connection.execute(kept).one()
    return generic, custom


def test_what_is_short_is_planned_once_for_whatever_it_is_about(database: Database) -> None:
    with database.write() as connection:
        for _ in range(3):
            _teams(connection, ["one"])
        assert plans(connection) == (3, 0)
        _teams(connection, [f"one of a thousand teams {number}" for number in range(1000)])
        assert plans(connection) == (3, 1), "a long list is planned for as long as it is"


def test_only_what_is_said_in_a_journey_is_planned_once(database: Database) -> None:
    with database.write() as connection:
        _teams(connection, ["one"])
        assert connection.execute(text("SHOW plan_cache_mode")).scalar_one() == "auto"
    with database.read() as connection:
        _teams(connection, ["one"])
        assert plans(connection) == (1, 1), "a page is planned for what it asks"
    with database.write() as connection:
        add(connection, tables.role_beat, [BEAT])
    with pytest.raises(IntegrityError):
        twice(database)
    with database.glance() as connection:
        assert connection.execute(text("SHOW plan_cache_mode")).scalar_one() == "auto"


def test_what_was_planned_for_an_empty_table_is_planned_anew_once_it_has_grown(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 0.0
    monkeypatch.setattr(journey, "monotonic", lambda: moment)
    found = journey.sentence("SELECT id FROM grown WHERE id IN (SELECT unnest($1::text[]))")
    with database.write() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE grown (id text PRIMARY KEY) ON COMMIT DROP"))

        def plan() -> str:
            journey.say(connection, (found, [b"{one}"]))
            connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
            rows = connection.exec_driver_sql(f"EXPLAIN EXECUTE {found.name.decode()} ('{{one}}')")
            return "\n".join(rows.scalars())

        assert "Seq Scan on grown" in plan()
        connection.execute(text("INSERT INTO grown SELECT n::text FROM generate_series(1, 20000) AS n"))
        assert "Seq Scan on grown" in plan(), "the plan does not last"
        moment = 1.0
        assert "Seq Scan on grown" not in plan()


def test_a_plan_lasts_the_longer_the_longer_the_connection_has_lived(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 0.0
    monkeypatch.setattr(journey, "monotonic", lambda: moment)
    found = journey.sentence("SELECT seq FROM fact WHERE seq = $1")
    anew = list[float]()
    with database.write() as connection:
        traveller = journey._traveller(connection)
        while moment < 300:
            before = traveller._plan_anew_at
            journey.say(connection, (found, [b"1"]))
            if traveller._plan_anew_at != before:
                anew.append(moment)
            moment += 1.0
    assert anew == [1, 2, 4, 8, 16, 32, 64, 124, 184, 244]


def test_a_column_that_got_another_type_costs_one_failure(database: Database) -> None:
    with database.keeping():
        with database.write() as connection:
            assert _teams(connection, ["x"]) == []
        with database.write() as connection:
            connection.execute(text("ALTER TABLE team ALTER COLUMN name TYPE varchar(999)"))
        with pytest.raises(DBAPIError, match="cached plan"), database.write() as connection:
            _teams(connection, ["x"])
        with database.write() as connection:
            assert _teams(connection, ["x"]) == []
