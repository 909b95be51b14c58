"""Service data of the Mi scales: 0x181D (scale) and 0x181B (body composition scale).

No specification is published. Layout as openScale and several other readers describe it: a control field, date and
time, the weight in 1/200 kg, or in 1/100 of pounds or catties; the newer scale adds an impedance in ohm.
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from device_sims.encode.numbers import date_time, steps, whole


class MiUnit(StrEnum):
    """What the scale was set to."""

    KILOGRAM = "kg"
    POUND = "lb"
    CATTY = "jin"


_POUND, _ALWAYS, _CATTY, _STABILISED, _REMOVED = 1 << 0, 1 << 1, 1 << 4, 1 << 5, 1 << 7
_IMPEDANCE, _ALWAYS_TOO = 1 << 1, 1 << 2  # second control byte of the body composition scale
_UNIT_BITS = {MiUnit.KILOGRAM: 0, MiUnit.POUND: _POUND, MiUnit.CATTY: _CATTY}
_STEPS = {MiUnit.KILOGRAM: Decimal("0.005"), MiUnit.POUND: Decimal("0.01"), MiUnit.CATTY: Decimal("0.01")}


@dataclass(frozen=True, slots=True, kw_only=True)
class MiWeighing:
    """What a Mi scale says to everybody; `weight` in its unit. `impedance` makes it a frame of the newer scale."""

    weight: Decimal
    shown: datetime | None  # None: the clock was never set, and begins in 1970
    unit: MiUnit = MiUnit.KILOGRAM
    stabilised: bool = True
    removed: bool = False

    def __bytes__(self) -> bytes:
        """A frame of the scale (0x181D)."""
        control = _ALWAYS | _UNIT_BITS[self.unit] | self._state()
        return bytes([control]) + self._weight() + self._time()

    def with_impedance(self, ohm: int | None) -> bytes:
        """A frame of the body composition scale (0x181B); None while it has not measured through both feet."""
        state = self._state() | _ALWAYS_TOO | (0 if ohm is None else _IMPEDANCE)
        control = bytes([_ALWAYS | _UNIT_BITS[self.unit], state])
        return control + self._time() + whole(ohm or 0, 2, "impedance") + self._weight()

    def _state(self) -> int:
        return (_STABILISED if self.stabilised else 0) | (_REMOVED if self.removed else 0)

    def _weight(self) -> bytes:
        return steps(self.weight, _STEPS[self.unit], "weight")

    def _time(self) -> bytes:
        return struct.pack("<H5B", 1970, 1, 1, 0, 0, 0) if self.shown is None else date_time(self.shown)


def unsettled(frame: bytes) -> bytes:
    """The same frame (of either scale) before the weight has settled."""
    return _with_state(frame, clear=_STABILISED)


def stepped_off(frame: bytes) -> bytes:
    """The same frame after the person has stepped off."""
    return _with_state(frame, set_=_REMOVED)


def _with_state(frame: bytes, *, clear: int = 0, set_: int = 0) -> bytes:
    at = 0 if len(frame) == _SCALE_BYTES else 1
    return frame[:at] + bytes([frame[at] & ~clear | set_]) + frame[at + 1 :]


_SCALE_BYTES = 10
