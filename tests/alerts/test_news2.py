"""Every cell and every boundary of the NEWS2 chart, both scales, as printed.

Source: RCP NEWS2 2017, chart 1 (the scoring system; scale 2 for hypercapnic respiratory failure, target 88-92 %).
"""

from decimal import Decimal

import pytest

from alerts import news2
from alerts.plan import PatientFacts
from alerts.score import count

# Parameter -> the printed cells: lowest and highest value of the cell, points. None: no end.
CHART = {
    "RESPIRATION": ((None, 8, 3), (9, 11, 1), (12, 20, 0), (21, 24, 2), (25, None, 3)),
    "SPO2_SCALE_1": ((None, 91, 3), (92, 93, 2), (94, 95, 1), (96, None, 0)),
    "SPO2_SCALE_2_ON_AIR": ((None, 83, 3), (84, 85, 2), (86, 87, 1), (88, 92, 0), (93, None, 0)),
    "SPO2_SCALE_2_ON_OXYGEN": (
        (None, 83, 3),
        (84, 85, 2),
        (86, 87, 1),
        (88, 92, 0),
        (93, 94, 1),
        (95, 96, 2),
        (97, None, 3),
    ),
    "SYSTOLIC": ((None, 90, 3), (91, 100, 2), (101, 110, 1), (111, 219, 0), (220, None, 3)),
    "PULSE": ((None, 40, 3), (41, 50, 1), (51, 90, 0), (91, 110, 1), (111, 130, 2), (131, None, 3)),
    "CONSCIOUSNESS": ((0, 0, 0), (1, None, 3)),
    "TEMPERATURE": (
        (None, "35.0", 3),
        ("35.1", "36.0", 1),
        ("36.1", "38.0", 0),
        ("38.1", "39.0", 1),
        ("39.1", None, 2),
    ),
}
CELLS = [
    (name, value, points)
    for name, cells in CHART.items()
    for low, high, points in cells
    for value in ("-Infinity" if low is None else low, "Infinity" if high is None else high)
]
CALM = {
    "respiration": 16,
    "spo2": 97,
    "systolic": 120,
    "pulse": 70,
    "consciousness": 0,
    "temperature": "37.0",
    "oxygen_flow": 0,
}


@pytest.mark.parametrize(("name", "value", "points"), CELLS)
def test_both_ends_of_every_cell(name, value, points):
    assert getattr(news2, name).score(Decimal(value)) == points


@pytest.mark.parametrize("name", CHART)
def test_cells_leave_no_gap(name):
    column = getattr(news2, name)
    for (_, high, points), (low, _, following) in zip(CHART[name], CHART[name][1:], strict=False):
        step = Decimal(low) - Decimal(high)
        assert step == (Decimal("0.1") if name == "TEMPERATURE" else 1)
        assert (column.score(Decimal(high)), column.score(Decimal(low))) == (points, following)


def test_oxygen_gives_two_points():
    assert news2.ON_OXYGEN == 2


def scored(facts=None, **values):
    given = {**CALM, **values}
    return count({name: Decimal(value) for name, value in given.items() if value is not None}, facts or PatientFacts())


def test_the_sum_of_all_seven():
    points = scored(respiration=25, spo2=91, systolic=90, pulse=131, consciousness=1, temperature="39.1", oxygen_flow=2)
    assert points is not None
    assert (points.sum, points.upper, points.missing) == (19, 19, ())  # 20 is only reached below 35.0
    assert points.singles == ("respiration", "systolic", "pulse", "consciousness", "spo2")
    cold = scored(respiration=25, spo2=91, systolic=90, pulse=131, consciousness=1, temperature="35.0", oxygen_flow=2)
    assert cold is not None
    assert cold.sum == 20


@pytest.mark.parametrize(
    ("missing", "upper"),
    [(("pulse",), 3), (("oxygen_flow",), 2), (("pulse", "temperature"), 6), (("spo2", "oxygen_flow"), 5)],
)
def test_the_missing_add_what_they_could(missing, upper):
    points = scored(**dict.fromkeys(missing))
    assert points is not None
    assert (points.sum, points.upper) == (0, upper)
    assert points.missing == tuple(sorted("oxygen" if name == "oxygen_flow" else name for name in missing))
    assert points.upper_single is (missing != ("oxygen_flow",))


def test_four_of_seven_say_nothing():
    assert scored(pulse=None, spo2=None, temperature=None) is None
    assert scored(pulse=None, spo2=None) is not None


def test_scale_2_depends_on_oxygen():
    on_scale_2 = PatientFacts(spo2_scale=2)
    air, oxygen, unknown = (scored(on_scale_2, spo2=97, oxygen_flow=flow) for flow in (0, 2, None))
    assert air is not None
    assert oxygen is not None
    assert unknown is not None
    assert (air.sum, air.upper) == (0, 0)
    assert (oxygen.sum, oxygen.singles) == (5, ("spo2",))
    assert (unknown.sum, unknown.upper, unknown.upper_single, unknown.singles) == (0, 5, True, ())
    low = scored(on_scale_2, spo2=86, oxygen_flow=None)
    assert low is not None
    assert (low.sum, low.upper, low.upper_single) == (1, 3, False)


def test_the_plan_says_whether_there_is_oxygen_where_no_flow_was_measured():
    points = scored(PatientFacts(on_oxygen=True), oxygen_flow=None)
    assert points is not None
    assert (points.sum, points.missing) == (2, ())
