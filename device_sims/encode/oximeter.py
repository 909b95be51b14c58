"""Pulse Oximeter Service 1.0.1: spot check (0x2A5E) and continuous measurement (0x2A5F)."""

from dataclasses import dataclass
from datetime import datetime

from device_sims.encode.numbers import Sfloat, date_time, flag_bits, sfloat


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
        optional = self.measurement_status, self.sensor_status, self.pulse_amplitude
        flags = flag_bits(timed, *optional, self.clock_not_set)
        time = date_time(self.taken_at) if timed else b""
        return bytes([flags]) + sfloat(self.spo2) + sfloat(self.pulse) + time + _status(*optional)


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
        optional = self.measurement_status, self.sensor_status, self.pulse_amplitude
        flags = flag_bits(self.fast, self.slow, *optional)
        pairs = [(self.spo2, self.pulse), *(each for each in (self.fast, self.slow) if each is not None)]
        numbers = b"".join(sfloat(number) for pair in pairs for number in pair)
        return bytes([flags]) + numbers + _status(*optional)


def _status(measurement: int | None, sensor: int | None, amplitude: Sfloat | None) -> bytes:
    first = b"" if measurement is None else measurement.to_bytes(2, "little")
    second = b"" if sensor is None else sensor.to_bytes(3, "little")
    return first + second + (b"" if amplitude is None else sfloat(amplitude))
