"""Everybody who is due is judged, each for himself."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from alerts import engine
from alerts.view import PatientView, Step
from server.db import tables
from server.parts import Parts
from server.watch import beat, drain, evaluate, patient
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


def rules_fail_for(monkeypatch: pytest.MonkeyPatch, patient: str | None = None) -> None:
    """The rules raise for this patient, or for everybody."""
    real = engine.step

    def step(view: PatientView, now: datetime) -> Step:
        if patient in (None, view.patient):
            raise ZeroDivisionError
        return real(view, now)

    monkeypatch.setattr(engine, "step", step)


def test_one_patients_trouble_is_nobody_elses(two: tuple[World, World], monkeypatch: pytest.MonkeyPatch) -> None:
    well, ill = two
    rules_fail_for(monkeypatch, ill.patient)
    parts = well.parts()
    assert drain.drain(parts) == 2
    assert [row["patient_id"] for row in well.rows(tables.evaluation)] == [well.patient]
    stuck = next(row for row in well.rows(tables.due) if row["patient_id"] == ill.patient)
    assert (stuck["evaluate_at"], stuck["failures"]) == (START + timedelta(seconds=10), 1)
    assert stuck["trouble"] == "ZeroDivisionError"
    assert b"varde_evaluation_failures_total 1.0" in parts.metrics.text()


def test_one_patient_who_cannot_be_saved_is_nobody_elses_trouble(
    two: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    well, ill = two
    real = patient.save_all

    def save_all(connection: Any, judged: Sequence[patient.Judged], *more: Any) -> None:
        real(connection, judged, *more)
        if ill.patient in {each.loaded.view.patient for each in judged}:
            connection.execute(update(tables.patient).values(timezone="half done"))
            raise ZeroDivisionError

    for module in (patient, evaluate):
        monkeypatch.setattr(module, "save_all", save_all)
    parts = well.parts()
    assert drain.drain(parts) == 2
    assert [row["patient_id"] for row in well.rows(tables.evaluation)] == [well.patient]
    assert {row["timezone"] for row in well.rows(tables.patient)} == {"Europe/Oslo"}  # rolled back
    assert {row["patient_id"]: row["failures"] for row in well.rows(tables.due)} == {well.patient: 0, ill.patient: 1}


def test_one_patient_who_cannot_be_read_is_nobody_elses_trouble(two: tuple[World, World]) -> None:
    well, ill = two
    drain.drain(well.parts())
    memory, due = tables.memory, tables.due
    with well.database.write() as connection:
        connection.execute(update(memory).where(memory.c.patient_id == ill.patient).values(body="{"))
        connection.execute(update(due).values(evaluate_at=START))
    assert drain.drain(well.parts()) == 2
    troubles = {row["patient_id"]: row["trouble"] for row in well.rows(due)}
    assert troubles == {well.patient: None, ill.patient: "JSONDecodeError"}


def test_what_takes_too_long_together_waits_for_the_next_transaction(
    two: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "READINGS_TOGETHER", 0)
    counted: list[int] = []
    real = patient.save_all

    def save_all(connection: Any, judged: Sequence[patient.Judged], *more: Any) -> None:
        counted.append(len(judged))
        real(connection, judged, *more)

    monkeypatch.setattr(evaluate, "save_all", save_all)
    assert drain.drain(two[0].parts()) == 2
    assert counted == [1, 1]


def test_the_delay_grows_and_success_forgets_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    activate(world)
    clock = ManualClock(START)
    parts = world.parts(clock)

    with monkeypatch.context() as broken:
        rules_fail_for(broken)
        waits = []
        for _ in range(9):
            drain.drain(parts)
            waits.append((due_at(world)[world.patient] - clock.now()).total_seconds())
            clock.set(due_at(world)[world.patient])
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    drain.drain(parts)
    (row,) = world.rows(tables.due)
    assert (row["failures"], row["trouble"]) == (0, None)


def test_who_was_judged_elsewhere_since_we_failed_is_not_put_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    activate(world)
    real = drain._put_off

    with monkeypatch.context() as broken:

        def put_off(*failed: Any) -> None:
            broken.undo()
            assert drain.drain(world.parts()) == 1
            real(*failed)

        rules_fail_for(broken)
        broken.setattr(drain, "_put_off", put_off)
        drain.drain(world.parts())
    (row,) = world.rows(tables.due)
    assert (row["failures"], row["trouble"]) == (0, None)
    assert row["evaluate_at"] > START + timedelta(minutes=1)


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


def database_fails_for(monkeypatch: pytest.MonkeyPatch, patients: Sequence[str]) -> None:
    """What is stored of any of these cannot be looked up."""
    real = patient.look_up

    def look_up(connection: Any, wanted: Sequence[str], **more: Any) -> Any:
        if set(wanted) & set(patients):
            raise OperationalError("select", {}, Exception("disk I/O error"))
        return real(connection, wanted, **more)

    for module in (patient, evaluate):
        monkeypatch.setattr(module, "look_up", look_up)


def test_a_patient_whose_own_rows_the_database_refuses_holds_nobody_up(
    two: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted(world.patient for world in two)
    database_fails_for(monkeypatch, [first])
    parts = two[0].parts()
    assert drain.drain(parts) == 2
    assert [row["patient_id"] for row in two[0].rows(tables.evaluation)] == [second]
    stuck = next(row for row in two[0].rows(tables.due) if row["patient_id"] == first)
    assert (stuck["failures"], stuck["trouble"]) == (1, "OperationalError")


def test_a_database_that_fails_for_two_in_a_row_is_no_patients_trouble(
    two: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    database_fails_for(monkeypatch, [world.patient for world in two])
    with pytest.raises(OperationalError):
        drain.drain(two[0].parts())
    assert sorted(row["failures"] for row in two[0].rows(tables.due)) == [0, 1]


def judged(world: World) -> list[str]:
    return [row["patient_id"] for row in world.rows(tables.evaluation)]


def test_who_is_due_for_readings_of_long_ago_comes_after_the_others(
    two: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "READINGS_TOGETHER", 0)
    back, ill = two
    drain.drain(back.parts())
    back.record(back.reading(taken_at=START - timedelta(hours=5)), now=START + timedelta(minutes=1))
    ill.record(ill.reading(taken_at=START), now=START + timedelta(minutes=2))
    assert drain.drain(back.parts(ManualClock(START + timedelta(minutes=3)))) == 2
    assert judged(back)[2:] == [ill.patient, back.patient]


@pytest.mark.parametrize("fresh_first", [True, False])
def test_nobody_is_held_back_by_late_readings_beside_a_fresh_one(world: World, fresh_first: bool) -> None:
    activate(world)
    drain.drain(world.parts())
    messages = [
        world.reading(number=1, taken_at=START),
        world.reading(number=2, taken_at=START - timedelta(hours=5)),
    ]
    for message in messages if fresh_first else messages[::-1]:
        world.record(message, now=START + timedelta(minutes=1))
    assert [row["late"] for row in world.rows(tables.due)] == [False]
    drain.drain(world.parts(ManualClock(START + timedelta(minutes=1))))
    world.record(world.reading(number=3, taken_at=START - timedelta(hours=4)), now=START + timedelta(minutes=2))
    assert [row["late"] for row in world.rows(tables.due)] == [True]
    drain.drain(world.parts(ManualClock(START + timedelta(minutes=2))))
    assert [row["late"] for row in world.rows(tables.due)] == [False]
