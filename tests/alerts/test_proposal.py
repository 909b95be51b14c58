"""Individual limits are proposed from what was measured, inside stated bounds, and never applied by themselves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median, stdev

import pytest

from alerts import rulebook
from alerts.arrival import Arrival
from alerts.backtest import candidate
from alerts.bounds import BOUNDS
from alerts.own_levels import own_levels
from alerts.plan import PatientFacts
from alerts.proposal import Kept, Proposal, limits_of, propose
from alerts.rules import Side
from vitals.reading import Extreme, Quality

START = datetime(2026, 3, 1, 23, tzinfo=UTC)  # midnight in Oslo
UNTIL = START + timedelta(days=14)


def plan_of(book, **facts):
    """A plan under that rulebook without slots that nobody keeps."""
    loaded = rulebook.load(book)
    off = {name: {"enabled": False} for name in loaded.table if name.startswith("missing")}
    settings = {"plan_id": "p", "starts_at": START.isoformat()}
    return replace(rulebook.draft(rulebook.merge(loaded, off), settings), facts=PatientFacts(age=71, **facts))


def series(metric, values, *, per_day=1, **more):
    """One reading each of those values, from the first morning on."""
    found = []
    for at, value in enumerate(values):
        taken = START + timedelta(days=at // per_day, hours=8 + at % per_day)
        number = value if isinstance(value, Extreme) else Decimal(str(value))
        found.append(
            Arrival(reading_id=f"{metric}{at}", taken_at=taken, received_at=taken, values={metric: number}, **more)
        )
    return found


def one(book, metric, values, **facts) -> Proposal:
    return propose(plan_of(book, **facts), series(metric, values), UNTIL)


def moved(found: Proposal, rule):
    """(in force, proposed, what held it) of each limit that is proposed for the rule; empty: none."""
    for each in found.rules:
        if each.rule == rule:
            return [(limit.in_force, limit.proposed, limit.held_by) for limit in each.limits]
    return []


def test_nothing_is_known_before_seven_good_values_on_five_days():
    values = [70, 71, 72, 73, 74, 75]
    (level,) = one("covid19", "pulse", values).levels
    assert (level.readings, level.days, level.value) == (6, 6, None)
    found = one("covid19", "pulse", values)
    assert found.kept["pulse_high"] is Kept.NOT_KNOWN
    assert found.rules == found.facts == ()
    seven = propose(plan_of("covid19"), series("pulse", [*values, 76], per_day=2), UNTIL)
    assert [(each.readings, each.days, each.value) for each in seven.levels] == [(7, 4, None)]


def test_the_own_level_is_the_median_and_spread_of_what_it_rests_on():
    values = [70, 74, 71, 73, 72, 90, 71, 200, 60]  # the last two came after it was fixed
    (level,) = one("covid19", "pulse", values).levels
    first = [Decimal(each) for each in values[:7]]
    assert (level.readings, level.days, level.value, level.spread) == (7, 7, median(first), stdev(first))
    assert level.known_from == START + timedelta(days=6, hours=8)


def test_poor_extreme_and_refuted_values_are_no_part_of_it():
    good = series("spo2", [96] * 7)
    poor = series("spo2", [80], quality=Quality.POOR)
    low = [
        replace(each, reading_id="lo", taken_at=each.taken_at + timedelta(hours=1))
        for each in series("spo2", [Extreme.LO])
    ]
    refuted = replace(
        good[5], reading_id="wrong", taken_at=good[5].taken_at - timedelta(minutes=3), values={"spo2": Decimal(91)}
    )
    shifted = [replace(each, reading_id="poor", taken_at=each.taken_at + timedelta(hours=2)) for each in poor]
    levels = own_levels(plan_of("covid19"), [*good, *low, *shifted, refuted], ["spo2"])
    assert (levels["spo2"].readings, levels["spo2"].value, levels["spo2"].spread) == (7, Decimal(96), 0)


@pytest.mark.parametrize(
    ("book", "rule", "metric", "level", "expected"),
    [
        # calm pulse: an alert earlier, but not before the first point of NEWS2
        ("covid19", "pulse_high", "pulse", 60, [(100, 91, "tightest")]),
        ("covid19", "pulse_high", "pulse", 74, [(100, 94, None)]),
        # a quick heart: later, but never into two points, nor past the next band
        ("covid19", "pulse_high", "pulse", 88, [(100, 108, None)]),
        ("covid19", "pulse_high", "pulse", 99, [(100, 110, "loosest")]),
        ("heart_failure", "pulse_low", "pulse", 50, [(50, 41, "loosest")]),
        ("heart_failure", "pulse_low", "pulse", 60, [(50, 45, None)]),
        ("heart_failure", "systolic_low", "systolic", 112, [(100, 92, None)]),
        ("heart_failure", "systolic_low", "systolic", 104, [(100, 91, "loosest")]),
        ("heart_failure", "systolic_low", "systolic", 150, [(100, 110, "tightest")]),
        ("heart_failure", "systolic_high", "systolic", 118, [(160, 150, "tightest")]),
        ("covid19", "temperature_high", "temperature", "36.4", [(Decimal("38.1"), Decimal("37.8"), "tightest")]),
        ("covid19", "spo2_low", "spo2", 99, [(94, 95, "tightest")]),
    ],
)
def test_the_mildest_limit_follows_the_own_level_within_its_bounds(book, rule, metric, level, expected):
    found = one(book, metric, [level] * 7)
    assert moved(found, rule) == expected


@pytest.mark.parametrize(
    ("book", "rule", "metric", "level", "expected"),
    [
        ("covid19", "pulse_high", "pulse", 79, Kept.FITS),
        ("heart_failure", "systolic_high", "systolic", 160, Kept.NOT_LOOSER),  # what is treated is no normal
        ("covid19", "temperature_high", "temperature", "37.4", Kept.NOT_LOOSER),
        ("covid19", "spo2_low", "spo2", 95, Kept.NEEDS_FLOOR),
        ("covid19", "spo2_low", "spo2", 97, Kept.FITS),
        ("copd", "spo2_low", "spo2", 90, Kept.FOLLOWS),
        ("frail", "temperature_rise", "temperature", "36.4", Kept.FOLLOWS),
    ],
)
def test_what_is_not_proposed_says_why(book, rule, metric, level, expected):
    found = one(book, metric, [level] * 7)
    assert moved(found, rule) == []
    assert found.kept[rule] is expected


def test_a_wide_spread_moves_the_limit_further_out():
    found = one("covid19", "pulse", [70, 82, 71, 83, 70, 82, 76])
    spread = found.levels[0].spread
    assert Decimal(6) < spread < Decimal(7)
    assert found.kept["pulse_high"] is Kept.FITS  # 76 and twenty are 96, three spreads no more than that
    wide = one("covid19", "pulse", [66, 86, 67, 85, 66, 86, 76])
    assert moved(wide, "pulse_high") == [(100, 106, None)]


def test_saturation_goes_lower_only_down_from_a_prescribed_floor():
    for level in range(84, 96):
        assert moved(one("covid19", "spo2", [level] * 7), "spo2_low") == []
        assert moved(one("covid19", "spo2", [level] * 7, spo2_scale=2), "spo2_low") == []
    found = one("covid19", "spo2", [91] * 7, spo2_floor=Decimal(84), spo2_scale=2)
    assert moved(found, "spo2_low") == [(94, 88, None), (92, 85, None)]
    near = one("covid19", "spo2", [87] * 7, spo2_floor=Decimal(84))
    assert moved(near, "spo2_low") == [(94, 85, "floor"), (92, 84, "floor")]
    (rule,) = near.rules
    assert rule.is_looser


LEVELS = {"spo2": (84, 93, 99), "temperature": (35, 38), "respiration": (10, 24)}


@pytest.mark.parametrize("book", ["covid19", "heart_failure"])
def test_no_proposal_leaves_its_bounds_whatever_was_measured(book):
    """Inside the bounds, looser than in force only where it may be, and a plan that can be read."""
    for metric in {metric for metric, _ in BOUNDS}:
        for level in LEVELS.get(metric, (40, 62, 96, 125, 170)):
            found = propose(plan_of(book), series(metric, [level, level + 1] * 4), UNTIL)
            for each in found.rules:
                outward = 1 if each.side is Side.ABOVE else -1
                (limit,) = each.limits
                loosest = limit.in_force if each.bound.loosest is None else each.bound.loosest
                assert (limit.proposed - each.bound.tightest) * outward >= 0
                assert limit.proposed * outward <= max(loosest * outward, limit.in_force * outward)
                judged = candidate(found.plan, None, limits_of(found.plan, found.rules))
                assert judged.rules[each.rule].individual


def test_limits_that_somebody_has_set_are_left_alone():
    book = rulebook.load("covid19")
    own = rulebook.merge(book, {"pulse_high": {"bands": [{"limit": 105, "priority": "medium"}]}})
    plan = rulebook.draft(own, {"plan_id": "p", "starts_at": START.isoformat()})
    found = propose(plan, series("pulse", [60] * 7), UNTIL)
    assert (found.rules, found.kept["pulse_high"]) == ((), Kept.INDIVIDUAL)


def test_a_fever_after_chemotherapy_and_a_low_glucose_are_never_moved():
    assert one("cancer", "temperature", ["36.0"] * 7).rules == ()
    assert one("diabetes", "glucose", ["12.0"] * 7).rules == ()
    assert one("hypertension", "diastolic", [100] * 7).rules == ()


def test_baseline_and_spread_are_proposed_for_the_rules_that_count_from_them():
    (baseline, spread) = one("heart_failure", "weight", [82, "82.4", "81.8", "82.2", 82, "82.1", "81.9"]).facts
    assert (baseline.fact, baseline.proposed, baseline.in_force) == ("baseline", Decimal("82.0"), None)
    assert baseline.rules == ("weight_trend",)
    assert (spread.fact, spread.proposed) == ("spread", Decimal("0.4"))  # steadier than the rule's least
    wild = one("heart_failure", "weight", [80, 84, 80, 84, 80, 84, 82], baseline={"weight": Decimal(81)}).facts
    assert [(each.fact, each.proposed, each.in_force) for each in wild] == [
        ("baseline", Decimal("82.0"), Decimal(81)),
        ("spread", Decimal("1.0"), None),
    ]


def test_the_same_readings_say_what_it_would_have_meant():
    days = [*([88] * 7), 103, 88, 88, 104, 88, 88]
    found = one("covid19", "pulse", days)
    assert moved(found, "pulse_high") == [(100, 108, None)]
    assert found.trial is not None
    assert found.trial.in_force.episodes.get("pulse_high") == 2
    assert found.trial.candidate.episodes.get("pulse_high", 0) == 0
    calm = one("covid19", "pulse", [*([60] * 7), 95, 60, 60])
    assert calm.trial is not None
    assert (calm.trial.in_force.episodes.get("pulse_high", 0), calm.trial.candidate.episodes["pulse_high"]) == (0, 1)


def test_asking_changes_nothing_and_the_order_of_readings_does_not_matter():
    plan, readings = plan_of("covid19"), series("pulse", [88, 90, 86, 88, 87, 89, 88, 104])
    first = propose(plan, readings, UNTIL)
    assert propose(plan, list(reversed(readings)), UNTIL) == first
    assert plan.individual == tuple(name for name in plan.table if name.startswith("missing"))
    assert not plan.rules["pulse_high"].individual
