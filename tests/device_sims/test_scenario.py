"""Scenarios are pure: the same seed and window give the same life, and each keeps the promise it is named for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from device_sims.scenario import FOLDER, CapturedFrame, Life, ScenarioError, load, plan

OSLO = ZoneInfo("Europe/Oslo")
BEGAN = datetime(2026, 11, 22, 6, 20, tzinfo=UTC)  # 07:20 in Oslo
OXIMETER, SCALE = "02:56:41:10:00:01", "02:56:41:10:00:02"
NAMES = sorted(each.stem for each in FOLDER.glob("*.toml"))


def life(name, seed=11, **more):
    return Life(**({"key": "kari", "scenario": load(name), "seed": seed, "zone": OSLO, "began": BEGAN} | more))


def days(name, kind, number, seed=11, **more):
    address = SCALE if kind == "scale" else OXIMETER
    return list(plan(life(name, seed, **more), address, kind, (BEGAN, BEGAN + timedelta(days=number))))


def number_at(frame, offset):
    return int.from_bytes(frame[offset : offset + 2], "little")


def test_the_seven_lives_are_there():
    assert NAMES == [
        "captured_frames",
        "covid_decline",
        "forgets_to_measure",
        "heart_failure_gain",
        "pressure_rising",
        "stable",
        "sugar_swings",
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["oximeter", "scale"])
def test_the_same_seed_gives_the_same_bytes_however_the_window_is_cut(name, kind):
    whole = days(name, kind, 6)
    address = SCALE if kind == "scale" else OXIMETER
    cuts = [BEGAN + timedelta(hours=5 * each) for each in range(29)] + [BEGAN + timedelta(days=6)]
    pieces = [each for start, end in pairwise(cuts) for each in plan(life(name), address, kind, (start, end))]
    assert sorted(pieces, key=lambda each: each.at) == whole
    assert [each.at for each in whole] == sorted({each.at for each in whole})


def test_another_seed_is_another_person():
    assert days("stable", "oximeter", 3, seed=1) != days("stable", "oximeter", 3, seed=2)


@pytest.mark.parametrize("seed", range(8))
def test_who_is_worst_off_measures_87_within_20_seconds(seed):
    first = days("covid_decline", "oximeter", 1, seed=seed)[0]
    assert timedelta(0) < first.at - BEGAN < timedelta(seconds=20)
    assert number_at(first.frame, 1) == 87


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", ["stable", "heart_failure_gain"])
def test_the_others_follow_within_the_first_hour(name, seed):
    first = days(name, "scale", 1, seed=seed)[0]
    assert timedelta(seconds=60) < first.at - BEGAN <= timedelta(hours=1)


@pytest.mark.parametrize("seed", range(8))
def test_a_failing_heart_gains_more_than_two_kilograms_in_three_days(seed):
    weights = {each.at: number_at(each.frame, 1) * Decimal("0.005") for each in days("heart_failure_gain", "scale", 4)}
    first = min(weights)
    late = [weight for at, weight in weights.items() if at - first > timedelta(days=2, hours=12)]
    assert max(late) - weights[first] > Decimal("2.0")


def test_a_known_baseline_is_where_the_weight_begins():
    first = days("heart_failure_gain", "scale", 1, baselines=(("weight", Decimal("90.0")),))[0]
    assert abs(number_at(first.frame, 1) * Decimal("0.005") - 90) < Decimal("0.5")


def test_a_stable_person_stays_inside_the_limits():
    frames = [each.frame for each in days("stable", "oximeter", 30)]
    assert min(number_at(frame, 1) for frame in frames) > 94
    assert max(number_at(frame, 3) for frame in frames) < 100
    assert 80 <= len(frames) <= 90  # three a day, hardly any missed


def test_who_forgets_misses_most_slots_and_does_not_begin_at_once():
    moments = [each.at for each in days("forgets_to_measure", "oximeter", 30, seed=23)]
    assert 10 <= len(moments) <= 35
    assert moments[0] - BEGAN > timedelta(hours=1)


@pytest.mark.parametrize("name", ["stable", "covid_decline", "forgets_to_measure"])
def test_people_measure_in_their_slots_of_the_wall_clock_also_over_summer_time(name):
    began = datetime(2026, 10, 22, 5, 0, tzinfo=UTC)  # summer time ends on the 25th
    window = (began + timedelta(hours=2), began + timedelta(days=7))
    for each in plan(life(name, began=began), OXIMETER, "oximeter", window):
        hour = each.at.astimezone(OSLO).hour
        assert 7 <= hour < 10 or 13 <= hour < 16 or 19 <= hour < 22


def test_captured_frames_are_replayed_byte_for_byte_with_their_source():
    scenario = load("captured_frames")
    assert all(isinstance(each, CapturedFrame) and "@" in each.source for each in scenario.frames)
    assert {each.kind for each in scenario.frames} <= {"captured", "test vector"}
    replayed = days("captured_frames", "scale", 4)
    assert {each.frame for each in replayed} == {
        each.frame for each in scenario.frames if each.characteristic == "2A9D"
    }
    assert replayed[0].frame.hex() == "0e205cea07070e1729200140018007"
    assert {each.characteristic for each in days("captured_frames", "oximeter", 4)} == {"2A5F"}


def test_a_rising_pressure_is_past_the_limit_in_the_second_week_and_very_high_once():
    pressures = {each.at: number_at(each.frame, 1) for each in days("pressure_rising", "cuff", 14)}
    late = [systolic for at, systolic in pressures.items() if at - BEGAN > timedelta(days=7)]
    assert sum(late) / len(late) > 135
    assert max(pressures.values()) >= 160


@pytest.mark.parametrize("seed", range(4))
def test_a_swinging_glucose_is_too_low_once_and_too_high_for_a_while(seed):
    records = [each for each in days("sugar_swings", "glucometer", 9, seed) if each.characteristic == "2A18"]
    values = [Decimal(number_at(each.frame, 12) & 0x0FFF) / 10 for each in records]  # SFLOAT, in 1e-4 mol/L
    assert min(values) < Decimal("4.5")
    assert max(values) > 14
    numbers = [number_at(each.frame, 1) for each in records]
    assert numbers == sorted(set(numbers))


def test_one_use_of_a_device_may_leave_two_records():
    uses = days("stable", "body_scale", 3)
    assert [each.characteristic for each in uses] == ["2A9D", "2A9C"] * (len(uses) // 2)
    assert [each.at for each in uses[::2]] == [each.at for each in uses[1::2]]


def test_a_device_s_own_clock_stamps_what_it_says():
    window = (BEGAN, BEGAN + timedelta(days=1))
    told = plan(life("stable"), OXIMETER, "thermometer", window, lambda _at: datetime.fromisoformat("2020-02-02T02:02"))
    assert next(told).frame[5:12].hex() == "e4070202020200"


def test_an_unknown_scenario_is_named_with_the_known_ones():
    with pytest.raises(ScenarioError, match=r"'unwell'; known: captured_frames, covid_decline"):
        load("unwell")
