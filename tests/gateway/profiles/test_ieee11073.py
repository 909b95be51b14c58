from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.profiles.decoded import Special
from gateway.profiles.ieee11073 import float32, sfloat
from gateway.profiles.octets import Octets


@given(st.integers(-2048, 2047), st.integers(-8, 7))
def test_sfloat_is_mantissa_times_a_power_of_ten_exactly(mantissa: int, exponent: int) -> None:
    raw = (exponent & 0xF) << 12 | mantissa & 0xFFF
    number = sfloat(Octets(raw.to_bytes(2, "little")), "x")
    if exponent == 0 and (mantissa >= 2046 or mantissa <= -2046):
        assert isinstance(number, Special)
    else:
        assert isinstance(number, Decimal)
        assert Fraction(number) == mantissa * Fraction(10) ** exponent


@given(st.integers(-(2**23), 2**23 - 1), st.integers(-128, 127))
def test_float_is_mantissa_times_a_power_of_ten_exactly(mantissa: int, exponent: int) -> None:
    assume(exponent != 0 or abs(mantissa) < 2**23 - 2)
    raw = (exponent & 0xFF) << 24 | mantissa & 0xFFFFFF
    number = float32(Octets(raw.to_bytes(4, "little")), "x")
    assert isinstance(number, Decimal)
    assert Fraction(number) == mantissa * Fraction(10) ** exponent
