"""The Current Time characteristic (0x2A2B) of a device that has a clock."""

from typing import Any

from bumble import att

from device_sims import gatt_server as gatt
from device_sims.device_clock import DeviceClock
from device_sims.encode import EncodeError, current_time, time_written

_DATA_FIELD_IGNORED = 0x80  # CTS 1.1, 1.6: application error


def clock_characteristic(voice: gatt.Voice, clock: DeviceClock) -> gatt.CheckedCharacteristic:
    """Shows the device's clock, and sets it when written."""

    def read(_bearer: Any) -> bytes:
        return current_time(clock.shown())

    def write(_bearer: Any, frame: bytes) -> None:
        try:
            clock.set(time_written(bytes(frame)))
        except EncodeError:
            length = att.ATT_INVALID_ATTRIBUTE_LENGTH_ERROR
            raise att.ATT_Error(error_code=length if len(frame) != 10 else _DATA_FIELD_IGNORED) from None

    return voice.settable(0x2A2B, att.AttributeValueV2(read=read, write=write))
