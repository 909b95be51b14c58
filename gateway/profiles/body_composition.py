"""Body Composition Service 1.0: body composition measurement (0x2A9C)."""

from decimal import Decimal
from enum import IntFlag

from gateway.profiles.date_time import date_time
from gateway.profiles.decoded import Decoded, Number, Special, split
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk
from gateway.profiles.weight_scale import INCH_STEP, KILOGRAM_STEP, METRE_STEP, METRES_PER_INCH, POUND_STEP
from vitals.units import to_canonical


class CompositionFlags(IntFlag):
    """BCS 1.0, 3.2.1.1, 16 bits; 13 to 15 are reserved."""

    IMPERIAL = 1 << 0
    TIME_STAMP = 1 << 1
    USER_ID = 1 << 2
    BASAL_METABOLISM = 1 << 3
    MUSCLE_PERCENTAGE = 1 << 4
    MUSCLE_MASS = 1 << 5
    FAT_FREE_MASS = 1 << 6
    SOFT_LEAN_MASS = 1 << 7
    BODY_WATER_MASS = 1 << 8
    IMPEDANCE = 1 << 9
    WEIGHT = 1 << 10
    HEIGHT = 1 << 11
    MULTIPLE_PACKETS = 1 << 12


_TENTH = Decimal("0.1")
_UNSUCCESSFUL = 0xFFFF
_UNKNOWN_USER = 255
_MASSES = (
    (CompositionFlags.MUSCLE_MASS, "muscle_mass"),
    (CompositionFlags.FAT_FREE_MASS, "fat_free_mass"),
    (CompositionFlags.SOFT_LEAN_MASS, "soft_lean_mass"),
    (CompositionFlags.BODY_WATER_MASS, "body_water_mass"),
)


def body_composition_measurement(octets: Octets, quirk: Quirk) -> Decoded:
    """Body fat in %, and the weight in kg where the scale sends it along; raises `DecodeError`."""
    present = octets.flags(CompositionFlags, quirk.ignored_flags, size=2)
    imperial = CompositionFlags.IMPERIAL in present
    numbers: dict[str, Number] = {"body_fat": _percent(octets.unsigned(2, "body_fat"))}
    taken_at = date_time(octets) if CompositionFlags.TIME_STAMP in present else None
    user = octets.unsigned(1, "user id") if CompositionFlags.USER_ID in present else _UNKNOWN_USER
    details = _details(octets, present, imperial=imperial)
    if CompositionFlags.WEIGHT in present:
        raw = octets.unsigned(2, "weight")
        numbers["weight"] = Special.UNSUCCESSFUL if raw == _UNSUCCESSFUL else _mass(raw, imperial=imperial)
    if CompositionFlags.HEIGHT in present:
        raw = octets.unsigned(2, "height")
        details["height"] = raw * INCH_STEP * METRES_PER_INCH if imperial else raw * METRE_STEP
    octets.end()
    metrics, special = split(numbers)
    waits = quirk.placeholder is not None and metrics.get(quirk.placeholder) == 0
    return Decoded(
        metrics=metrics,
        special=special,
        taken_at=taken_at,
        flags=("placeholder",) if waits else (),
        user=None if user == _UNKNOWN_USER else user,
        details=details,
        no_measurement="placeholder" if waits else None,
    )


def _details(octets: Octets, present: CompositionFlags, *, imperial: bool) -> dict[str, Decimal]:
    """What lies between the user and the weight, in the order of the flags: kJ, %, kg, Ohm."""
    details: dict[str, Decimal] = {}
    if CompositionFlags.BASAL_METABOLISM in present:
        details["basal_metabolism"] = Decimal(octets.unsigned(2, "basal metabolism"))
    if CompositionFlags.MUSCLE_PERCENTAGE in present:
        details["muscle_percentage"] = octets.unsigned(2, "muscle percentage") * _TENTH
    for flag, name in _MASSES:
        if flag in present:
            details[name] = _mass(octets.unsigned(2, name.replace("_", " ")), imperial=imperial)
    if CompositionFlags.IMPEDANCE in present:
        details["impedance"] = octets.unsigned(2, "impedance") * _TENTH
    return details


def _percent(raw: int) -> Number:
    return Special.UNSUCCESSFUL if raw == _UNSUCCESSFUL else raw * _TENTH


def _mass(raw: int, *, imperial: bool) -> Decimal:
    return to_canonical("weight", raw * POUND_STEP, "[lb_av]") if imperial else raw * KILOGRAM_STEP
