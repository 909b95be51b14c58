"""Numbers and times as medical devices write them: IEEE 11073-20601 SFLOAT and FLOAT, fixed steps, Date Time."""

import struct
from datetime import datetime
from decimal import Decimal

# IEEE 11073-20601: words for what is not a number, as mantissa beside exponent 0.
SFLOAT_WORDS = {"NaN": 0x07FF, "NRes": 0x0800, "+INF": 0x07FE, "-INF": 0x0802, "reserved": 0x0801}
FLOAT_WORDS = {"NaN": 0x7FFFFF, "NRes": 0x800000, "+INF": 0x7FFFFE, "-INF": 0x800002, "reserved": 0x800001}
UNSUCCESSFUL = 0xFFFF  # a 16-bit field of a scale that could not measure


class EncodeError(ValueError):
    """The value cannot be said in this format."""


Sfloat = Decimal | int | str


def sfloat(value: Sfloat) -> bytes:
    """Two bytes: a number exactly as given, or one of `SFLOAT_WORDS`; raises `EncodeError`."""
    if isinstance(value, str):
        return struct.pack("<H", _word(value, SFLOAT_WORDS, "SFLOAT"))
    # 2045 at most; the five values above it and below its negative are the words.
    mantissa, exponent = _scientific(Decimal(value), 0x07FD, (-8, 7), "SFLOAT")
    return struct.pack("<H", (exponent & 0xF) << 12 | mantissa & 0x0FFF)


def float32(value: Sfloat) -> bytes:
    """Four bytes: a number exactly as given, or one of `FLOAT_WORDS`; raises `EncodeError`."""
    if isinstance(value, str):
        return struct.pack("<I", _word(value, FLOAT_WORDS, "FLOAT"))
    mantissa, exponent = _scientific(Decimal(value), 0x7FFFFD, (-128, 127), "FLOAT")
    return struct.pack("<I", (exponent & 0xFF) << 24 | mantissa & 0xFFFFFF)


def date_time(local: datetime | None) -> bytes:
    """Seven bytes of the device's own local time; None is "unknown", which is all zeros."""
    if local is None:
        return bytes(7)
    return struct.pack("<H5B", local.year, local.month, local.day, local.hour, local.minute, local.second)


def steps(value: Decimal, step: Decimal, field: str) -> bytes:
    """Two bytes: `value` as a whole number of `step`; raises `EncodeError`."""
    number = value / step
    if number != number.to_integral_value() or not 0 <= number < UNSUCCESSFUL:
        raise EncodeError(f"{field}: {value} is not a whole number of {step} between 0 and {step * 0xFFFE}")
    return struct.pack("<H", int(number))


def whole(value: int, octets: int, field: str, *, signed: bool = False) -> bytes:
    """`octets` bytes of a whole number; raises `EncodeError`."""
    try:
        return value.to_bytes(octets, "little", signed=signed)
    except OverflowError:
        raise EncodeError(f"{field}: {value} does not fit into {octets} bytes") from None


def flag_bits(*present: object) -> int:
    """The bit field in which bit N says whether the Nth field is there; None and False are not."""
    return sum(1 << number for number, each in enumerate(present) if each is not None and each is not False)


def _word(value: str, words: dict[str, int], name: str) -> int:
    if value not in words:
        raise EncodeError(f"{name} knows no word {value!r}")
    return words[value]


def _scientific(number: Decimal, mantissa_max: int, exponents: tuple[int, int], name: str) -> tuple[int, int]:
    """`number` as mantissa and exponent of ten, nothing rounded."""
    if not number.is_finite():
        raise EncodeError(f"{number} has to be said as a word")
    lowest, highest = exponents
    sign, digits, scale = number.as_tuple()
    exponent = int(scale)
    mantissa = int("".join(map(str, digits)) or "0")
    while mantissa and mantissa % 10 == 0 and (mantissa > mantissa_max or exponent < lowest):
        mantissa, exponent = mantissa // 10, exponent + 1
    while exponent > highest and mantissa * 10 <= mantissa_max:
        mantissa, exponent = mantissa * 10, exponent - 1
    if mantissa == 0:
        exponent = min(max(exponent, lowest), highest)
    if mantissa > mantissa_max or not lowest <= exponent <= highest:
        raise EncodeError(f"{number} does not fit into {name}")
    return -mantissa if sign else mantissa, exponent
