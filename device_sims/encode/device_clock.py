"""Current Time Service 1.1 (0x2A2B) and Battery Service 1.0 (0x2A19)."""

import struct
from datetime import datetime

from device_sims.encode.numbers import EncodeError, date_time


def current_time(local: datetime | None, *, adjust_reason: int = 0) -> bytes:
    """Ten bytes of a device's own clock: date and time, day of the week, 1/256 seconds, why it was set last.

    None is a clock that was never set: no date, no day of the week.
    """
    if local is None:
        return date_time(None) + bytes([0, 0, adjust_reason])
    return date_time(local) + bytes([local.isoweekday(), local.microsecond * 256 // 1_000_000, adjust_reason])


def time_written(frame: bytes) -> datetime:
    """What a central wrote to 0x2A2B, to the second (naive local time); raises `EncodeError`."""
    if len(frame) != 10:
        raise EncodeError(f"current time: {len(frame)} bytes instead of 10")
    try:
        return datetime(*struct.unpack_from("<H5B", frame))  # noqa: DTZ001 - a device knows no zone
    except ValueError as error:
        raise EncodeError(f"current time: {error}") from None


def battery(percent: int) -> bytes:
    """A battery level (0x2A19)."""
    if not 0 <= percent <= 100:
        raise EncodeError(f"battery: {percent} % is outside 0 to 100")
    return bytes([percent])
