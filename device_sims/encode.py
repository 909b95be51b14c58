"""From values to a device's bytes, written from the specifications and from nothing else of this house.

`gateway.profiles` reads what these functions write, and neither knows the other: where both agree, the standard was
understood once at least. Sources: IEEE 11073-20601 (SFLOAT), Pulse Oximeter Service 1.0.1, Weight Scale Service 1.0.1,
GATT Specification Supplement (Date Time).
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

# IEEE 11073-20601: words for what is not a number, as mantissa beside exponent 0.
SFLOAT_WORDS = {"NaN": 0x07FF, "NRes": 0x0800, "+INF": 0x07FE, "-INF": 0x0802, "reserved": 0x0801}
_MANTISSA_MAX = 0x07FD  # 2045; the five values above it and below its negative are the words
_EXPONENT_MIN, _EXPONENT_MAX = -8, 7

UNSUCCESSFUL_WEIGHT = 0xFFFF
UNKNOWN_USER = 0xFF


class EncodeError(ValueError):
    """The value cannot be said in this format."""


Sfloat = Decimal | int | str


def sfloat(value: Sfloat) -> bytes:
    """Two bytes: a number exactly as given, or one of `SFLOAT_WORDS`; raises `EncodeError`."""
    if isinstance(value, str):
        if value not in SFLOAT_WORDS:
            raise EncodeError(f"SFLOAT knows no word {value!r}")
        return struct.pack("<H", SFLOAT_WORDS[value])
    number = Decimal(value)
    if not number.is_finite():
        raise EncodeError(f"{number} has to be said as a word")
    sign, digits, scale = number.as_tuple()
    exponent = int(scale)
    mantissa = int("".join(map(str, digits)) or "0")
    while mantissa and mantissa % 10 == 0 and (mantissa > _MANTISSA_MAX or exponent < _EXPONENT_MIN):
        mantissa, exponent = mantissa // 10, exponent + 1
    while exponent > _EXPONENT_MAX and mantissa * 10 <= _MANTISSA_MAX:
        mantissa, exponent = mantissa * 10, exponent - 1
    if mantissa == 0:
        exponent = min(max(exponent, _EXPONENT_MIN), _EXPONENT_MAX)
    if mantissa > _MANTISSA_MAX or not _EXPONENT_MIN <= exponent <= _EXPONENT_MAX:
        raise EncodeError(f"{number} does not fit into an SFLOAT")
    if sign:
        mantissa = -mantissa
    return struct.pack("<H", (exponent & 0xF) << 12 | mantissa & 0x0FFF)


def date_time(local: datetime | None) -> bytes:
    """Seven bytes of the device's own local time; None is "unknown", which is all zeros."""
    if local is None:
        return bytes(7)
    return struct.pack("<H5B", local.year, local.month, local.day, local.hour, local.minute, local.second)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotCheck:
    """A PLX spot-check measurement (0x2A5E). `measurement_status` and `sensor_status` are the raw bit fields."""

    spo2: Sfloat
    pulse: Sfloat
    taken_at: datetime | None = None  # naive local time
    with_time: bool = False  # the field is there although its time is unknown
    measurement_status: int | None = None
    sensor_status: int | None = None
    pulse_amplitude: Sfloat | None = None
    clock_not_set: bool = False

    def __bytes__(self) -> bytes:
        timed = self.with_time or self.taken_at is not None
        flags = (
            timed
            | (self.measurement_status is not None) << 1
            | (self.sensor_status is not None) << 2
            | (self.pulse_amplitude is not None) << 3
            | self.clock_not_set << 4
        )
        parts = [bytes([flags]), sfloat(self.spo2), sfloat(self.pulse)]
        if timed:
            parts.append(date_time(self.taken_at))
        return b"".join(parts) + _status(self.measurement_status, self.sensor_status, self.pulse_amplitude)


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuous:
    """A PLX continuous measurement (0x2A5F); `fast` and `slow` are pairs of saturation and pulse."""

    spo2: Sfloat
    pulse: Sfloat
    fast: tuple[Sfloat, Sfloat] | None = None
    slow: tuple[Sfloat, Sfloat] | None = None
    measurement_status: int | None = None
    sensor_status: int | None = None
    pulse_amplitude: Sfloat | None = None

    def __bytes__(self) -> bytes:
        flags = (
            (self.fast is not None)
            | (self.slow is not None) << 1
            | (self.measurement_status is not None) << 2
            | (self.sensor_status is not None) << 3
            | (self.pulse_amplitude is not None) << 4
        )
        pairs = [(self.spo2, self.pulse), *(each for each in (self.fast, self.slow) if each is not None)]
        numbers = b"".join(sfloat(number) for pair in pairs for number in pair)
        status = _status(self.measurement_status, self.sensor_status, self.pulse_amplitude)
        return bytes([flags]) + numbers + status


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """A weight measurement (0x2A9D). `weight` is in kg, in lb with `imperial`; None is "unsuccessful".

    `bmi` and `height` (metres, inches with `imperial`) come together or not at all.
    """

    weight: Decimal | None
    imperial: bool = False
    taken_at: datetime | None = None
    with_time: bool = False
    user: int | None = None
    bmi_and_height: tuple[Decimal, Decimal] | None = None

    def __bytes__(self) -> bytes:
        timed = self.with_time or self.taken_at is not None
        flags = self.imperial | timed << 1 | (self.user is not None) << 2 | (self.bmi_and_height is not None) << 3
        step = Decimal("0.01") if self.imperial else Decimal("0.005")
        raw = UNSUCCESSFUL_WEIGHT if self.weight is None else _steps(self.weight, step, "weight")
        parts = [struct.pack("<BH", flags, raw)]
        if timed:
            parts.append(date_time(self.taken_at))
        if self.user is not None:
            parts.append(struct.pack("<B", self.user))
        if self.bmi_and_height is not None:
            bmi, height = self.bmi_and_height
            height_step = Decimal("0.1") if self.imperial else Decimal("0.001")
            parts.append(struct.pack("<HH", _steps(bmi, Decimal("0.1"), "bmi"), _steps(height, height_step, "height")))
        return b"".join(parts)


def battery(percent: int) -> bytes:
    """A battery level (0x2A19)."""
    if not 0 <= percent <= 100:
        raise EncodeError(f"battery: {percent} % is outside 0 to 100")
    return bytes([percent])


def _status(measurement: int | None, sensor: int | None, amplitude: Sfloat | None) -> bytes:
    first = b"" if measurement is None else measurement.to_bytes(2, "little")
    second = b"" if sensor is None else sensor.to_bytes(3, "little")
    return first + second + (b"" if amplitude is None else sfloat(amplitude))


def _steps(value: Decimal, step: Decimal, field: str) -> int:
    steps = value / step
    if steps != steps.to_integral_value() or not 0 <= steps < UNSUCCESSFUL_WEIGHT:
        raise EncodeError(f"{field}: {value} is not a whole number of {step} between 0 and {step * 0xFFFE}")
    return int(steps)
