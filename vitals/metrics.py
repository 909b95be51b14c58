"""What can be measured: one row a metric, with its codes, unit, decimals and plausible range.

A value outside the plausible range is not wrong by law, only not believed as it stands: the rules ask again
(`alerts`) and nothing here refuses it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One thing that can be measured, in its canonical unit.

    `loinc` and `mdc` are None where no code is settled; `plausible` is inclusive, None where no range is set.
    """

    name: str
    unit: str  # UCUM, case sensitive
    decimals: int
    loinc: str | None = None
    mdc: int | None = None
    plausible: tuple[Decimal, Decimal] | None = None

    @property
    def step(self) -> Decimal:
        """The least difference of two values that are rounded."""
        return _STEPS[self.decimals]

    def rounded(self, value: Decimal) -> Decimal:
        """`value` rounded half up to this metric's decimals, as every comparison with a limit needs it."""
        return value.quantize(_STEPS[self.decimals], rounding=ROUND_HALF_UP)

    def is_plausible(self, value: Decimal) -> bool:
        """Whether a living person can have this value; True where no range is set."""
        if self.plausible is None:
            return True
        low, high = self.plausible
        return low <= self.rounded(value) <= high


_STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(4))


class UnknownMetricError(ValueError):
    """No metric has this name."""


def _between(low: str, high: str) -> tuple[Decimal, Decimal]:
    return Decimal(low), Decimal(high)


# LOINC and UCUM: HL7 FHIR R4 vital-signs profiles. MDC: ISO/IEEE 11073-10101; those of pulse, weight, temperature,
# respiration, glucose, fev1, pef and body_fat are still to be checked against the printed standard.
# Plausible ranges and decimals: the rulebooks' common page (clinical sign-off per municipality).
_ROWS = (
    Metric(name="spo2", unit="%", decimals=0, loinc="59408-5", mdc=150456, plausible=_between("50", "100")),
    Metric(name="pulse", unit="/min", decimals=0, loinc="8867-4", mdc=149530, plausible=_between("25", "220")),
    Metric(name="respiration", unit="/min", decimals=0, loinc="9279-1", mdc=151562, plausible=_between("4", "60")),
    Metric(name="systolic", unit="mm[Hg]", decimals=0, loinc="8480-6", mdc=150021, plausible=_between("60", "260")),
    Metric(name="diastolic", unit="mm[Hg]", decimals=0, loinc="8462-4", mdc=150022, plausible=_between("30", "160")),
    Metric(name="mean_pressure", unit="mm[Hg]", decimals=0, loinc="8478-0", mdc=150023),
    Metric(name="temperature", unit="Cel", decimals=1, loinc="8310-5", mdc=150364, plausible=_between("33", "43")),
    Metric(name="weight", unit="kg", decimals=1, loinc="29463-7", mdc=188736, plausible=_between("20", "300")),
    Metric(name="glucose", unit="mmol/L", decimals=1, loinc="15074-8", mdc=160184, plausible=_between("0.6", "33.3")),
    Metric(name="fev1", unit="L", decimals=1, loinc="20150-9", mdc=152586),
    Metric(name="pef", unit="L/min", decimals=0, loinc="33452-4", mdc=152584),
    Metric(name="oxygen_flow", unit="L/min", decimals=1, loinc="3151-8"),
    Metric(name="consciousness", unit="1", decimals=0, loinc="80288-4"),  # 0 alert; 1 new confusion, V, P or U
    Metric(name="cat", unit="{score}", decimals=0),  # COPD Assessment Test, 0-40
    Metric(name="symptom_red", unit="1", decimals=0),  # 0 or 1, from a questionnaire
    Metric(name="symptom_yellow", unit="1", decimals=0),
    Metric(name="body_fat", unit="%", decimals=1, loinc="41982-0", mdc=188748),
    Metric(name="steps", unit="{steps}", decimals=0, loinc="55423-8"),
)

METRICS: Mapping[str, Metric] = MappingProxyType({row.name: row for row in _ROWS})


def metric(name: str) -> Metric:
    """The metric called `name`; raises `UnknownMetricError`."""
    try:
        return METRICS[name]
    except KeyError:
        raise UnknownMetricError(f"unknown metric {name!r}; known: {', '.join(METRICS)}") from None
