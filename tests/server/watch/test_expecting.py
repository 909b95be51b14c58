"""Within how long a device should be heard again: by its plan, and by nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts import rulebook
from alerts.plan import Period, Plan
from server.watch.expecting import SOONEST, excused, within
from tests.server.plans import covid_plan
from tests.server.world import START

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def asking(**missing: object) -> Plan:
    """A plan with one rule for missing weights."""
    plan = covid_plan()
    table = {"kind": "missing", "metric": "weight", "grace": "2h", "priority": "low", **missing}
    return replace(plan, table={"missing_weight": table})


@pytest.mark.parametrize(
    ("missing", "longest"),
    [
        ({"slots": ["08:00-12:00"]}, 2 * DAY + 7 * HOUR),  # 08:00 to 14:00 two days later, and an hour for the clock
        ({"slots": ["08:00-12:00"], "days": ["mon", "wed", "fri"]}, 5 * DAY + 7 * HOUR),  # of Wednesday to Monday
        ({"slots": ["08:00-12:00"], "days": ["sun"]}, 14 * DAY + 7 * HOUR),
        ({"slots": ["08:00-09:00", "20:00-21:00"]}, DAY + 4 * HOUR),
        ({"slots": ["06:00-07:00", "10:00-11:00", "14:00-15:00", "18:00-19:00"]}, SOONEST),
        ({"every": "7d"}, 21 * DAY + 3 * HOUR),
    ],
)
def test_two_slots_in_a_row_may_pass(missing: dict[str, object], longest: timedelta) -> None:
    assert within(asking(**missing), "scale") == longest


def test_what_no_rule_asks_for_may_sleep_for_ever() -> None:
    plan = asking(slots=["08:00-12:00"])
    assert within(plan, "oximeter") is None
    assert within(plan, "a kind of next year") is None
    assert within(replace(plan, table={}), "scale") is None


@pytest.mark.parametrize("name", rulebook.shipped())
def test_every_shipped_rulebook_is_patient_for_a_day_at_least(name: str) -> None:
    settings = {"plan_id": "p", "facts": {"age": 71}, "timezone": "Europe/Oslo", "starts_at": START.isoformat()}
    plan = rulebook.draft(rulebook.load(name), settings)
    for kind in ("oximeter", "scale", "cuff", "thermometer", "glucometer"):
        patience = within(plan, kind)
        assert patience is None or SOONEST <= patience <= 24 * DAY


def test_time_in_which_nobody_owed_anything_is_excused_once() -> None:
    plan = replace(
        covid_plan(),
        starts_at=START - 10 * DAY,
        pauses=(Period(start=START - 9 * DAY, end=START - 6 * DAY),),
        offline=(Period(start=START - 7 * DAY, end=START - 5 * DAY), Period(start=START - DAY)),
    )
    assert excused(plan, START - 8 * DAY, START) == 4 * DAY
    assert excused(plan, START - 12 * HOUR, START) == 12 * HOUR
    assert excused(replace(plan, ends_at=START - 5 * DAY), START - 8 * DAY, START) == 8 * DAY
