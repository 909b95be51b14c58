"""The made-up people have the stated statistics, within what their number allows; and are the same every time."""

from datetime import timedelta
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from benchmarks.rules import copd, covid, heart_failure, stated
from benchmarks.rules.cohorts import COHORTS
from benchmarks.rules.heart_failure import DRIFT, OTHER_DRIFT, Noise
from benchmarks.rules.people import DAY, chance
from vitals.reading import Quality

SEED = 20261122


@pytest.fixture(scope="module")
def hearts():
    return list(heart_failure.cohort(SEED, 56))


def test_heart_failure_has_its_events_in_a_third_of_the_people(hearts):
    assert (len(hearts), sum(len(each.events) for each in hearts)) == (56, 15)
    assert sum(len(each.others) for each in hearts) == 25
    assert (heart_failure.PEOPLE, heart_failure.EVENTS, heart_failure.OTHERS, heart_failure.DAYS) == (168, 45, 76, 120)
    for each in hearts:
        ends = sorted([*each.events, *each.others])
        assert all(later - earlier >= timedelta(days=27) for earlier, later in pairwise(ends))
        assert not any(stay.holds(arrival.taken_at) for stay in each.stays for arrival in each.arrivals)


def test_the_drift_before_events_is_as_published():
    luck = chance(SEED, "drift")
    for (mean, spread), is_heart_failure in ((DRIFT, True), (OTHER_DRIFT, False)):
        drifts = [heart_failure._turn(luck, is_heart_failure, []).drift for _ in range(2000)]
        assert fmean(drifts) == pytest.approx(mean, abs=0.15)
        assert pstdev(drifts) == pytest.approx(spread, abs=0.1)
    assert (DRIFT, OTHER_DRIFT) == ((0.9, 2.1), (-0.2, 1.1))


def test_the_drift_is_in_the_weights():
    turn = heart_failure.Turn(day=40, is_heart_failure=True, drift=3.0, bend=1.0)
    assert [turn.reached(day) for day in (25, 26, 33, 40, 41)] == [0.0, 0.0, 0.5, 1.0, 0.0]


def test_a_tenth_is_missing_and_some_is_wrong(hearts):
    found = stated.samples(hearts, "heart_failure")
    assert 1 - fmean(found["readings a due one"]) == pytest.approx(0.10, abs=0.015)
    weights = [
        abs(float(arrival.values["weight"]) - each.usual["weight"])
        for each in hearts
        for arrival in each.arrivals
        if "weight" in arrival.values
    ]
    far = fmean(each > 7 for each in weights)  # beyond any drift: somebody else
    assert far == pytest.approx(0.01, abs=0.005)


def test_the_noise_of_weight_is_as_stated():
    luck = chance(SEED, "noise")
    levels = [heart_failure._coming_and_going(luck, 0.8, 0.4) for _ in range(60)]
    every = [each for series in levels for each in series]
    steps = [after - before for series in levels for before, after in pairwise(series)]
    assert pstdev(every) == pytest.approx(0.8, abs=0.03)
    assert pstdev(steps) == pytest.approx(0.8 * (2 * (1 - 0.4)) ** 0.5, abs=0.03)
    assert 0.5 <= Noise().between[0] <= Noise().between[1] <= 0.8


def test_copd_unsettles_before_exacerbations():
    people = list(copd.cohort(SEED, 25))
    found = stated.samples(people, "copd")
    assert sum(len(each.events) for each in people) == 10
    assert fmean(found["spread well"]) < 2.5  # 2 at most, and what goes wrong in measuring
    assert fmean(found["spread before"]) == pytest.approx(4.5, abs=0.8)


def test_covid_gets_worse_as_in_the_story():
    people = list(covid.cohort(SEED, 40))
    ill = [each for each in people if each.events]
    assert len(ill) == 6
    falls = []
    for each in ill:
        last = [arrival for arrival in each.arrivals if each.until - arrival.taken_at < timedelta(hours=16)]
        values = [float(arrival.values["spo2"]) for arrival in last if "spo2" in arrival.values]
        falls += [value - each.usual["spo2"] for value in values]
    assert fmean(falls) == pytest.approx(-5.2, abs=1.5)
    well = [each for each in people if not each.events]
    noise = [
        float(arrival.values["spo2"]) - each.usual["spo2"]
        for each in well
        for arrival in each.arrivals
        if "spo2" in arrival.values and arrival.quality is Quality.GOOD
    ]
    assert pstdev(noise) == pytest.approx(2.0, abs=0.4)  # cut off at 100, widened by artefacts


@pytest.mark.parametrize("name", COHORTS)
def test_the_same_seed_gives_the_same_people(name):
    make = COHORTS[name].make
    assert list(make(3, 10)) == list(make(3, 10))
    assert list(make(3, 10)) != list(make(4, 10))


def test_whoever_is_asked_again_measures_soon_after(hearts):
    first = hearts[0]
    share = len(first.again) / len(first.arrivals)
    assert share == pytest.approx(0.7, abs=0.1)
    for reading_id, second in first.again.items():
        taken = next(each for each in first.arrivals if each.reading_id == reading_id)
        assert timedelta(minutes=5) < second.taken_at - taken.taken_at < timedelta(minutes=15)
    assert first.followed <= 120 * DAY
