"""The table of metrics is a contract: names, units, decimals and plausible ranges."""

from decimal import Decimal

import pytest

from vitals.metrics import METRICS, metric

_CONTRACT = {
    # name: unit, decimals, plausible
    "spo2": ("%", 0, ("50", "100")),
    "pulse": ("/min", 0, ("25", "220")),
    "respiration": ("/min", 0, ("4", "60")),
    "systolic": ("mm[Hg]", 0, ("60", "260")),
    "diastolic": ("mm[Hg]", 0, ("30", "160")),
    "mean_pressure": ("mm[Hg]", 0, None),
    "temperature": ("Cel", 1, ("33", "43")),
    "weight": ("kg", 1, ("20", "300")),
    "glucose": ("mmol/L", 1, ("0.6", "33.3")),
    "fev1": ("L", 1, None),
    "pef": ("L/min", 0, None),
    "oxygen_flow": ("L/min", 1, None),
    "consciousness": ("1", 0, None),
    "cat": ("{score}", 0, None),
    "symptom_red": ("1", 0, None),
    "symptom_yellow": ("1", 0, None),
    "body_fat": ("%", 1, None),
    "steps": ("{steps}", 0, None),
}


def test_every_metric_of_the_rulebooks_and_no_other() -> None:
    assert {
        name: (row.unit, row.decimals, row.plausible and tuple(str(end) for end in row.plausible))
        for name, row in METRICS.items()
    } == _CONTRACT


@pytest.mark.parametrize(
    ("name", "value", "rounded"),
    [("spo2", "92.5", "93"), ("spo2", "92.49", "92"), ("glucose", "2.95", "3.0"), ("temperature", "38.05", "38.1")],
)
def test_halves_round_up(name: str, value: str, rounded: str) -> None:
    assert str(metric(name).rounded(Decimal(value))) == rounded


@pytest.mark.parametrize(
    ("name", "value", "believed"),
    [
        ("spo2", "50", True),
        ("spo2", "49.4", False),
        ("spo2", "49.5", True),
        ("spo2", "101", False),
        ("steps", "1e6", True),
    ],
)
def test_the_plausible_range_includes_its_ends_after_rounding(name: str, value: str, believed: bool) -> None:
    assert metric(name).is_plausible(Decimal(value)) is believed
