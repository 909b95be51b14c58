from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from server.db import tables
from tests.server.world import START, World
from vitals.reading import Extreme

OSLO = timezone(timedelta(hours=1))


def test_a_time_comes_back_as_the_same_moment_in_utc(world: World) -> None:
    given = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=OSLO)
    with world.database.write() as connection:
        connection.execute(insert(tables.role_beat).values(role="watch", at=given))
    with world.database.read() as connection:
        stored = connection.execute(select(tables.role_beat.c.at)).scalar_one()
    assert stored == given
    assert stored.tzinfo is UTC
    assert stored.hour == 11


def test_a_naive_time_is_refused(world: World) -> None:
    with pytest.raises(StatementError, match="no time zone"), world.database.write() as connection:
        connection.execute(insert(tables.role_beat).values(role="watch", at=START.replace(tzinfo=None)))


@pytest.mark.parametrize("value", [Decimal("72.10"), Decimal("0.1"), Decimal("1E+3"), Decimal("2.9420000"), Extreme.LO])
def test_a_value_keeps_every_digit(world: World, value: Decimal | Extreme) -> None:
    world.record(world.reading(values={"weight": value}))
    with world.database.read() as connection:
        stored = connection.execute(select(tables.measurement.c.value)).scalar_one()
    assert str(stored) == str(value)
    assert type(stored) is type(value)


@pytest.mark.parametrize("value", [72.1, "72.1", Decimal("NaN")])
def test_a_float_is_refused(world: World, value: object) -> None:
    world.record(world.reading(values={}))
    row = {"reading_seq": 1, "metric": "weight", "municipality_id": world.municipality, "taken_at": START}
    with pytest.raises(StatementError), world.database.write() as connection:
        connection.execute(insert(tables.measurement).values(**row, value=value))
