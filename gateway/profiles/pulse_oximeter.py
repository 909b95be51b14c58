"""Pulse Oximeter Service 1.0.1: spot-check (0x2A5E) and continuous (0x2A5F) measurements."""

from datetime import datetime
from decimal import Decimal
from enum import IntFlag

from gateway.profiles.date_time import date_time
from gateway.profiles.decoded import CLOCK_NOT_SET, Decoded, Number, split, words
from gateway.profiles.ieee11073 import sfloat
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk
from vitals.reading import Quality


class SpotCheckFlags(IntFlag):
    """PLXS 1.0.1, 3.1.1.1."""

    TIME_STAMP = 1
    MEASUREMENT_STATUS = 2
    DEVICE_AND_SENSOR_STATUS = 4
    PULSE_AMPLITUDE_INDEX = 8
    CLOCK_NOT_SET = 16


class ContinuousFlags(IntFlag):
    """PLXS 1.0.1, 3.2.1.1."""

    FAST = 1
    SLOW = 2
    MEASUREMENT_STATUS = 4
    DEVICE_AND_SENSOR_STATUS = 8
    PULSE_AMPLITUDE_INDEX = 16


class MeasurementStatus(IntFlag):
    """PLXS 1.0.1, Measurement Status field, 16 bits; 0 to 4 are reserved."""

    MEASUREMENT_ONGOING = 1 << 5
    EARLY_ESTIMATED = 1 << 6
    VALIDATED = 1 << 7
    FULLY_QUALIFIED = 1 << 8
    FROM_STORAGE = 1 << 9
    DEMONSTRATION = 1 << 10
    TESTING = 1 << 11
    CALIBRATION_ONGOING = 1 << 12
    MEASUREMENT_UNAVAILABLE = 1 << 13
    QUESTIONABLE_MEASUREMENT = 1 << 14
    INVALID_MEASUREMENT = 1 << 15


class SensorStatus(IntFlag):
    """PLXS 1.0.1, Device and Sensor Status field, 24 bits; 16 to 23 are reserved. A probe is its sensor on a finger."""

    EXTENDED_DISPLAY_UPDATE = 1 << 0
    EQUIPMENT_MALFUNCTION = 1 << 1
    SIGNAL_IRREGULARITY = 1 << 2
    INADEQUATE_SIGNAL = 1 << 3
    POOR_SIGNAL = 1 << 4
    LOW_PERFUSION = 1 << 5
    ERRATIC_SIGNAL = 1 << 6
    NONPULSATILE_SIGNAL = 1 << 7
    QUESTIONABLE_PULSE = 1 << 8
    SIGNAL_ANALYSIS_ONGOING = 1 << 9
    SENSOR_INTERFERENCE = 1 << 10
    PROBE_OFF = 1 << 11  # "Sensor Unconnected to User"
    UNKNOWN_SENSOR = 1 << 12
    PROBE_DISPLACED = 1 << 13
    SENSOR_MALFUNCTION = 1 << 14
    SENSOR_DISCONNECTED = 1 << 15


# The device vouches for its number only when it says nothing else than this. Everything else, a bit without a meaning
# yet included, makes the reading poor: it may raise a question, never give an answer.
_VOUCHED = (
    MeasurementStatus.MEASUREMENT_ONGOING
    | MeasurementStatus.VALIDATED
    | MeasurementStatus.FULLY_QUALIFIED
    | MeasurementStatus.FROM_STORAGE
)


def spot_check(octets: Octets, quirk: Quirk) -> Decoded:
    """A single measurement, with the device's time when it has one; raises `DecodeError`."""
    present = octets.flags(SpotCheckFlags, quirk.ignored_flags)
    numbers = {"spo2": sfloat(octets, "spo2"), "pulse": sfloat(octets, "pulse")}
    taken_at = date_time(octets) if SpotCheckFlags.TIME_STAMP in present else None
    status = _status(
        octets,
        measurement=SpotCheckFlags.MEASUREMENT_STATUS in present,
        sensor=SpotCheckFlags.DEVICE_AND_SENSOR_STATUS in present,
    )
    amplitude = _amplitude(octets, present=SpotCheckFlags.PULSE_AMPLITUDE_INDEX in present)
    octets.end()
    clock = (CLOCK_NOT_SET,) if SpotCheckFlags.CLOCK_NOT_SET in present else ()
    return _decoded(numbers, amplitude, status, clock=clock, taken_at=taken_at)


def continuous(octets: Octets, quirk: Quirk) -> Decoded:
    """One moment of a stream: the normal averaging counts, fast and slow ones are details; raises `DecodeError`."""
    present = octets.flags(ContinuousFlags, quirk.ignored_flags)
    numbers = {"spo2": sfloat(octets, "spo2"), "pulse": sfloat(octets, "pulse")}
    details: dict[str, Number] = {}
    for flag, name in ((ContinuousFlags.FAST, "fast"), (ContinuousFlags.SLOW, "slow")):
        if flag in present:
            details[f"spo2_{name}"] = sfloat(octets, f"spo2, {name}")
            details[f"pulse_{name}"] = sfloat(octets, f"pulse, {name}")
    status = _status(
        octets,
        measurement=ContinuousFlags.MEASUREMENT_STATUS in present,
        sensor=ContinuousFlags.DEVICE_AND_SENSOR_STATUS in present,
    )
    details |= _amplitude(octets, present=ContinuousFlags.PULSE_AMPLITUDE_INDEX in present)
    octets.end()
    return _decoded(numbers, details, status)


def _status(octets: Octets, *, measurement: bool, sensor: bool) -> tuple[MeasurementStatus, SensorStatus]:
    first = octets.unsigned(2, "measurement status") if measurement else 0
    second = octets.unsigned(3, "device and sensor status") if sensor else 0
    return MeasurementStatus(first), SensorStatus(second)


def _amplitude(octets: Octets, *, present: bool) -> dict[str, Number]:
    return {"pulse_amplitude_index": sfloat(octets, "pulse amplitude index")} if present else {}


def _decoded(
    numbers: dict[str, Number],
    details: dict[str, Number],
    status: tuple[MeasurementStatus, SensorStatus],
    *,
    clock: tuple[str, ...] = (),
    taken_at: datetime | None = None,
) -> Decoded:
    measurement, sensor = status
    metrics, special = split(numbers)
    return Decoded(
        metrics=metrics,
        special=special,
        taken_at=taken_at,
        flags=clock + tuple(words(measurement)) + tuple(words(sensor)),
        quality=Quality.POOR if int(measurement) & ~int(_VOUCHED) or sensor else Quality.GOOD,
        details={name: value for name, value in details.items() if isinstance(value, Decimal)},
    )
