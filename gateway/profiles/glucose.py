"""Glucose Service 1.0.1: measurement (0x2A18), its context (0x2A34), and the record access control point (0x2A52)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum, IntFlag

from gateway.profiles.date_time import date_time
from gateway.profiles.decoded import CLOCK_NOT_SET, Decoded, DecodeError, Number, Special, split, words
from gateway.profiles.ieee11073 import sfloat
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk
from vitals.reading import Quality
from vitals.units import to_canonical


class GlucoseFlags(IntFlag):
    """GLS 1.0.1, 3.1.1.1."""

    TIME_OFFSET = 1
    CONCENTRATION = 2
    MOL_PER_LITRE = 4  # else kg per litre
    SENSOR_STATUS = 8
    CONTEXT_FOLLOWS = 16


class GlucoseStatus(IntFlag):
    """GLS 1.0.1, Sensor Status Annunciation field, 16 bits; 12 to 15 are reserved."""

    BATTERY_LOW = 1 << 0
    SENSOR_MALFUNCTION = 1 << 1
    SAMPLE_SIZE_INSUFFICIENT = 1 << 2
    STRIP_INSERTION_ERROR = 1 << 3
    STRIP_TYPE_INCORRECT = 1 << 4
    RESULT_TOO_HIGH = 1 << 5
    RESULT_TOO_LOW = 1 << 6
    TEMPERATURE_TOO_HIGH = 1 << 7
    TEMPERATURE_TOO_LOW = 1 << 8
    STRIP_PULLED_TOO_SOON = 1 << 9
    GENERAL_FAULT = 1 << 10
    TIME_FAULT = 1 << 11


# The battery, the clock and the end of the scale say nothing against the measurement itself; the rest does.
_HARMLESS = (
    GlucoseStatus.BATTERY_LOW | GlucoseStatus.RESULT_TOO_HIGH | GlucoseStatus.RESULT_TOO_LOW | GlucoseStatus.TIME_FAULT
)
_CONTROL_TYPE, _CONTROL_LOCATION = 10, 4  # Type and Sample Location: control solution
_OVERRUN, _UNDERRUN = 0x7FFF, -0x8000  # Time Offset: more than the field can say


def glucose_measurement(octets: Octets, quirk: Quirk) -> Decoded:
    """One stored record, in mmol/L; raises `DecodeError`.

    `taken_at` is the base time moved by the time offset, which is what the meter's own display showed. A test of the
    meter with control solution is no measurement.
    """
    present = octets.flags(GlucoseFlags, quirk.ignored_flags)
    sequence = octets.unsigned(2, "sequence number")
    taken_at = date_time(octets)
    offset = octets.signed(2, "time offset") if GlucoseFlags.TIME_OFFSET in present else 0
    value, control = None, False
    if GlucoseFlags.CONCENTRATION in present:
        value = sfloat(octets, "glucose concentration")
        kind = octets.unsigned(1, "type and sample location")
        control = kind & 0x0F == _CONTROL_TYPE or kind >> 4 == _CONTROL_LOCATION
    has_status = GlucoseFlags.SENSOR_STATUS in present
    status = GlucoseStatus(octets.unsigned(2, "sensor status") if has_status else 0)
    octets.end()
    unit = "mol/L" if GlucoseFlags.MOL_PER_LITRE in present else "kg/L"
    metrics, special = split(_value(value, status, unit))
    return Decoded(
        metrics=metrics,
        special=special,
        taken_at=_moved(taken_at, offset),
        flags=(
            *words(status),
            *((CLOCK_NOT_SET,) if GlucoseStatus.TIME_FAULT in status or offset in (_OVERRUN, _UNDERRUN) else ()),
            *(("control_solution",) if control else ()),
        ),
        quality=Quality.POOR if int(status) & ~int(_HARMLESS) else Quality.GOOD,
        sequence=sequence,
        no_measurement="control_solution" if control else None if metrics else "no_value",
    )


def _value(value: Number | None, status: GlucoseStatus, unit: str) -> dict[str, Number]:
    """What the meter says: its own word for too high or too low goes before any number beside it."""
    if GlucoseStatus.RESULT_TOO_HIGH in status:
        return {"glucose": Special.PLUS_INFINITY}
    if GlucoseStatus.RESULT_TOO_LOW in status:
        return {"glucose": Special.MINUS_INFINITY}
    if value is None:
        return {}
    return {"glucose": to_canonical("glucose", value, unit) if isinstance(value, Decimal) else value}


def _moved(base: datetime | None, minutes: int) -> datetime | None:
    if base is None or minutes in (_OVERRUN, _UNDERRUN):
        return base
    try:
        return base + timedelta(minutes=minutes)
    except OverflowError:
        raise DecodeError(f"time offset: {minutes} minutes from {base} is no date") from None


class ContextFlags(IntFlag):
    """GLS 1.0.1, 3.2.1.1."""

    CARBOHYDRATE = 1
    MEAL = 2
    TESTER_AND_HEALTH = 4
    EXERCISE = 8
    MEDICATION = 16
    MEDICATION_IN_LITRES = 32
    HBA1C = 64
    EXTENDED = 128


_GRAMS = 1000  # in the kilogram that the field counts in
_MEALS = {1: "before_meal", 2: "after_meal", 3: "fasting", 4: "casual", 5: "bedtime"}


def glucose_context(octets: Octets, quirk: Quirk) -> Decoded:
    """What a person noted beside the record with the same sequence number; raises `DecodeError`."""
    present = octets.flags(ContextFlags, quirk.ignored_flags)
    sequence = octets.unsigned(2, "sequence number")
    if ContextFlags.EXTENDED in present:
        octets.unsigned(1, "extended flags")
    details = {}
    if ContextFlags.CARBOHYDRATE in present:
        octets.unsigned(1, "carbohydrate id")
        eaten = sfloat(octets, "carbohydrate")
        details = {"carbohydrate_g": eaten * _GRAMS} if isinstance(eaten, Decimal) else {}
    meal = _MEALS.get(octets.unsigned(1, "meal"), "meal_unknown") if ContextFlags.MEAL in present else None
    if ContextFlags.TESTER_AND_HEALTH in present:
        octets.unsigned(1, "tester and health")
    if ContextFlags.EXERCISE in present:
        octets.unsigned(2, "exercise duration")
        octets.unsigned(1, "exercise intensity")
    if ContextFlags.MEDICATION in present:
        octets.unsigned(1, "medication id")
        sfloat(octets, "medication")
    if ContextFlags.HBA1C in present:
        sfloat(octets, "HbA1c")
    octets.end()
    flags = () if meal is None else (meal,)
    return Decoded(flags=(*flags, "context"), sequence=sequence, details=details, no_measurement="context")


def announces_context(frame: bytes) -> bool:
    """Whether a measurement that was read says that its context follows it."""
    return GlucoseFlags.CONTEXT_FOLLOWS in GlucoseFlags(frame[0] & sum(GlucoseFlags))


class RecordAccess(IntEnum):
    """GLS 1.0.1, 3.4: what may be asked of the meter's memory. Deleting (2) is never asked and has no name here."""

    REPORT = 1
    ABORT = 3
    COUNT = 4
    COUNT_RESPONSE = 5
    RESPONSE = 6


ALL_RECORDS = bytes((RecordAccess.REPORT, 1))
_SUCCESS, _NO_RECORDS = 1, 6
_NULL, _GREATER_OR_EQUAL, _BY_SEQUENCE = 0, 3, 1


def records_from(sequence: int) -> bytes:
    """The request for every record with this sequence number or a later one."""
    return bytes((RecordAccess.REPORT, _GREATER_OR_EQUAL, _BY_SEQUENCE)) + sequence.to_bytes(2, "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessResponse:
    """How the meter ended a request: `done`, with or without records, or `code` of what it did not like."""

    request: int
    code: int

    @property
    def done(self) -> bool:
        return self.code in (_SUCCESS, _NO_RECORDS)


def access_response(frame: bytes) -> AccessResponse:
    """The indication that ends a request: 06 00 01 01; raises `DecodeError`."""
    octets = Octets(frame)
    said, operator = octets.unsigned(1, "op code"), octets.unsigned(1, "operator")
    if said != RecordAccess.RESPONSE or operator != _NULL:
        raise DecodeError(f"record access: {frame.hex()} is no response to a request")
    response = AccessResponse(request=octets.unsigned(1, "request"), code=octets.unsigned(1, "response code"))
    octets.end()
    return response
