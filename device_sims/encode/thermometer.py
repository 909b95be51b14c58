"""Health Thermometer Service 1.0: temperature measurement (0x2A1C)."""

from dataclasses import dataclass
from datetime import datetime

from device_sims.encode.numbers import Sfloat, date_time, flag_bits, float32, whole

# GATT Specification Supplement, Temperature Type (0x2A1D).
EAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """A temperature in degrees Celsius, in Fahrenheit with `fahrenheit`; `site` is the temperature type."""

    value: Sfloat
    fahrenheit: bool = False
    taken_at: datetime | None = None
    with_time: bool = False
    site: int | None = None

    def __bytes__(self) -> bytes:
        timed = self.with_time or self.taken_at is not None
        flags = flag_bits(self.fahrenheit, timed, self.site)
        time = date_time(self.taken_at) if timed else b""
        return bytes([flags]) + float32(self.value) + time + (b"" if self.site is None else whole(self.site, 1, "site"))
