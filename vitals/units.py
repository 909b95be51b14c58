"""UCUM units of devices, converted exactly to the canonical unit of a metric. A unit is never guessed."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from vitals.metrics import METRICS, metric


class UnitError(ValueError):
    """This unit cannot be converted to the metric's canonical unit."""


# 28 digits are more than any device sends; a quotient that never ends (mg/dL) is cut there, far below a decimal shown.
# One too large for that many places has its 28 digits already (IEEE 11073 can say 1E+127).
_DIGITS = Decimal("1e-18")
_PLACES_FIT_BELOW = 9  # the decimal exponent of what still has room for them


def _scaled(factor: Fraction) -> Callable[[Decimal], Decimal]:
    def convert(value: Decimal) -> Decimal:
        exact = Fraction(value) * factor
        quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
        if Fraction(quotient) == exact:
            return quotient.normalize()
        return quotient.quantize(_DIGITS) if quotient.adjusted() < _PLACES_FIT_BELOW else quotient

    return convert


def _fahrenheit(value: Decimal) -> Decimal:
    return _scaled(Fraction(5, 9))(value - 32)


_CONVERSIONS: dict[tuple[str, str], Callable[[Decimal], Decimal]] = {
    # 1 mmHg = 101325/760 Pa (conventional millimetre of mercury, rounded definition 133.322387415 Pa).
    ("kPa", "mm[Hg]"): _scaled(Fraction(1000) / Fraction("133.322387415")),
    # International avoirdupois pound and stone, 1959 agreement.
    ("[lb_av]", "kg"): _scaled(Fraction("0.45359237")),
    ("[stone_av]", "kg"): _scaled(Fraction("6.35029318")),
    ("g", "kg"): _scaled(Fraction(1, 1000)),
    ("[degF]", "Cel"): _fahrenheit,
    # Glucose C6H12O6, 180.156 g/mol (IUPAC 2021 weights), as 18.0156 mg/dL per mmol/L; 53 mg/dL is 2.9 mmol/L.
    ("mg/dL", "mmol/L"): _scaled(1 / Fraction("18.0156")),
    ("kg/L", "mmol/L"): _scaled(Fraction(100_000) / Fraction("18.0156")),  # IEEE 11073 glucose, 1 kg/L = 100,000 mg/dL
    ("mol/L", "mmol/L"): _scaled(Fraction(1000)),
}


def to_canonical(metric_name: str, value: Decimal, unit: str) -> Decimal:
    """`value` given in `unit` (UCUM), expressed in the canonical unit of the metric.

    Raises `UnknownMetricError` for the name and `UnitError` for a unit this metric never has.
    """
    canonical = metric(metric_name).unit
    if unit == canonical:
        return value
    try:
        convert = _CONVERSIONS[unit, canonical]
    except KeyError:
        raise UnitError(f"{metric_name}: unit {unit!r} cannot be converted to {canonical!r}") from None
    return convert(value)


def units_of(metric_name: str) -> frozenset[str]:
    """Every unit in which a value of this metric is understood."""
    canonical = METRICS[metric_name].unit
    return frozenset({canonical} | {source for source, target in _CONVERSIONS if target == canonical})
