"""The published weight rules on series made by hand."""

import pytest

from benchmarks.rules.people import START
from benchmarks.rules.weight_rules import control_chart, daily, macd, rule_of_thumb
from tests.benchmarks.rules.people import measured, weighed


def days(found):
    return [(each.at.astimezone(START.tzinfo).date() - START.date()).days for each in found]


def weights(values, *, screened=False):
    return daily(weighed(values), screened=screened)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([80.0, 81.3], []),
        ([80.0, 81.36], [1]),
        ([80.0, 81.35], []),
        ([80.0, None, 81.4], []),  # no weight the day before
        ([80.0, 81.4, 82.8, 82.8], [1, 2]),
    ],
)
def test_a_day_to_day_gain(values, expected):
    assert days(rule_of_thumb(weights(values), days=1, kg=1.36)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([80.0, 80.5, 81.5, 82.27], [3]),
        ([80.0, 80.5, 81.5, 82.26], []),
        ([80.0, 80.9, 80.9, 80.9, 82.3], []),  # the low day is four days back
        ([80.0, None, None, 82.3], [3]),
    ],
)
def test_a_gain_over_three_days(values, expected):
    assert days(rule_of_thumb(weights(values), days=3, kg=2.27)) == expected


def test_the_moving_average_speaks_once_until_it_has_come_back():
    values = [80.0] * 10 + [81.0] * 3 + [80.0] * 12 + [81.0] * 3
    assert days(macd(weights(values), raise_kg=0.5)) == [12, 27]  # 2 of 3 up: 0.67 - 0.2; all 3 up: 1.0 - 0.3
    assert macd(weights(values[:10]), raise_kg=0.5) == ()


def test_the_chart_knows_the_persons_own_spread():
    steady = [80.0, 80.1, 80.2] * 10
    restless = [79.0, 80.0, 81.0] * 10
    rise = [81.0] * 6
    assert days(control_chart(weights(steady + rise))) == [30]
    assert control_chart(weights(restless + rise)) == ()
    assert control_chart(weights(steady[:12] + rise)) == ()  # too little to know


def test_gross_errors_are_left_out_when_screened():
    values = [80.0, 95.0, 80.1]
    assert [each.kg for each in weights(values)] == values
    assert [each.kg for each in weights(values, screened=True)] == [80.0, 80.1]
    assert [each.kg for each in weights([80.0, None, None, 95.0], screened=True)] == [80.0, 95.0]  # too long ago


def test_only_the_first_weight_of_a_day_counts():
    arrivals = (measured(0, weight=80.0), measured(0, 600, weight=90.0), measured(1, weight=81.0))
    assert [each.kg for each in daily(arrivals, screened=False)] == [80.0, 81.0]
