from datetime import timedelta

from sqlalchemy import update

from server.access import Actor, Role
from server.db import tables
from server.ingest.quarantine import resolve
from tests.server.world import START, World
from vitals.topics import Lane, gateway_id, topic


def stranger(world: World, number: int) -> tuple[str, bytes]:
    return topic(gateway_id(world.gateway), Lane.READINGS), b"rubbish %d" % number


def technician(world: World, municipality: str | None = None) -> Actor:
    return Actor(id="t", role=Role.TECHNICIAN, municipality=municipality or world.municipality)


def test_room_is_made_from_what_is_resolved_first_and_strangers_next(world: World) -> None:
    world.record(world.frame(1), stranger(world, 1), world.frame(2), stranger(world, 2))
    with world.database.write() as connection:
        connection.execute(update(tables.quarantine).where(tables.quarantine.c.seq == 3).values(state="resolved"))
    recorded = world.record(world.frame(3), rows_max=3)
    assert recorded.removed == 2
    left = [(row["kind"], row["times"]) for row in world.rows(tables.quarantine)]
    assert left == [("undecodable_frame", 1), ("unsealed", 1), ("undecodable_frame", 1), ("removed", 2)]


def test_removing_is_never_silent_and_adds_up(world: World) -> None:
    for number in range(6):
        world.record(stranger(world, number), rows_max=2)
    removed = [row for row in world.rows(tables.quarantine) if row["kind"] == "removed"]
    kept = world.count(tables.quarantine) - 1
    assert len(removed) == 1
    assert removed[0]["times"] + kept == 6
    assert "removed because there were more than 2" in removed[0]["reason"]


def test_a_person_resolves_and_the_same_content_opens_it_again(world: World) -> None:
    world.record(world.frame())
    seq = world.rows(tables.quarantine)[0]["seq"]
    with world.database.write() as connection:
        assert resolve(connection, technician(world), seq, START)
        assert not resolve(connection, technician(world), seq, START)
    assert world.rows(tables.quarantine)[0]["resolved_by"] == "t"
    world.record(world.frame(), now=START + timedelta(minutes=1))
    row = world.rows(tables.quarantine)[0]
    assert (row["state"], row["times"], row["resolved_by"]) == ("open", 2, None)


def test_another_municipality_cannot_resolve_it(world: World) -> None:
    world.record(world.frame())
    with world.database.write() as connection:
        assert not resolve(connection, technician(world, "elsewhere"), 1, START)
    assert world.rows(tables.quarantine)[0]["state"] == "open"


def test_a_long_payload_is_cut_and_says_how_long_it_was(world: World) -> None:
    where, _ = stranger(world, 0)
    world.record((where, b"x" * 100_000))
    (row,) = world.rows(tables.quarantine)
    assert (len(row["payload"]), row["payload_bytes"]) == (32_768, 100_000)
