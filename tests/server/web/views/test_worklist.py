"""Grouping and order, and the one thing that must never be said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.web.views import why
from server.web.views.worklist import AlertRow, PatientLine, build

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
        version=1,
        why=why.read({}),
        spark=None,
        may_acknowledge=True,
        may_resolve=True,
        outcomes=(),
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def people(*zones: str) -> dict[str, PatientLine]:
    names = ("ada", "bo", "cora")
    return {
        name: PatientLine(id=name, name=name, age=None, matters=None, zone=zone)
        for name, zone in zip(names, zones, strict=False)
    }


def test_priority_goes_before_waiting() -> None:
    rows = [row("1", "ada", "medium", 900), row("2", "bo", "critical", 1), row("3", "cora", "high", 60)]
    assert [case.patient.id for case in build(rows, people("red", "red", "red")).waiting] == ["bo", "cora", "ada"]


def test_what_somebody_has_does_not_lift_the_rest_of_the_patients_alerts() -> None:
    rows = [
        row("taken", "ada", "critical", 5, state="acknowledged", owner="anna"),
        row("open", "ada", "low", 300),
        row("other", "bo", "high", 10),
    ]
    built = build(rows, people("red", "red"))
    assert [case.patient.id for case in built.waiting] == ["bo", "ada"]
    assert [alert.id for alert in built.waiting[1].alerts] == ["open", "taken"]
    assert built.alerts_waiting == 2


def test_a_patient_whose_every_alert_is_taken_stands_below() -> None:
    built = build([row("1", "ada", "high", 5, state="acknowledged", owner="anna")], people("red"))
    assert built.waiting == ()
    assert [case.is_taken for case in built.taken] == [True]


@pytest.mark.parametrize(("condition", "zone"), [(True, "unknown"), (False, "green")])
def test_nobody_is_called_green_while_a_condition_holds(condition: bool, zone: str) -> None:
    built = build([row("1", "ada", "low", 5, condition=condition)], people("green"))
    assert built.waiting[0].patient.zone == zone
    assert {each.zone: each.count for each in built.zones}[zone] == 1


def test_everybody_is_counted_once() -> None:
    built = build([], people("unknown", "green", "blue"))
    assert {each.zone: each.count for each in built.zones} == {
        "red": 0,
        "yellow": 0,
        "blue": 1,
        "unknown": 1,
        "green": 1,
    }
    assert built.zones_unsure == 1
