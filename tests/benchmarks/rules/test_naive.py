"""The naive arms on series made by hand, by the limits of the shipped rulebooks."""

from datetime import timedelta

from alerts.priority import Priority
from benchmarks.rules.naive import GAIN, limits, open_tele, things_board, traffic_light
from tests.benchmarks.rules.people import at, measured, person, weighed

MEDIUM, HIGH, LOW = Priority.MEDIUM, Priority.HIGH, Priority.LOW


def told(found):
    return [(each.rule, each.priority) for each in found]


def test_limits_are_those_of_the_rulebook_without_what_needs_a_baseline():
    covid = {each.rule: each for each in limits("covid19")}
    assert covid["spo2_low"].bands == ((94, MEDIUM), (92, HIGH))
    assert "spo2_drop" not in covid
    assert GAIN not in covid
    assert GAIN in {each.rule for each in limits("heart_failure")}


def test_the_traffic_light_says_every_value_every_time():
    ill = person([measured(0, pulse=101, systolic=120), measured(1, pulse=101), measured(2, pulse=125, systolic=85)])
    assert told(traffic_light(ill, "heart_failure")) == [
        ("pulse_high", MEDIUM),
        ("pulse_high", MEDIUM),
        ("pulse_high", HIGH),
        ("systolic_low", HIGH),
    ]


def test_the_traffic_light_sees_more_than_two_kilograms_in_three_days():
    assert told(traffic_light(person(weighed([80, 80.5, 81, 82])), "heart_failure")) == []
    assert told(traffic_light(person(weighed([80, 80.5, 81, 82.1])), "heart_failure")) == [(GAIN, MEDIUM)]


def test_one_colour_a_submission_and_blue_for_a_missed_deadline():
    ill = person([measured(0, weight=80), measured(2, weight=80), measured(2, 481, pulse=125, systolic=99)], days=3)
    found = open_tele(ill, "heart_failure")
    assert told(found) == [("missing_weight", LOW), ("submission", HIGH)]
    assert found[0].at == at(1, 12 * 60)  # the slot's end and its grace


def test_nothing_is_owed_in_hospital():
    ill = person([measured(0, weight=80)], days=5, events=[0.9])
    assert open_tele(ill, "heart_failure") == ()


def test_the_duration_rule_waits_and_says_it_once():
    duration = timedelta(hours=20)
    pulses = [101, 90, 101, 101, 101, 121, 121, 97, 101, 101, 94, 101, 101]
    ill = person([measured(day, pulse=pulse) for day, pulse in enumerate(pulses)])
    found = things_board(ill, "heart_failure", duration)
    assert [(each.at, each.priority) for each in found] == [
        (at(3), MEDIUM),
        (at(5), HIGH),
        (at(12), MEDIUM),  # 97 lies inside but not by the margin: still the same alert; 94 closed it
    ]
