"""What each kind of device says when a person has used it: the body's values in the device's bytes. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from device_sims.encode import (
    BloodPressure,
    Composition,
    Glucose,
    GlucoseContext,
    HeartRate,
    MiWeighing,
    SpotCheck,
    Temperature,
    Weighing,
)
from device_sims.encode.thermometer import EAR

Frames = tuple[tuple[str, bytes], ...]

_VOUCHED_FOR = 1 << 8  # Pulse Oximeter Service, measurement status: fully qualified data
_TIME_FAULT = 1 << 11  # Glucose Service, sensor status: the meter's time must not be believed
_FASTING, _AFTER_MEAL, _FASTING_UNTIL = 3, 2, 10
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One use of a device: what the body measures (None: this body has no such course), and what the device's clock
    shows (naive, None when it was never set). `number` counts up with the uses of the device."""

    measure: Callable[[str], Decimal | None]
    shown: datetime | None
    number: int


def frames_of(kind: str, sitting: Sitting) -> Frames:
    """Characteristic and bytes, in the order in which the device stores them; none when it measures nothing here."""
    metrics, word = _DEVICES[kind]
    values = {metric: sitting.measure(metric) for metric in metrics}
    known = {metric: value for metric, value in values.items() if value is not None}
    return word(known, sitting) if len(known) == len(metrics) else ()


def _oximeter(values: Mapping[str, Decimal], sitting: Sitting) -> Frames:
    check = SpotCheck(
        spo2=values["spo2"],
        pulse=values["pulse"],
        taken_at=sitting.shown,
        measurement_status=_VOUCHED_FOR,
        clock_not_set=sitting.shown is None,
    )
    return (("2A5E", bytes(check)),)


def _scale(values: Mapping[str, Decimal], sitting: Sitting) -> Frames:
    return (("2A9D", bytes(Weighing(weight=values["weight"], taken_at=sitting.shown, user=1))),)


def _body_scale(values: Mapping[str, Decimal], sitting: Sitting) -> Frames:
    fat = sitting.measure("body_fat")
    if fat is None:
        return _scale(values, sitting)
    water = (values["weight"] * (100 - fat) / 100 * Decimal("0.73")).quantize(_TENTH, ROUND_HALF_UP)
    body = Composition(
        body_fat=fat, taken_at=sitting.shown, user=1, body_water_mass=water, impedance=Decimal(480) + fat
    )
    return (*_scale(values, sitting), ("2A9C", bytes(body)))


def _mi_scale(values: Mapping[str, Decimal], sitting: Sitting) -> Frames:
    return (("181D", bytes(MiWeighing(weight=values["weight"], shown=sitting.shown))),)


def _cuff(values: Mapping[str, Decimal], sitting: Sitting) -> Frames:
    diastolic = min(values["diastolic"], values["systolic"] - 10)
    mean = diastolic + (values["systolic"] - diastolic) / 3
    pressure = BloodPressure(
        systolic=values["systolic"],
        diastolic=diastolic,
        mean=mean.quantize(Decimal(1), ROUND_HALF_UP),
        taken_at=sitting.shown,
        with_time=True,
        pulse=values["pulse"],
        user=1,
        status=0,
    )
    return (("2A35", bytes(pressure)),)


def _thermometer(values: Mapping[str, Decimal], sitting: Sitting) -> Frames:
    temperature = Temperature(value=values["temperature"], taken_at=sitting.shown, with_time=True, site=EAR)
    return (("2A1C", bytes(temperature)),)


def _glucometer(values: Mapping[str, Decimal], sitting: Sitting) -> Frames:
    """A record, and beside it whether the person had eaten."""
    record = Glucose(
        sequence=sitting.number,
        base_time=sitting.shown,
        offset_min=0,
        concentration=values["glucose"].scaleb(-3),  # mmol/L; the meter says mol/L
        status=_TIME_FAULT if sitting.shown is None else 0,
        context_follows=sitting.shown is not None,
    )
    if sitting.shown is None:
        return (("2A18", bytes(record)),)
    meal = _FASTING if sitting.shown.hour < _FASTING_UNTIL else _AFTER_MEAL
    return ("2A18", bytes(record)), ("2A34", bytes(GlucoseContext(sequence=sitting.number, meal=meal)))


def _pulse_belt(values: Mapping[str, Decimal], _sitting: Sitting) -> Frames:
    pulse = int(values["pulse"])
    return (("2A37", bytes(HeartRate(pulse=pulse, contact=True, rr=(60 * 1024 // pulse,)))),)


_DEVICES: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, Decimal], Sitting], Frames]]] = {
    "oximeter": (("spo2", "pulse"), _oximeter),
    "scale": (("weight",), _scale),
    "body_scale": (("weight",), _body_scale),
    "mi_scale": (("weight",), _mi_scale),
    "cuff": (("systolic", "diastolic", "pulse"), _cuff),
    "thermometer": (("temperature",), _thermometer),
    "glucometer": (("glucose",), _glucometer),
    "pulse_belt": (("pulse",), _pulse_belt),
}
KINDS = tuple(_DEVICES)
