"""What each kind of device says, read back from its bytes by hand."""

from datetime import datetime
from decimal import Decimal

import pytest

from device_sims.frames import KINDS, Sitting, frames_of
from device_sims.peripherals import KINDS as PERIPHERALS

SHOWN = datetime.fromisoformat("2026-12-02T07:20:00")
TIME = "ea070c02071400"
BODY = {
    "spo2": Decimal(97),
    "pulse": Decimal(60),
    "weight": Decimal("72.45"),
    "body_fat": Decimal("24.3"),
    "systolic": Decimal(124),
    "diastolic": Decimal(76),
    "temperature": Decimal("37.6"),
    "glucose": Decimal("6.2"),
}


def said(kind, shown=SHOWN, body=BODY):
    sitting = Sitting(measure=body.get, shown=shown, number=258)
    return [(characteristic, frame.hex()) for characteristic, frame in frames_of(kind, sitting)]


@pytest.mark.parametrize(
    ("kind", "frames"),
    [
        ("oximeter", [("2A5E", "0361003c00" + TIME + "0001")]),
        ("scale", [("2A9D", "069a38" + TIME + "01")]),
        (
            "body_scale",
            [("2A9D", "069a38" + TIME + "01"), ("2A9C", "0603f300" + TIME + "01" + "401f" + "b313")],
        ),
        ("mi_scale", [("181D", "229a38" + TIME)]),
        ("cuff", [("2A35", "1e7c004c005c00" + TIME + "3c00" + "01" + "0000")]),
        ("thermometer", [("2A1C", "06780100ff" + TIME + "03")]),
        ("glucometer", [("2A18", "1f0201" + TIME + "0000" + "3ec0" + "11" + "0000"), ("2A34", "02020103")]),
        ("pulse_belt", [("2A37", "163c0004")]),
    ],
)
def test_what_a_device_with_a_clock_says(kind, frames):
    assert said(kind) == frames


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        ("oximeter", "1261003c000001"),  # it says that its clock is not set
        ("scale", "049a3801"),
        ("cuff", "1e7c004c005c00" + "00" * 7 + "3c00010000"),
        ("thermometer", "06780100ff" + "00" * 7 + "03"),
        ("glucometer", "0f0201" + "00" * 7 + "00003ec0110008"),  # time fault
        ("mi_scale", "229a38b2070101000000"),  # it begins in 1970
    ],
)
def test_what_a_device_says_whose_clock_was_never_set(kind, frame):
    assert said(kind, None)[0][1] == frame


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_without_the_values_is_not_measured(kind):
    assert said(kind, body={}) == []


def test_every_kind_on_the_air_has_something_to_say():
    assert set(KINDS) == set(PERIPHERALS)
    for kind in KINDS:
        assert {characteristic for characteristic, _ in said(kind)} <= set(_SPEAKS[kind])


_SPEAKS = {
    "oximeter": ("2A5E",),
    "scale": ("2A9D",),
    "body_scale": ("2A9D", "2A9C"),
    "cuff": ("2A35",),
    "thermometer": ("2A1C",),
    "glucometer": ("2A18", "2A34"),
    "pulse_belt": ("2A37",),
    "mi_scale": ("181D",),
}
