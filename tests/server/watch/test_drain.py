"""Everybody who is due is judged, each for himself."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from server.db import tables
from server.parts import Parts
from server.watch import beat, drain
from server.watch.worker import Watch
from tests.server.gateway_stub import wait_for
from tests.server.plans import activate
from tests.server.world import START, World, make_world
from vitals.clock import ManualClock


def due_at(world: World) -> dict[str, Any]:
    return {row["patient_id"]: row["evaluate_at"] for row in world.rows(tables.due)}


@pytest.fixture
def two(world: World) -> tuple[World, World]:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    for each in (world, other):
        activate(each)
    return world, other


def test_one_patients_trouble_is_nobody_elses(two: tuple[World, World], monkeypatch: pytest.MonkeyPatch) -> None:
    well, ill = two
    real = drain.evaluate

    def evaluate(connection: Any, patient: str, now: Any) -> Any:
        if patient == ill.patient:
            connection.execute(update(tables.patient).values(timezone="half done"))
            raise ZeroDivisionError
        return real(connection, patient, now)

    monkeypatch.setattr(drain, "evaluate", evaluate)
    parts = well.parts()
    assert drain.drain(parts) == 2
    assert [row["patient_id"] for row in well.rows(tables.evaluation)] == [well.patient]
    assert {row["timezone"] for row in well.rows(tables.patient)} == {"Europe/Oslo"}  # rolled back
    stuck = next(row for row in well.rows(tables.due) if row["patient_id"] == ill.patient)
    assert (stuck["evaluate_at"], stuck["failures"]) == (START + timedelta(seconds=10), 1)
    assert stuck["trouble"] == "ZeroDivisionError"
    assert b"varde_evaluation_failures_total 1.0" in parts.metrics.text()


def test_the_delay_grows_and_success_forgets_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    activate(world)
    clock = ManualClock(START)
    parts = world.parts(clock)

    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(drain, "evaluate", fail)
        waits = []
        for _ in range(9):
            drain.drain(parts)
            waits.append((due_at(world)[world.patient] - clock.now()).total_seconds())
            clock.set(due_at(world)[world.patient])
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    drain.drain(parts)
    (row,) = world.rows(tables.due)
    assert (row["failures"], row["trouble"]) == (0, None)


def test_whoever_is_not_due_is_not_asked(world: World) -> None:
    activate(world)
    with world.database.write() as connection:
        connection.execute(update(tables.due).values(evaluate_at=START + timedelta(microseconds=1)))
    assert drain.drain(world.parts(ManualClock(START))) == 0
    assert world.count(tables.evaluation) == 0


def test_a_reading_that_comes_while_a_patient_is_judged_is_not_forgotten(world: World) -> None:
    """Whoever comes second waits: the recorder's "now" survives the judge's later wake-up, or the judge saw it."""
    activate(world)
    parts = world.parts(ManualClock(START))
    stop = threading.Event()

    def judge() -> None:
        while not stop.is_set():
            drain.drain(parts)

    judging = threading.Thread(target=judge)
    judging.start()
    for number in range(60):
        world.record(world.reading(number=number, taken_at=START - timedelta(minutes=90 - number)), now=START)
    wait_for(lambda: all(row["evaluation_seq"] is not None for row in world.rows(tables.reading)))
    stop.set()
    judging.join()
    assert world.count(tables.reading) == 60


def run_watch(parts: Parts, stop: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=Watch(parts).run, args=(stop,))
    thread.start()
    return thread


def test_the_watch_says_that_it_lives_and_judges_at_a_nudge(world: World) -> None:
    activate(world)
    parts, stop = world.parts(), threading.Event()
    watching = run_watch(parts, stop)
    try:
        wait_for(lambda: world.count(tables.role_beat) == 1)
        with world.database.read() as connection:
            at = beat.last(connection, "watch")
        assert at is not None
        assert abs((parts.wall.now() - at).total_seconds()) < 60  # real time, not the installation's
        world.record(world.reading())
        parts.wake_watch.ring()
        wait_for(lambda: world.rows(tables.reading)[0]["evaluation_seq"] is not None, 0.5)
    finally:
        stop.set()
        watching.join(10)


def test_time_alone_wakes_the_watch(world: World) -> None:
    activate(world)
    clock = ManualClock(START)
    parts, stop = world.parts(clock), threading.Event()
    watching = run_watch(parts, stop)
    try:
        wait_for(lambda: world.count(tables.evaluation) == 1 and world.count(tables.due) == 1)
        clock.set(due_at(world)[world.patient])  # nobody rings: the ticker asks within a second
        wait_for(lambda: world.count(tables.evaluation) == 2, 3)
    finally:
        stop.set()
        watching.join(10)


def test_a_patient_whose_own_rows_the_database_refuses_holds_nobody_up(
    two: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted(world.patient for world in two)
    real = drain.evaluate

    def evaluate(connection: Any, patient: str, now: Any) -> Any:
        if patient == first:
            raise OperationalError("select", {}, Exception("too many SQL variables"))
        return real(connection, patient, now)

    monkeypatch.setattr(drain, "evaluate", evaluate)
    parts = two[0].parts()
    assert drain.drain(parts) == 2
    assert [row["patient_id"] for row in two[0].rows(tables.evaluation)] == [second]
    stuck = next(row for row in two[0].rows(tables.due) if row["patient_id"] == first)
    assert (stuck["failures"], stuck["trouble"]) == (1, "OperationalError")


def test_a_database_that_fails_for_two_in_a_row_is_no_patients_trouble(
    two: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(*_: Any) -> None:
        raise OperationalError("select", {}, Exception("disk I/O error"))

    monkeypatch.setattr(drain, "evaluate", evaluate)
    with pytest.raises(OperationalError):
        drain.drain(two[0].parts())
    assert sorted(row["failures"] for row in two[0].rows(tables.due)) == [0, 1]
