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
        why=why.read({}),
        spark=None,
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
    assert [group.lead.id for group in built.waiting[1].groups] == ["open", "taken"]
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


def test_what_was_met_together_is_one_and_counted_once() -> None:
    rows = [
        row("mild", "ada", "medium", 70, rule="pulse_high"),
        row("worst", "ada", "high", 45),
        row("missing", "ada", "high", 60, rule="missing_spo2", why=why.read({"slot_start": NOW.isoformat()})),
        row("later", "ada", "low", 5, rule="temperature_high"),
        row("other", "bo", "medium", 60),
    ]
    built = build(rows, people("red", "yellow"))
    shown = [[[alert.id for alert in group.alerts] for group in case.groups] for case in built.waiting]
    assert shown == [[["worst", "missing", "mild"], ["later"]], [["other"]]]
    assert built.alerts_waiting == 3


def test_a_group_waits_while_one_of_it_does_and_that_one_leads() -> None:
    taken = row("taken", "ada", "critical", 10, state="acknowledged", owner="anna")
    built = build([taken, row("new", "ada", "low", 5, rule="pulse_high")], people("red"))
    (group,) = built.waiting[0].groups
    assert ([each.id for each in group.alerts], built.alerts_waiting) == (["new", "taken"], 1)


def test_what_is_put_off_waits_for_nobody() -> None:
    built = build([row("1", "ada", "medium", 5, snoozed_until=NOW + timedelta(hours=1))], people("yellow"))
    assert (built.waiting, built.alerts_waiting) == ((), 0)
    assert [case.is_taken for case in built.taken] == [True]


def test_what_was_put_off_and_given_back_waits_when_it_is_high() -> None:
    built = build([row("1", "ada", "high", 5, snoozed_until=NOW + timedelta(hours=1))], people("red"))
    assert built.alerts_waiting == 1


def test_a_question_about_a_value_stands_alone() -> None:
    rows = [row("1", "ada", "high", 5), row("2", "ada", "low", 5, rule="quarantined")]
    built = build(rows, people("red"))
    assert [[each.id for each in group.alerts] for group in built.waiting[0].groups] == [["1"], ["2"]]
    assert built.alerts_waiting == 2
