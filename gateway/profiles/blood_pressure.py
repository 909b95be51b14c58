"""Blood Pressure Service 1.1.1: measurement (0x2A35), and the pressure in the cuff on its way (0x2A36)."""

from datetime import datetime
from decimal import Decimal
from enum import IntFlag

from gateway.profiles.date_time import date_time
from gateway.profiles.decoded import Decoded, Number, split, words
from gateway.profiles.ieee11073 import sfloat
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk
from vitals.reading import Quality
from vitals.units import to_canonical


class PressureFlags(IntFlag):
    """BLS 1.1.1, 3.1.1.1."""

    KILOPASCAL = 1
    TIME_STAMP = 2
    PULSE_RATE = 4
    USER_ID = 8
    MEASUREMENT_STATUS = 16


class PressureStatus(IntFlag):
    """BLS 1.1.1, Measurement Status field, 16 bits; bits 3 and 4 are one number, 6 to 15 are reserved."""

    BODY_MOVEMENT = 1 << 0
    CUFF_TOO_LOOSE = 1 << 1
    IRREGULAR_PULSE = 1 << 2
    PULSE_ABOVE_RANGE = 1 << 3
    PULSE_BELOW_RANGE = 1 << 4
    IMPROPER_POSITION = 1 << 5


# What the heart does is no fault of the measurement: it stays a good one, and its flag tells. A bit without a meaning
# yet makes it poor, like movement and a loose cuff.
_ABOUT_THE_PULSE = PressureStatus.IRREGULAR_PULSE | PressureStatus.PULSE_ABOVE_RANGE | PressureStatus.PULSE_BELOW_RANGE
_UNKNOWN_USER = 255


def measurement(octets: Octets, quirk: Quirk) -> Decoded:
    """One measurement in mmHg, with the pulse where the cuff counts it; raises `DecodeError`."""
    return _read(octets, quirk)


def intermediate(octets: Octets, quirk: Quirk) -> Decoded:
    """The pressure in the cuff while it inflates or deflates: never a measurement; raises `DecodeError`."""
    return _read(octets, quirk, no_measurement="cuff_pressure_on_its_way")


def _read(octets: Octets, quirk: Quirk, no_measurement: str | None = None) -> Decoded:
    present = octets.flags(PressureFlags, quirk.ignored_flags)
    unit = "kPa" if PressureFlags.KILOPASCAL in present else "mm[Hg]"
    numbers: dict[str, Number] = {}
    for metric in ("systolic", "diastolic", "mean_pressure"):
        value = sfloat(octets, metric)
        if value == 0 and metric in quirk.zero_is_nothing:
            continue
        numbers[metric] = to_canonical(metric, value, unit) if isinstance(value, Decimal) else value
    taken_at: datetime | None = date_time(octets) if PressureFlags.TIME_STAMP in present else None
    if PressureFlags.PULSE_RATE in present:
        numbers["pulse"] = sfloat(octets, "pulse", big_endian="pulse" in quirk.big_endian)
    has_user = PressureFlags.USER_ID in present or "user id" in quirk.unannounced
    user = octets.unsigned(1, "user id") if has_user else _UNKNOWN_USER
    status = _status(octets, quirk, present=PressureFlags.MEASUREMENT_STATUS in present)
    octets.end()
    metrics, special = split(numbers)
    return Decoded(
        metrics=metrics,
        special=special,
        taken_at=taken_at,
        flags=(*words(status), *(() if no_measurement is None else (no_measurement,))),
        quality=Quality.POOR if int(status) & ~int(_ABOUT_THE_PULSE) else Quality.GOOD,
        user=None if user == _UNKNOWN_USER else user,
        no_measurement=no_measurement,
    )


def _status(octets: Octets, quirk: Quirk, *, present: bool) -> PressureStatus:
    field = "measurement status"
    return PressureStatus(octets.unsigned(2, field, big_endian=field in quirk.big_endian) if present else 0)
