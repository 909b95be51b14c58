"""Medical floats of IEEE 11073-20601: a two's complement mantissa times ten to a two's complement exponent.

Special values stand only beside exponent 0. Results are exact decimals; no binary float is involved.
"""

from decimal import Decimal

from gateway.profiles.decoded import Number, Special
from gateway.profiles.octets import Octets

# IEEE 11073-20601, SFLOAT-Type: 4 bits exponent, 12 bits mantissa.
_SFLOAT_SPECIAL = {
    0x07FE: Special.PLUS_INFINITY,
    0x07FF: Special.NAN,
    0x0800: Special.NRES,
    0x0801: Special.RESERVED,
    0x0802: Special.MINUS_INFINITY,
}
# IEEE 11073-20601, FLOAT-Type: 8 bits exponent, 24 bits mantissa.
_FLOAT_SPECIAL = {
    0x007FFFFE: Special.PLUS_INFINITY,
    0x007FFFFF: Special.NAN,
    0x00800000: Special.NRES,
    0x00800001: Special.RESERVED,
    0x00800002: Special.MINUS_INFINITY,
}


def sfloat(octets: Octets, field: str, *, big_endian: bool = False) -> Number:
    """The next 2 bytes; raises `DecodeError` when they are not there."""
    raw = octets.unsigned(2, field, big_endian=big_endian)
    return _SFLOAT_SPECIAL.get(raw) or _scaled(_signed(raw & 0x0FFF, 12), _signed(raw >> 12, 4))


def float32(octets: Octets, field: str) -> Number:
    """The next 4 bytes (FLOAT-Type, which is not an IEEE 754 float); raises `DecodeError` when they are not there."""
    raw = octets.unsigned(4, field)
    return _FLOAT_SPECIAL.get(raw) or _scaled(_signed(raw & 0x00FFFFFF, 24), _signed(raw >> 24, 8))


def _signed(raw: int, bits: int) -> int:
    return raw - (1 << bits) if raw >> (bits - 1) else raw


def _scaled(mantissa: int, exponent: int) -> Decimal:
    return Decimal(mantissa).scaleb(exponent)
