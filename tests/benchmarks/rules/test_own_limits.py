"""Limits by formula: from the start-up alone, away from normal, within bounds."""

from benchmarks.rules.arms import plan
from benchmarks.rules.own_limits import copd, covid19, heart_failure
from tests.benchmarks.rules.people import measured, person

LOW = person([measured(day, systolic=104, pulse=92, weight=80 + 0.1 * (day % 2)) for day in range(14)])


def limit(limits, rule):
    return [band["limit"] for band in limits[rule]["bands"]]


def test_limits_follow_the_persons_own_level():
    own = heart_failure(LOW)
    assert limit(own, "systolic_low") == [88, 82]  # not below 88, whatever the level
    assert limit(own, "pulse_high") == [112, 127]
    assert limit(own, "pulse_low") == [50, 40]
    assert own["weight_gain_3d"] == {"more_than": 2.0}  # never tighter than shipped
    assert own["weight_trend"] == {"enabled": True}
    assert plan(LOW, "heart_failure", own).individual == tuple(sorted(own))


def test_who_comes_and_goes_by_much_is_judged_by_that():
    restless = person([measured(day, weight=80 + (day % 3)) for day in range(14)])
    own = heart_failure(restless)
    assert own["weight_gain_3d"]["more_than"] == 3.5
    assert own["weight_trend"] == {"enabled": False}


def test_only_the_start_up_is_looked_at():
    later = person([*LOW.arrivals, *(measured(day, systolic=160, pulse=50, weight=99) for day in range(14, 40))])
    assert heart_failure(later) == heart_failure(LOW)


def test_no_start_up_no_limits():
    assert heart_failure(person()) == {}
    assert copd(person()) == {}


def test_the_limits_of_every_book_can_be_used():
    breathless = person([measured(day, spo2=91 - day % 3, pulse=80) for day in range(14)])
    assert limit(copd(breathless), "spo2_low") == [86, 84]
    plan(breathless, "copd", copd(breathless))
    assert plan(breathless, "covid19", covid19(breathless)).rules["spo2_low"].bands[0].readings == 2
