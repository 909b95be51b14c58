"""The real engine under the arm's nurse: second measurements, clicks, and what is counted of it."""

from dataclasses import replace
from itertools import pairwise

from alerts.priority import Priority
from benchmarks.rules.arms import plan
from benchmarks.rules.life import KEPT, live
from benchmarks.rules.people import moment
from tests.benchmarks.rules.people import at, measured, person


def episodes(who, rule, book="heart_failure", limits=None):
    return [each for each in live(who, plan(who, book, limits or {})) if each.rule == rule]


def test_a_second_measurement_takes_a_lone_outlier_back():
    first, second = measured(0, pulse=125, systolic=120), measured(0, 488, pulse=80, systolic=120)
    alone = person([first], days=2)
    answers = replace(alone, again={first.reading_id: second})
    assert [each.highest for each in episodes(alone, "pulse_high")] == [Priority.HIGH]  # silence confirms
    assert episodes(answers, "pulse_high") == []


def test_what_holds_is_closed_after_three_days_and_comes_again():
    who = person([measured(day, systolic=95, pulse=70) for day in range(12)], days=12)
    found = episodes(who, "systolic_low")
    assert len(found) == 4  # closed on Thursday, Monday and Friday mornings, raised again twelve hours later
    assert all(later.began_at - earlier.began_at >= KEPT for earlier, later in pairwise(found))


def test_limits_of_the_persons_own_keep_it_quiet():
    who = person([measured(day, systolic=95, pulse=70) for day in range(12)], days=12)
    bands = {"bands": [{"limit": 90, "priority": "medium"}, {"limit": 84, "priority": "high"}]}
    assert episodes(who, "systolic_low", limits={"systolic_low": bands}) == []


def test_missing_weights_are_low_and_medium_after_two():
    who = person([measured(0, weight=80), measured(3, weight=80)], days=4)
    (found,) = episodes(who, "missing_weight")
    assert (found.began_at, found.highest) == (at(1, 12 * 60), Priority.MEDIUM)


def test_in_hospital_nothing_is_missed():
    who = person([measured(0, weight=80), measured(9, weight=80)], days=9, events=[1.01])
    assert episodes(who, "missing_weight") == []
    assert who.until == moment(9)
