from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from server.db import tables
from server.db.bulk import add, change, put, together
from server.web.frame.changes import fingerprint
from tests.server.world import START, World


def row(world: World, seq: int, **more: object) -> dict[str, object]:
    known = {"seq": seq, "id": f"id {seq}", "municipality_id": world.municipality, "gateway_id": world.gateway}
    known |= {"patient_id": world.patient, "unclaimed": None, "device": "d", "taken_at": START, "received_at": START}
    return known | {"clock": "device", "offset_s": 0, "quality": "good", "flags": [], "battery": None} | more


def test_what_comes_back_is_what_went_in(world: World) -> None:
    odd = "tab\t, line\n, back\\slash, \\N and Å"
    rows = [
        row(world, 1, device=odd, flags=["a\tb", 'quote " and \\'], offset_s=-7, battery=None),
        row(world, 2, taken_at=START + timedelta(microseconds=1), flags=[], battery=0),
    ]
    with world.database.write() as connection:
        add(connection, tables.reading, rows)
        add(connection, tables.reading, [])
    stored = world.rows(tables.reading)
    assert [{name: each[name] for name in rows[0]} for each in stored] == rows


def test_a_row_that_is_there_already_is_told_as_by_any_insert_and_nothing_is_stored(world: World) -> None:
    with pytest.raises(IntegrityError), world.database.write() as connection:
        add(connection, tables.reading, [row(world, 1), row(world, 2), row(world, 3, id="id 1")])
    assert world.count(tables.reading) == 0


def test_a_number_that_is_committed_after_a_later_one_is_seen_by_open_pages(world: World) -> None:
    with world.database.write() as connection:
        add(connection, tables.reading, [row(world, 5)])
    before = fingerprint(world.database, START)
    assert fingerprint(world.database, START) == before
    with world.database.write() as connection:
        add(connection, tables.reading, [row(world, 4)])
    assert fingerprint(world.database, START) != before


@pytest.mark.parametrize("count", [3, 300])  # by one parameter, by COPY
def test_few_and_many_are_stored_alike(world: World, count: int) -> None:
    rows = [row(world, seq, flags=[] if seq % 2 else ["Å\t"], battery=None) for seq in range(1, count + 1)]
    asked = [
        {"seq": seq, "municipality_id": world.municipality, "patient_id": world.patient, "at": START}
        | {"plan_version": 1, "click": {"act": "note"} if seq % 2 else None}
        for seq in range(1, count + 1)
    ]
    with world.database.write() as connection:
        add(connection, tables.reading, rows)
        add(connection, tables.evaluation, asked)
    assert [{name: each[name] for name in rows[0]} for each in world.rows(tables.reading)] == rows
    assert world.rows(tables.evaluation) == asked
    with world.database.read() as connection:
        none = select(func.count()).select_from(tables.evaluation).where(tables.evaluation.c.click.is_(None))
        assert connection.execute(none).scalar() == count // 2


def test_what_is_told_together_is_stored_in_its_order(world: World) -> None:
    with world.database.write() as connection:
        with together(connection):
            add(connection, tables.reading, [row(world, seq) for seq in range(1, 200)])
            change(connection, tables.reading, [{"seq": 7, "evaluation_seq": 70}])
            put(connection, tables.role_beat, [{"role": "watch", "at": START}])
        put(connection, tables.role_beat, [{"role": "watch", "at": START + timedelta(minutes=1)}])
    assert [each["seq"] for each in world.rows(tables.reading) if each["evaluation_seq"] == 70] == [7]
    assert world.rows(tables.role_beat)[0]["at"] == START + timedelta(minutes=1)


def test_what_fails_among_others_is_told_at_the_end_and_nothing_is_stored(world: World) -> None:
    def tell(connection: Connection) -> None:
        with together(connection):
            add(connection, tables.reading, [row(world, 1)])
            add(connection, tables.reading, [row(world, 1)])
            put(connection, tables.role_beat, [{"role": "watch", "at": START}])

    with pytest.raises(IntegrityError), world.database.write() as connection:
        tell(connection)
    assert world.count(tables.reading) == world.count(tables.role_beat) == 0
    with world.database.write() as connection:
        add(connection, tables.reading, [row(world, 1)])  # the connection is none the worse for it


@pytest.mark.parametrize("count", [3, 300])
def test_bytes_come_back_as_they_went_in(world: World, count: int) -> None:
    key = bytes(range(256))
    rows = [
        {"id": f"gw-{number}", "municipality_id": world.municipality, "key": key, "active": True, "created_at": START}
        for number in range(count)
    ]
    with world.database.write() as connection:
        add(connection, tables.gateway, rows)
    assert [row["key"] for row in world.rows(tables.gateway) if row["id"].startswith("gw-")][-count:] == [key] * count
