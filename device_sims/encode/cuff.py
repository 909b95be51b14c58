"""Blood Pressure Service 1.1.1: measurement (0x2A35) and intermediate cuff pressure (0x2A36)."""

from dataclasses import dataclass
from datetime import datetime

from device_sims.encode.numbers import Sfloat, date_time, flag_bits, sfloat, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressure:
    """A blood pressure measurement (0x2A35). Pressures in mmHg, in kPa with `kilopascal`; `status` is the raw field."""

    systolic: Sfloat
    diastolic: Sfloat
    mean: Sfloat
    kilopascal: bool = False
    taken_at: datetime | None = None
    with_time: bool = False
    pulse: Sfloat | None = None
    user: int | None = None
    status: int | None = None

    def __bytes__(self) -> bytes:
        timed = self.with_time or self.taken_at is not None
        flags = flag_bits(self.kilopascal, timed, self.pulse, self.user, self.status)
        parts = [bytes([flags]), *(sfloat(each) for each in (self.systolic, self.diastolic, self.mean))]
        parts += [date_time(self.taken_at)] if timed else []
        parts += [sfloat(self.pulse)] if self.pulse is not None else []
        parts += [whole(self.user, 1, "user")] if self.user is not None else []
        parts += [whole(self.status, 2, "status")] if self.status is not None else []
        return b"".join(parts)


def cuff_pressure(pressure: Sfloat) -> bytes:
    """An intermediate cuff pressure (0x2A36) in mmHg: what the measurement calls systolic; the other two are NaN."""
    return bytes(BloodPressure(systolic=pressure, diastolic="NaN", mean="NaN"))
