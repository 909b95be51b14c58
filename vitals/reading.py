"""The values that walk the street: one act of measuring (a reading) and its scalar measurements."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from vitals.frozen import quick

ReadingId = NewType("ReadingId", str)  # UUID, made at the gateway
GatewayId = NewType("GatewayId", str)
DeviceId = NewType("DeviceId", str)  # Bluetooth address or serial number, upper case


class Quality(StrEnum):
    """Whether the device itself vouches for the values (motion, probe off and low perfusion do not)."""

    GOOD = "good"
    POOR = "poor"


class ClockSource(StrEnum):
    """Where `taken_at` comes from."""

    DEVICE = "device"  # the device's own clock, believed
    CORRECTED = "corrected"  # the device's clock, moved by the offset seen at connection
    GATEWAY = "gateway"  # the device had no usable clock: when the gateway heard it


class Extreme(StrEnum):
    """A device's word for a value it could not put a number to."""

    LO = "LO"  # below what the device can measure
    HI = "HI"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value of one metric in its canonical unit, exact as the device gave it."""

    metric: str
    value: Decimal | Extreme


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One act of measuring, sent, deduplicated and stored as a whole.

    `taken_at` is aware UTC; `offset_s` is what was added to the device's clock to get it.
    `measurements` may be empty when the device said it got no value; `flags` then say why.
    """

    id: ReadingId
    device: DeviceId
    taken_at: datetime
    clock: ClockSource
    measurements: tuple[Measurement, ...]
    offset_s: int = 0
    model: str | None = None
    quality: Quality = Quality.GOOD
    flags: tuple[str, ...] = ()
    battery: int | None = None  # percent


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFrame:
    """Bytes of a device that no profile could read, kept whole so that a person can look at them."""

    id: ReadingId
    device: DeviceId
    model: str | None
    characteristic: str  # 16-bit UUID in hex, upper case: "2A5E"
    frame: bytes
    heard_at: datetime
    reason: str
