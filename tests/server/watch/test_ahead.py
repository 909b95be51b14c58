"""What saving needs is asked ahead for a few patients, and afterwards only what is lacking."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Table

from server.db import tables
from server.db.asking import Question, ask
from server.watch import ahead
from server.watch.ahead import Ahead, answered, asking, needed
from server.watch.evaluate import evaluate_all
from server.watch.pace import FAST, WORSE, Course
from tests.server.plans import activate
from tests.server.world import START, World

_DAY = timedelta(hours=24)
_NOW = START + _DAY
_NOBODY = Course(about={})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Question]]:
    """What was asked afterwards."""
    heard: list[Sequence[Question]] = []

    def listen(connection: Connection, *questions: Question) -> list[list[object]]:
        heard.append(questions)
        return ask(connection, *questions)

    monkeypatch.setattr(ahead, "ask", listen)
    return heard


def _counts(facts: int, evaluations: int = 1) -> Mapping[Table, int]:
    return {tables.evaluation: evaluations, tables.fact: facts}


def _saturation(world: World) -> Course:
    return Course(about={"an alert": (world.patient, "spo2", "below")})


def _measure(world: World, number: int, spo2: int) -> datetime:
    """Measured so many days after the start; when that was."""
    at = START + number * _DAY
    values = {"spo2": Decimal(spo2), "pulse": Decimal(80)}
    world.record(world.reading(number=number, values=values, taken_at=at), now=at)
    return at


def _ahead(connection: Connection, patients: Sequence[str]) -> Ahead:
    return answered(ask(connection, *asking(patients, _NOW)))


def test_of_one_patient_nothing_is_asked_afterwards(world: World, asked: list[Sequence[Question]]) -> None:
    _measure(world, 0, 96)
    _measure(world, 1, 93)
    with world.database.write() as connection:
        numbers, paces = needed(
            connection, _ahead(connection, [world.patient]), _counts(facts=3), _saturation(world), _NOW
        )
    assert [len(numbers[table]) for table in (tables.evaluation, tables.fact)] == [1, 3]
    assert paces == {"an alert": WORSE}
    assert asked == []


def test_more_facts_than_foreseen_get_numbers_of_their_own(world: World, asked: list[Sequence[Question]]) -> None:
    with world.database.write() as connection:
        numbers, paces = needed(connection, _ahead(connection, [world.patient]), _counts(facts=9), _NOBODY, _NOW)
    assert len(set(numbers[tables.fact])) == 9
    assert paces == {}
    assert [len(questions) for questions in asked] == [1]


def test_of_many_patients_it_is_asked_when_it_is_known_what_is_needed(
    world: World, asked: list[Sequence[Question]]
) -> None:
    _measure(world, 0, 96)
    _measure(world, 1, 93)
    many = [world.patient, *(f"other {place}" for place in range(99))]
    with world.database.write() as connection:
        before = _ahead(connection, many)
        assert before.measured is None
        numbers, paces = needed(connection, before, _counts(facts=2, evaluations=100), _saturation(world), _NOW)
    assert [len(numbers[table]) for table in (tables.evaluation, tables.fact)] == [100, 2]
    assert paces == {"an alert": WORSE}
    assert [len(questions) for questions in asked] == [2]


@pytest.mark.parametrize("few", [0, 10])
def test_an_alert_has_its_pace_whichever_way_it_was_asked(
    world: World, few: int, asked: list[Sequence[Question]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "_FEW", few)
    activate(world)
    for number, spo2 in enumerate((96, 88)):
        at = _measure(world, number, spo2)
        asked.clear()
        with world.database.write() as connection:
            evaluate_all(connection, [world.patient], at)
    (alert,) = [row for row in world.rows(tables.alert) if row["rule"] == "spo2_low"]
    assert (alert["pace"], alert["version"]) == (FAST, 1)
    assert len(asked) == (0 if few else 1)
