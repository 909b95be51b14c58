"""Current Time Service 1.1: what the device's clock shows (0x2A2B)."""

from enum import IntFlag

from gateway.profiles.date_time import date_time
from gateway.profiles.decoded import Decoded, DecodeError, words
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk


class AdjustReason(IntFlag):
    """CTS 1.1, 3.1.2.1."""

    MANUAL_TIME_UPDATE = 1
    EXTERNAL_REFERENCE_TIME_UPDATE = 2
    CHANGE_OF_TIME_ZONE = 4
    CHANGE_OF_DST = 8


def current_time(octets: Octets, quirk: Quirk) -> Decoded:
    """The device's local time; nobody was measured; raises `DecodeError`."""
    taken_at = date_time(octets)
    weekday = octets.unsigned(1, "day of week")  # 1 Monday .. 7 Sunday, 0 unknown
    octets.unsigned(1, "fractions of a second")
    reason = AdjustReason(octets.unsigned(1, "adjust reason"))
    octets.end()
    if weekday > 7:
        raise DecodeError(f"day of week: {weekday} is not 1 (Monday) to 7, or 0 for unknown")
    return Decoded(taken_at=taken_at, flags=(*words(reason), "clock"), no_measurement="clock")
