"""A reading that is sure to change nothing wakes nobody, and is judged with the next that does."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, update

from alerts import engine
from alerts.command import Action
from alerts.view import Step
from server import actions
from server.access import system
from server.care import kits, plans
from server.care.kits import NewGateway
from server.db import tables
from server.db.dialect import due_at_latest, take_turn
from server.ingest import quiet
from server.reports.recorded import Verdict, replayed
from server.watch import drain
from server.watch.evaluate import evaluate
from tests.server.gateway_stub import wait_for
from tests.server.plans import activate, covid_plan
from tests.server.world import START, World, an_id, reading
from vitals.clock import ManualClock
from vitals.topics import Lane
from vitals.wire import render_reading

MINUTE = timedelta(minutes=1)
LATER = START + 10 * MINUTE  # 08:10 in Oslo, in the first slot


def measure(world: World, number: int, spo2: int = 97, *, now: datetime | None = None) -> int:
    """Reading `number` is taken and recorded; how many patients became due by it."""
    values = {"spo2": Decimal(spo2), "pulse": Decimal(80)}
    at = START + number * MINUTE
    return world.record(world.reading(number=number, values=values, taken_at=at), now=now or at).due


def judge(world: World, now: datetime) -> Step:
    with world.database.write() as connection:
        step = evaluate(connection, world.patient, now)
    assert step is not None
    return step


@pytest.fixture
def known(world: World) -> Iterator[World]:
    """A well patient whose own level is known, judged at seven."""
    activate(world)
    for number in range(-6, 1):
        assert measure(world, number) == 1
    judge(world, START)
    yield world
    assert _replayed(world).differences == ()  # of what still waits, too
    judge(world, START + 30 * MINUTE)
    verdict = _replayed(world)
    assert (verdict.differences, verdict.not_covered) == ((), ())


def _replayed(world: World) -> Verdict:
    with world.database.read() as connection:
        return replayed(connection, system(), world.patient)


def slate(world: World) -> tuple[datetime, bool]:
    """When the patient is due, and whether anything of theirs is quiet."""
    (row,) = world.rows(tables.due)
    return row["evaluate_at"], row["envelope"] is not None


def test_a_quiet_reading_is_stored_and_wakes_nobody(known: World) -> None:
    before = slate(known)
    assert measure(known, 3) == 0
    assert slate(known) == before
    newest = known.rows(tables.reading)[-1]
    assert (newest["id"], newest["quiet"], newest["evaluation_seq"]) == (an_id(3), True, None)


def test_at_the_wake_up_what_waited_is_judged_and_has_filled_its_slot(known: World) -> None:
    wake_at, _ = slate(known)
    for number in (1, 2, 3):
        assert measure(known, number) == 0
    step = judge(known, wake_at)
    assert step.facts == ()
    assert all(row["evaluation_seq"] for row in known.rows(tables.reading))
    assert known.count(tables.evaluation) == 2


@pytest.mark.parametrize("spo2", [94, 40])
def test_what_could_change_something_makes_due_at_once_and_takes_what_waited_along(known: World, spo2: int) -> None:
    assert measure(known, 1) == 0
    assert measure(known, 2, spo2) == 1
    assert slate(known) == (START + 2 * MINUTE, False)
    step = judge(known, START + 2 * MINUTE)
    assert step.facts
    assert all(row["evaluation_seq"] for row in known.rows(tables.reading))


def test_until_somebody_has_judged_nothing_more_is_quiet(known: World) -> None:
    measure(known, 1, 93)
    assert measure(known, 2) == 1
    assert not any(row["quiet"] for row in known.rows(tables.reading))
    judge(known, START + 2 * MINUTE)


def test_of_readings_that_come_together_all_are_quiet_or_none(known: World) -> None:
    both = [
        known.reading(number=number, values={"spo2": Decimal(spo2)}, taken_at=START + number * MINUTE)
        for number, spo2 in ((1, 97), (2, 93))
    ]
    assert known.record(*both, now=START + 2 * MINUTE).due == 1
    assert [row["quiet"] for row in known.rows(tables.reading)[-2:]] == [False, False]


def test_an_envelope_says_nothing_of_what_is_not_its_patients(known: World) -> None:
    """It is asked for by device, before it is known whose the reading is."""
    before = slate(known)
    with known.database.write() as connection:
        new = NewGateway(id="gw-fjordvik-2", municipality=known.municipality)
        key = kits.enrol_gateway(connection, known.vault, new, START)
    body = render_reading(reading(3, taken_at=START + 3 * MINUTE))
    others = known.record(known.sealed(Lane.READINGS, body, key=key, gateway="gw-fjordvik-2"))
    assert (others.readings["unclaimed"], others.due) == (1, 0)
    assert slate(known) == before
    assert known.rows(tables.reading)[-1]["quiet"] is False


def test_a_late_or_older_reading_is_not_quiet(known: World) -> None:
    assert measure(known, -9, now=START + MINUTE) == 1
    judge(known, START + MINUTE)
    judge(known, START + 2 * MINUTE)
    assert measure(known, 3, now=START + 19 * MINUTE) == 1


def test_a_new_plan_version_leaves_nothing_quiet(known: World) -> None:
    with known.database.write() as connection:
        plans.activate(connection, known.patient, covid_plan(), known.nurse, LATER)
    assert slate(known) == (LATER, False)
    assert measure(known, 9) == 1  # though it came a minute before, by this process's clock
    judge(known, LATER)


def test_a_click_makes_its_own_envelope(known: World) -> None:
    measure(known, 1, 93)
    judge(known, START + MINUTE)
    (alert,) = known.rows(tables.alert)
    assert measure(known, 2, 97) == 1  # it counts towards the end of the alert
    with known.database.write() as connection:
        click = actions.Click(alert=alert["id"], signal=Action.ACKNOWLEDGE)
        actions.act(connection, known.actor, click, START + 3 * MINUTE)
    assert measure(known, 4, 97) == 1
    judge(known, START + 4 * MINUTE)


def test_whoever_could_not_be_judged_has_nothing_quiet(known: World, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(known, 1, 93)
    with monkeypatch.context() as broken:
        broken.setattr(engine, "step", _fails)
        drain.drain(known.parts(ManualClock(START + MINUTE)))
    assert slate(known) == (START + MINUTE + timedelta(seconds=10), False)
    assert measure(known, 2) == 1
    judge(known, START + 2 * MINUTE)


def _fails(*_: object) -> Step:
    raise ZeroDivisionError


@pytest.mark.parametrize("address", ["cluster"], indirect=True)  # an embedded database's one writer has its turn
def test_a_reading_recorded_during_a_judgement_is_not_measured_by_the_envelope_before(known: World) -> None:
    """The judge holds the patient's turn, and leaves another envelope; only that counts."""
    became_due: list[int] = []
    with known.database.write() as connection:
        take_turn(connection, known.patient, known.municipality, START)
        recorder = threading.Thread(target=lambda: became_due.append(measure(known, 1)))
        recorder.start()
        wait_for(lambda: _somebody_waits(known))
        connection.execute(update(tables.due).values(envelope=None))
    recorder.join()
    assert became_due == [1]
    judge(known, START + MINUTE)


def _somebody_waits(world: World) -> bool:
    with world.database.read() as connection:
        return bool(connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar())


def test_a_replay_asks_about_what_was_let_wait(known: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a reading called quiet that is not, the replay would say so."""
    monkeypatch.setattr(quiet, "are_quiet", lambda *_: True)
    assert measure(known, 1, 93) == 0
    assert "was let wait, replayed: raised spo2_low medium" in _replayed(known).differences[0]
    monkeypatch.undo()
    with known.database.write() as connection:
        connection.execute(update(tables.reading).values(quiet=False))
        _make_due(connection, known)
    judge(known, START + MINUTE)


def _make_due(connection: Connection, world: World) -> None:
    due_at_latest(connection, [(world.patient, world.municipality)], START)
