"""The Date Time field (0x2A08): year, month, day, hours, minutes, seconds in the device's own local time."""

from datetime import datetime

from gateway.profiles.decoded import DecodeError
from gateway.profiles.octets import Octets

_YEAR_MIN, _YEAR_MAX = 1582, 9999  # GATT Specification Supplement, Date Time


def date_time(octets: Octets) -> datetime | None:
    """The next 7 bytes, naive; None when year, month or day is 0, which means unknown.

    Raises `DecodeError` for a date or time that does not exist.
    """
    year = octets.unsigned(2, "time stamp")
    month, day, hour, minute, second = octets.take(5, "time stamp")
    unknown = 0 in (year, month, day)
    try:
        # An unknown date may stand beside a known time: what is there must still be possible (2000 was a leap year).
        moment = datetime(year or 2000, month or 1, day or 1, hour, minute, second)  # noqa: DTZ001 - local by definition
    except ValueError as error:
        raise DecodeError(f"time stamp: {error}") from None
    if year and not _YEAR_MIN <= year <= _YEAR_MAX:
        raise DecodeError(f"time stamp: year {year} is outside {_YEAR_MIN} to {_YEAR_MAX}")
    return None if unknown else moment
