"""What is asked by what messages claim is only ever believed of what their seals prove."""

import json

from server.db import tables
from tests.server.world import OXIMETER, START, World, an_id, reading
from vitals.topics import Lane, gateway_id, topic
from vitals.wire import render_reading


def odd(world: World, number: int) -> tuple[str, bytes]:
    """Topic and payload of a reading as our own gateway would never spell it, and the contract allows."""
    fields = json.loads(render_reading(reading(number)))
    return world.sealed(Lane.READINGS, json.dumps(dict(reversed(fields.items())), indent=1).encode())


def test_a_batch_of_a_few_readings_is_two_journeys(world: World, journeys: list[str]) -> None:
    world.record(world.reading())
    journeys.clear()
    world.record(*(world.reading(number=number) for number in range(1, 4)))
    assert len(journeys) == (0 if world.database.is_embedded else 2)
    assert world.count(tables.reading) == 4


def test_what_is_spelt_otherwise_is_recorded_all_the_same(world: World) -> None:
    assert world.record(odd(world, 4)).readings["new"] == 1
    assert world.record(odd(world, 4)).readings["duplicate"] == 1
    recorded = world.record(odd(world, 1), world.reading(number=2), odd(world, 3), odd(world, 4))
    assert (recorded.readings["new"], recorded.readings["duplicate"], recorded.due) == (3, 1, 1)
    assert [(row["id"], row["patient_id"]) for row in world.rows(tables.reading)] == [
        (an_id(number), world.patient) for number in (4, 1, 2, 3)
    ]


def test_one_reading_in_two_spellings_is_stored_once(world: World) -> None:
    first = world.record(world.reading(number=1), odd(world, 1))
    again = world.record(odd(world, 1), world.reading(number=1))
    assert (first.readings["new"], first.readings["duplicate"]) == (1, 1)
    assert (again.readings["new"], again.readings["duplicate"]) == (0, 2)
    assert world.count(tables.reading) == 1


def test_a_claim_without_a_seal_moves_nobody_and_takes_nobodys_place(world: World) -> None:
    where = topic(gateway_id(world.gateway), Lane.READINGS)
    stranger = topic(gateway_id("gw-stranger"), Lane.READINGS)
    sealed_by_nobody = b"0" * 64 + b"\n" + render_reading(reading(1))
    recorded = world.record(
        (where, sealed_by_nobody), (stranger, sealed_by_nobody), (where, render_reading(reading(1)))
    )
    assert (recorded.due, recorded.receipts) == (0, {})
    assert (world.count(tables.reading), world.count(tables.due)) == (0, 0)
    assert world.record(world.reading(number=1)).readings["new"] == 1
    (row,) = world.rows(tables.reading)
    assert (row["device"], row["received_at"]) == (OXIMETER, START)
