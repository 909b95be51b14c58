"""Everything the formats of medical devices can say, as strategies, and how what was read is compared with it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from device_sims.encode import FLOAT_WORDS, SFLOAT_WORDS
from gateway.profiles import Decoded
from vitals.units import to_canonical

# An SFLOAT: eleven bits and a sign, times ten to the power of -8 to 7. A FLOAT: 23 bits and a sign, -128 to 127.
numbers = st.builds(
    lambda mantissa, exponent: Decimal(mantissa).scaleb(exponent), st.integers(-2045, 2045), st.integers(-8, 7)
)
sfloats = numbers | st.sampled_from(sorted(SFLOAT_WORDS))
floats = st.builds(
    lambda mantissa, exponent: Decimal(mantissa).scaleb(exponent),
    st.integers(-0x7FFFFD, 0x7FFFFD),
    st.integers(-128, 127),
) | st.sampled_from(sorted(FLOAT_WORDS))
first, last = datetime.fromisoformat("1582-01-01"), datetime.fromisoformat("9999-12-31T23:59:59")
moments = st.none() | st.datetimes(first, last).map(lambda moment: moment.replace(microsecond=0))
users = st.none() | st.integers(0, 255)
kilograms = st.integers(0, 0xFFFE).map(lambda steps: steps * Decimal("0.005"))
pounds = st.integers(0, 0xFFFE).map(lambda steps: steps * Decimal("0.01"))


def said(decoded: Decoded, metric: str) -> Decimal | str | None:
    """What the decoder read: the number, or the word in its place."""
    value: Any = decoded.metrics[metric]
    return decoded.special[metric].value if value is None else value


def expected(metric: str, value: Decimal | str, unit: str) -> Decimal | str:
    """What should have been read: the number in the metric's canonical unit, or the word."""
    return value if isinstance(value, str) else to_canonical(metric, value, unit)
