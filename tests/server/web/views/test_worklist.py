"""Grouping, counting, and the one thing that must never be said."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from server.web.views import why
from server.web.views.worklist import AlertRow, census, groups_of

NOW = datetime(2026, 11, 22, 6, 40, tzinfo=UTC)


def row(name: str, patient: str, priority: str, minutes: int, **changed: object) -> AlertRow:
    made = AlertRow(
        id=name,
        patient_id=patient,
        patient_name=patient,
        rule="spo2_low",
        state="active",
        priority=priority,
        highest=priority,
        condition=True,
        late=False,
        waiting=False,
        raised_at=NOW - timedelta(minutes=minutes),
        owner=None,
        why=why.read({}),
        spark=None,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def test_a_patients_groups_stand_in_the_order_of_what_waits() -> None:
    rows = [
        row("taken", "ada", "critical", 5, state="acknowledged", owner="anna"),
        row("open", "ada", "low", 300),
        row("worse", "ada", "high", 290),
    ]
    built = groups_of(rows)
    assert [[each.id for each in group.alerts] for group in built] == [["worse", "open"], ["taken"]]
    assert [group.is_waiting for group in built] == [True, False]


@dataclass(frozen=True)
class Zoned:
    zone: str | None
    is_unjudged: bool = False
    condition: bool = False
    patients: int = 1


@pytest.mark.parametrize(("condition", "zone"), [(True, "unknown"), (False, "green")])
def test_nobody_is_called_green_while_a_condition_holds(condition: bool, zone: str) -> None:
    counted = census([Zoned("green", condition=condition)])
    assert {each.zone: each.count for each in counted.zones}[zone] == 1


def test_everybody_is_counted_once() -> None:
    counted = census([Zoned("unknown"), Zoned("green", patients=3), Zoned("blue"), Zoned(None)])
    assert {each.zone: each.count for each in counted.zones} == {
        "red": 0,
        "yellow": 0,
        "blue": 1,
        "unknown": 2,
        "green": 3,
    }
    assert (counted.patients, counted.unsure, counted.unjudged) == (6, 2, 0)


def test_whoever_could_not_be_judged_is_not_green_and_stays_red() -> None:
    counted = census([Zoned("green", is_unjudged=True), Zoned("red", is_unjudged=True)])
    assert {each.zone: each.count for each in counted.zones if each.count} == {"red": 1, "unknown": 1}
    assert (counted.unjudged, counted.unsure) == (2, 0)
