"""Weight Scale Service 1.0: weight measurement (0x2A9D).

The resolution is always 0.005 kg or 0.01 lb; the feature characteristic only tells how accurate the scale is.
"""

from decimal import Decimal
from enum import IntFlag

from gateway.profiles.date_time import date_time
from gateway.profiles.decoded import Decoded, Number, Special, split
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk
from vitals.units import to_canonical


class WeightFlags(IntFlag):
    """WSS 1.0.1, 3.2.1.1."""

    IMPERIAL = 1
    TIME_STAMP = 2
    USER_ID = 4
    BMI_AND_HEIGHT = 8


_UNSUCCESSFUL = 0xFFFF
_UNKNOWN_USER = 255
KILOGRAM_STEP = Decimal("0.005")
POUND_STEP = Decimal("0.01")
_BMI_STEP = Decimal("0.1")
METRE_STEP = Decimal("0.001")
INCH_STEP = Decimal("0.1")
METRES_PER_INCH = Decimal("0.0254")


def weight_measurement(octets: Octets, quirk: Quirk) -> Decoded:
    """One weighing in kg; raises `DecodeError`."""
    present = octets.flags(WeightFlags, quirk.ignored_flags)
    imperial = WeightFlags.IMPERIAL in present
    weight = _weight(octets.unsigned(2, "weight"), quirk.factor, imperial=imperial)
    taken_at = date_time(octets) if WeightFlags.TIME_STAMP in present else None
    user = octets.unsigned(1, "user id") if WeightFlags.USER_ID in present else _UNKNOWN_USER
    details = _bmi_and_height(octets, imperial=imperial) if WeightFlags.BMI_AND_HEIGHT in present else {}
    octets.end()
    metrics, special = split({"weight": weight})
    return Decoded(
        metrics=metrics,
        special=special,
        taken_at=taken_at,
        user=None if user == _UNKNOWN_USER else user,
        details=details,
    )


def _weight(raw: int, factor: Decimal, *, imperial: bool) -> Number:
    if raw == _UNSUCCESSFUL:
        return Special.UNSUCCESSFUL
    if imperial:
        return to_canonical("weight", raw * POUND_STEP * factor, "[lb_av]")
    return raw * KILOGRAM_STEP * factor


def _bmi_and_height(octets: Octets, *, imperial: bool) -> dict[str, Decimal]:
    """BMI in kg/m2 and height in m; scales send 0 for a person they do not know."""
    bmi = octets.unsigned(2, "BMI") * _BMI_STEP
    raw = octets.unsigned(2, "height")
    height = raw * INCH_STEP * METRES_PER_INCH if imperial else raw * METRE_STEP
    return {name: value for name, value in (("bmi", bmi), ("height", height)) if value}
