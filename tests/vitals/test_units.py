"""Conversions are exact where arithmetic allows it, and a unit is never guessed."""

from decimal import Decimal

import pytest

from vitals.metrics import METRICS, UnknownMetricError, metric
from vitals.units import UnitError, to_canonical, units_of


@pytest.mark.parametrize(
    ("name", "value", "unit", "shown"),
    [
        ("glucose", "53", "mg/dL", "2.9"),
        ("glucose", "120", "mg/dL", "6.7"),
        ("glucose", "0.00120", "kg/L", "6.7"),
        ("glucose", "0.0056", "mol/L", "5.6"),
        ("weight", "260", "[lb_av]", "117.9"),
        ("weight", "12", "[stone_av]", "76.2"),
        ("weight", "80500", "g", "80.5"),
        ("temperature", "98.6", "[degF]", "37.0"),
        ("temperature", "100.6", "[degF]", "38.1"),
        ("systolic", "18.9", "kPa", "142"),
        ("diastolic", "11", "kPa", "83"),
        ("spo2", "93", "%", "93"),
    ],
)
def test_a_value_in_a_foreign_unit(name: str, value: str, unit: str, shown: str) -> None:
    assert metric(name).rounded(to_canonical(name, Decimal(value), unit)) == Decimal(shown)


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [("temperature", "1E+127", "[degF]"), ("glucose", "2.045E+10", "kg/L"), ("systolic", "2.045E+10", "kPa")],
)
def test_what_a_device_can_say_converts_however_large(name: str, value: str, unit: str) -> None:
    assert to_canonical(name, Decimal(value), unit) > Decimal(value) / 2


def test_a_pound_is_exact() -> None:
    assert to_canonical("weight", Decimal(1), "[lb_av]") == Decimal("0.45359237")


@pytest.mark.parametrize(
    ("name", "unit"), [("weight", "lb"), ("glucose", "mg/dl"), ("spo2", "kPa"), ("temperature", "F")]
)
def test_a_unit_that_is_not_ucum_or_not_of_this_metric_is_refused(name: str, unit: str) -> None:
    with pytest.raises(UnitError, match=name):
        to_canonical(name, Decimal(1), unit)


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(UnknownMetricError, match="o2"):
        to_canonical("o2", Decimal(1), "%")


def test_every_metric_understands_its_own_unit() -> None:
    for name, row in METRICS.items():
        assert row.unit in units_of(name)
        assert to_canonical(name, Decimal("1.5"), row.unit) == Decimal("1.5")
