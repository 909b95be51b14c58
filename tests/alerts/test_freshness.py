"""Which values must be young before a patient is shown green."""

from datetime import timedelta

from alerts import rulebook


def _needs(book: str) -> dict[tuple[str, ...], tuple[timedelta, bool, tuple[str, ...]]]:
    facts = {"plan_id": "made up", "timezone": "UTC", "starts_at": "2026-03-02T00:00:00+00:00"}
    plan = rulebook.draft(rulebook.load(book), facts)
    return {each.metrics: (each.max_age, each.owed, each.rules) for each in plan.freshness}


def test_rules_that_need_the_same_stand_together():
    assert _needs("covid19")["spo2",] == (timedelta(hours=36), True, ("spo2_drop", "spo2_low"))


def test_what_is_owed_weekly_may_be_older_and_a_trend_that_only_raises_needs_nothing():
    assert _needs("nutrition") == {("weight",): (timedelta(days=9), True, ("weight_loss_1m", "weight_loss_6m"))}
    assert ("weight",) not in _needs("heart_failure")
    assert _needs("hypertension")["systolic", "diastolic"] == (timedelta(hours=36), True, ("bp_crisis", "bp_mean_high"))
