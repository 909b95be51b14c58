"""Health Thermometer Service 1.0: temperature measurement (0x2A1C)."""

from decimal import Decimal
from enum import IntFlag

from gateway.profiles.date_time import date_time
from gateway.profiles.decoded import Decoded, split
from gateway.profiles.ieee11073 import float32
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk
from vitals.units import to_canonical


class TemperatureFlags(IntFlag):
    """HTS 1.0, 3.1.1.1."""

    FAHRENHEIT = 1
    TIME_STAMP = 2
    TEMPERATURE_TYPE = 4


# GATT Specification Supplement, Temperature Type (0x2A1D): where on the body.
_SITES = {
    1: "armpit",
    2: "body",
    3: "ear",
    4: "finger",
    5: "gastrointestinal",
    6: "mouth",
    7: "rectum",
    8: "toe",
    9: "tympanum",
}


def temperature_measurement(octets: Octets, quirk: Quirk) -> Decoded:
    """One temperature in Cel; `flags` name the site, "site_ear"; raises `DecodeError`."""
    present = octets.flags(TemperatureFlags, quirk.ignored_flags)
    unit = "[degF]" if TemperatureFlags.FAHRENHEIT in present else "Cel"
    value = float32(octets, "temperature")
    if isinstance(value, Decimal):
        value = to_canonical("temperature", value, unit)
    taken_at = date_time(octets) if TemperatureFlags.TIME_STAMP in present else None
    site: tuple[str, ...] = ()
    if TemperatureFlags.TEMPERATURE_TYPE in present:
        site = (f"site_{_SITES.get(octets.unsigned(1, 'temperature type'), 'unknown')}",)
    octets.end()
    metrics, special = split({"temperature": value})
    return Decoded(metrics=metrics, special=special, taken_at=taken_at, flags=site)
