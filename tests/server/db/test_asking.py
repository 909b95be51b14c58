from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.exc import DataError

from server.db import tables
from server.db.asking import Asked, Within, as_text, ask, asked_about, tell
from server.db.bulk import add
from server.db.dialect import next_numbers, numbered
from server.db.types import UTCDateTime
from tests.server.world import START, World

ODD = ['quote " and \\', "comma, {brace}", "NULL", "", "Å\n\t", "it's"]


@asked_about
def _readings(within: Within) -> Select[Any]:
    since = tables.reading.c.received_at >= bindparam("since", type_=UTCDateTime())
    return select(tables.reading).where(within(tables.reading.c.patient_id), since).order_by(tables.reading.c.seq)


@asked_about
def _values(within: Within) -> Select[Any]:
    value = tables.measurement
    return select(value).where(within(value.c.patient_id)).order_by(value.c.reading_seq, value.c.metric)


@asked_about
def _gateways(within: Within) -> Select[Any]:
    return select(tables.gateway).where(within(tables.gateway.c.id)).order_by(tables.gateway.c.id)


def gateways(world: World, ids: Sequence[str]) -> list[dict[str, Any]]:
    own = {"municipality_id": world.municipality, "key": b"\0\xff", "active": True, "created_at": START}
    return [own | {"id": each} for each in ids]


def test_several_questions_are_answered_each_with_its_own_as_any_statement_is(world: World) -> None:
    for number in range(3):
        world.record(world.reading(number=number, taken_at=START - timedelta(minutes=number)), now=START)
    with world.database.read() as connection:
        found = ask(
            connection,
            _readings.about([world.patient], since=START),
            _values.about([world.patient]),
            _readings.about([world.patient], since=START + timedelta(microseconds=1)),
            _gateways.about([]),
        )
        readings = connection.execute(select(tables.reading).order_by(tables.reading.c.seq)).all()
        order = (tables.measurement.c.reading_seq, tables.measurement.c.metric)
        values = connection.execute(select(tables.measurement).order_by(*order)).all()
    assert [[tuple(row) for row in rows] for rows in found] == [
        list(map(tuple, readings)),
        list(map(tuple, values)),
        [],
        [],
    ]
    first, value = found[0][0], found[1][0]
    assert (first.patient_id, first.received_at, first.received_at.tzinfo) == (world.patient, START, UTC)
    assert isinstance(value.value, Decimal)


def test_every_text_is_found_in_a_list(world: World) -> None:
    with world.database.write() as connection:
        add(connection, tables.gateway, gateways(world, ODD))
        found = _gateways(connection, [*ODD, "another"])
    assert sorted(row.id for row in found) == sorted(ODD)
    assert {row.key for row in found} == {b"\0\xff"}


def test_a_text_that_the_database_cannot_keep_is_refused_as_its_own_error(world: World) -> None:
    with world.database.write() as connection:
        if world.database.is_embedded:
            assert _gateways(connection, ["a\0b"]) == []
        else:
            with pytest.raises(DataError):
                _gateways(connection, ["a\0b"])


def test_numbers_asked_for_beside_others_are_nobody_elses(world: World) -> None:
    counts = {tables.fact: 2, tables.evaluation: 3, tables.reading: 0}
    with world.database.write() as connection:
        taken, _, again = ask(connection, next_numbers(counts), _gateways.about([]), next_numbers({tables.fact: 1}))
    assert [len(numbered(taken)[table]) for table in counts] == [2, 3, 0]
    assert numbered(taken)[tables.fact] == [1, 2]
    assert numbered(again)[tables.fact] == ([1] if world.database.is_embedded else [3])  # the highest that is stored


def test_what_is_told_changes_what_is_asked_after_it(world: World) -> None:
    rename = Asked(lambda _: update(tables.team).values(name=bindparam("to")))
    names = Asked(lambda _: select(tables.team.c.name))
    with world.database.write() as connection:
        tell(connection, rename.about(to="Natt"))
        assert {row.name for row in names(connection)} == {"Natt"}


def test_parameters_are_written_as_the_database_reads_them() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
    given = [None, True, 7, "Å", moment, ["a", None, True]]
    wanted = [None, b"t", b"7", "Å".encode(), b"2026-03-01T12:00:00.000005+00:00", b'{"a",NULL,"t"}']
    assert [as_text(each) for each in given] == wanted
    with pytest.raises(TypeError):
        as_text(1.5)
