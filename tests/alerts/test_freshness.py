"""Which values must be young before a patient is shown green."""

from datetime import timedelta

from alerts import rulebook
from tests.alerts.worlds import FAST, SLOW, START


def _needs(book: rulebook.Rulebook) -> dict[tuple[str, ...], tuple[timedelta, bool, tuple[str, ...]]]:
    plan = rulebook.draft(book, {"plan_id": "made up", "timezone": "UTC", "starts_at": START.isoformat()})
    return {each.metrics: (each.max_age, each.owed, each.rules) for each in plan.freshness}


def test_rules_that_need_the_same_stand_together():
    assert _needs(FAST.book)["spo2",] == (timedelta(hours=36), True, ("spo2_drop", "spo2_low"))


def test_what_is_owed_weekly_may_be_older_and_a_trend_that_only_raises_needs_nothing():
    needs = _needs(SLOW.book)
    assert needs["weight",] == (timedelta(days=9), True, ("loss",))
    assert needs["systolic", "diastolic"] == (timedelta(hours=36), False, ("crisis", "mean"))
