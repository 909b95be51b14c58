from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Column, Float, MetaData, Table

from server.db import tables
from server.db.lines import lines
from vitals.reading import Extreme

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)


def measured(value: object, taken_at: datetime = NOW) -> dict[str, object]:
    return {"reading_seq": 1, "metric": "spo2", "patient_id": None, "taken_at": taken_at, "value": value}


def test_every_digit_and_the_devices_own_words_are_kept() -> None:
    rows = [measured(Decimal(96)), measured(Decimal("96.0")), measured(Extreme.LO), measured(Decimal("0.10"))]
    told = [line.split("\t") for line in lines(tables.measurement, rows).decode().splitlines()]
    assert [line[-1] for line in told] == ["96", "96.0", "LO", "0.10"]
    assert told[0][:4] == ["1", "spo2", "\\N", "2026-03-02T07:00:00+00:00"]


def test_a_moment_is_told_in_utc_and_a_naive_one_refused() -> None:
    oslo = NOW.astimezone(timezone(timedelta(hours=1)))
    assert b"2026-03-02T07:00:00+00:00" in lines(tables.measurement, [measured(Decimal(96), oslo)])
    with pytest.raises(ValueError, match="no time zone"):
        lines(tables.measurement, [measured(Decimal(96), NOW.replace(tzinfo=None))])


def test_what_would_mislead_is_escaped() -> None:
    row = {"seq": 1, "device": "a\tb\nc\rd\\N", "flags": ["\t"], "quiet": False}
    assert lines(tables.reading, [row]) == b'1\ta\\tb\\nc\\rd\\\\N\t["\\\\t"]\tf\n'


def test_a_type_without_words_is_refused() -> None:
    table = Table("odd", MetaData(), Column("x", Float))
    with pytest.raises(TypeError, match="no words"):
        lines(table, [{"x": 1.5}])
