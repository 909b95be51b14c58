"""Today's tasks by the plan's own schedule, and what counts as done."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts import rulebook
from alerts.plan import Period, Plan
from server.care.tasks import State, tasks

SUNDAY = datetime(2026, 11, 22, 6, 40, tzinfo=UTC)  # 07:40 in Oslo


def plan(book: str = "covid19") -> Plan:
    shipped = rulebook.load(book)
    return Plan(
        plan_id="p",
        version=1,
        rulebook=book,
        rulebook_version=shipped.version,
        table=shipped.table,
        starts_at=SUNDAY - timedelta(days=20),
    )


def test_a_slot_is_to_be_done_now_later_or_is_done() -> None:
    found = tasks(plan(), {}, SUNDAY)
    assert [(f"{task.start:%H:%M}", task.state) for task in found] == [
        ("06:00", State.NOW),
        ("12:00", State.LATER),
        ("18:00", State.LATER),
    ]
    measured = SUNDAY - timedelta(minutes=5)
    (first, *_) = tasks(plan(), {"spo2": [measured]}, SUNDAY)
    assert (first.state, first.done_at) == (State.DONE, measured)


def test_a_measurement_of_another_metric_or_before_the_slot_does_not_count() -> None:
    for taken in ({"pulse": [SUNDAY]}, {"spo2": [SUNDAY - timedelta(hours=2)]}):
        assert tasks(plan(), taken, SUNDAY)[0].state is State.NOW


def test_a_slot_whose_grace_is_over_is_missed() -> None:
    evening = SUNDAY + timedelta(hours=10)
    assert next(task.state for task in tasks(plan(), {}, evening)) is State.MISSED


def test_nothing_is_asked_in_a_pause_or_without_a_plan() -> None:
    resting = replace(plan(), pauses=(Period(start=SUNDAY - timedelta(days=1)),))
    assert tasks(resting, {}, SUNDAY) == ()
    assert tasks(None, {}, SUNDAY) == ()


def test_slots_from_before_the_plan_are_not_owed() -> None:
    begun = replace(plan(), starts_at=SUNDAY + timedelta(hours=1))
    assert [f"{task.start:%H:%M}" for task in tasks(begun, {}, SUNDAY)] == ["12:00", "18:00"]


@pytest.mark.parametrize("on_day", [0, 3, 6])
def test_a_weekly_task_is_open_until_it_is_done_in_that_week(on_day: int) -> None:
    nutrition = plan("nutrition")
    now = datetime(2026, 11, 16, 9, tzinfo=UTC) + timedelta(days=on_day)
    weekly = [task for task in tasks(nutrition, {}, now) if task.weekly]
    assert [task.state for task in weekly] == [State.NOW]
    done = tasks(nutrition, {"weight": [datetime(2026, 11, 16, 8, tzinfo=UTC)]}, now)
    assert [task.state for task in done if task.weekly] == [State.DONE]
