"""Counting, on cases small enough to count by hand."""

import pytest

from alerts.episodes import Episode
from alerts.priority import Priority
from benchmarks.rules.intervals import figures, quantile
from benchmarks.rules.measures import NAMES, Counted, Window, alone, count, leads, rate
from benchmarks.rules.said import from_episodes
from tests.benchmarks.rules.people import at, person, said

WINDOW = Window(days=14, start_up_days=14)


def test_an_event_is_caught_by_a_manual_alert_about_the_person_in_its_window():
    ill = person(events=[40])
    for caught, alerts in (
        (1, [said(26)]),
        (1, [said(39.9)]),
        (0, [said(25.9)]),
        (0, [said(40)]),  # at the event it is no news
        (0, [said(30, priority=Priority.LOW)]),
        (0, [said(30, rule="missing_weight")]),
        (0, [said(30, rule="quarantined")]),
    ):
        assert count(ill, alerts, WINDOW).caught == caught, alerts


def test_the_lead_is_that_of_the_first_alert_of_the_window():
    assert leads(person(events=[40]), [said(20), said(30), said(39)], WINDOW) == [10.0]


def test_true_and_false_alerts_and_what_all_of_it_costs():
    ill = person(days=60, events=[40])
    alerts = [
        said(5),
        said(5, rule="pulse_high", priority=Priority.HIGH, minute=8 * 60 + 30),
        said(30),
        said(50, rule="missing_weight", priority=Priority.LOW),
        said(51, rule="missing_weight"),
    ]
    found = count(ill, alerts, WINDOW)
    assert (found.true, found.false) == (1, 2)
    assert (found.said, found.manual) == (5, 4)
    assert (found.groups, found.manual_groups) == (4, 3)
    assert found.minutes == 15 + 6 + 2.5 + 6
    assert found.days == pytest.approx(53, abs=0.05)  # seven days in hospital, and the hour of summer time


def test_quiet_stretches_lie_apart_from_events_and_hospital():
    assert count(person(days=60), [], WINDOW).quiet_spells == 3  # days 14, 28, 42
    assert count(person(days=60), [said(20), said(21), said(45), said(3)], WINDOW).disturbed == 2
    assert count(person(days=60, events=[40]), [said(15)], WINDOW).quiet_spells == 0
    assert count(person(days=90, events=[45]), [said(15)], WINDOW).quiet_spells == 3  # days 14, 56, 70


def test_a_groups_cost_is_a_rules_own_when_nothing_else_manual_is_in_it():
    alerts = [
        said(1),
        said(2),
        said(2, rule="pulse_high"),
        said(3),
        said(3, rule="missing_weight", priority=Priority.LOW),
    ]
    assert alone(alerts, "weight_gain_3d") == 2
    assert alone(alerts, "pulse_high") == 0


def test_a_rise_within_an_episode_is_a_call_of_its_own():
    steps = ((at(1), Priority.MEDIUM), (at(2), Priority.HIGH), (at(3), Priority.MEDIUM), (at(4), Priority.HIGH))
    found = from_episodes([Episode(rule="pulse_high", began_at=at(1), ended_at=None, steps=steps)])
    assert [(each.at, each.priority) for each in found] == [(at(1), Priority.MEDIUM), (at(2), Priority.HIGH)]


def test_rates_of_sums():
    sums = Counted(days=730.5, events=4, caught=3, true=1, false=9, manual_groups=73, minutes=1461.0).numbers()
    found = {name: rate(name, sums) for name in ("sensitivity", "ppv", "false_a_year", "groups_a_day", "minutes_a_day")}
    assert found == pytest.approx(
        {"sensitivity": 0.75, "ppv": 0.1, "false_a_year": 4.5, "groups_a_day": 73 / 730.5, "minutes_a_day": 2.0}
    )
    assert rate("sensitivity", Counted(days=1.0).numbers()) is None


def test_quantiles_between_neighbours():
    assert [quantile([1.0, 2.0, 4.0], share) for share in (0, 0.25, 0.5, 0.75, 1)] == [1.0, 1.5, 2.0, 3.0, 4.0]


def test_an_interval_holds_its_figure_and_narrows_with_more_people():
    caught = Counted(days=100.0, events=1, caught=1).numbers()
    missed = Counted(days=100.0, events=1).numbers()
    few, many = (figures([caught, missed] * times, seed=1, resamples=200)["sensitivity"] for times in (5, 80))
    assert few.value == many.value == 0.5
    assert few.low < many.low < 0.5 < many.high < few.high
    assert figures([caught, missed] * 5, seed=1, resamples=200)["sensitivity"] == few


def test_people_are_drawn_whole():
    people = [Counted(days=1.0, events=1, caught=1, manual_groups=1).numbers()] * 3
    found = figures(people, seed=1, resamples=50)
    assert (found["sensitivity"].low, found["sensitivity"].high) == (1.0, 1.0)
    assert (found["groups_a_day"].low, found["groups_a_day"].high) == (1.0, 1.0)
    assert len(NAMES) == len(people[0])
