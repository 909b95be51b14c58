"""Xiaomi scales, which tell their weight in the service data of advertisements (0x181D, 0x181B); nobody connects.

The layout is Xiaomi's own, known from captures only. Source: Bluetooth-Devices/xiaomi-ble, tests/test_parser.py;
wiecosystem/Bluetooth, doc/devices/huami.health.scale2.md.
"""

from decimal import Decimal
from enum import IntFlag

from gateway.profiles.date_time import date_time
from gateway.profiles.decoded import Decoded
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk
from vitals.units import to_canonical


class ScaleBits(IntFlag):
    """Control byte of the plain scale."""

    POUND = 1 << 0
    CATTY = 1 << 4
    STABILISED = 1 << 5
    OBJECT = 1 << 6
    REMOVED = 1 << 7


class CompositionBits(IntFlag):
    """The two control bytes of the body composition scale, the first one low."""

    POUND = 1 << 0
    IMPEDANCE = 1 << 9
    STABILISED = 1 << 13
    CATTY = 1 << 14
    REMOVED = 1 << 15


_COMPOSITION_BYTES = 13
_KILOGRAM_STEP = Decimal("0.005")  # 200 steps a kilogram; 100 a catty, which is half a kilogram
_POUND_STEP = Decimal("0.01")


def scale(octets: Octets, quirk: Quirk) -> Decoded:
    """What the plain scale advertises: 10 bytes; raises `DecodeError`."""
    bits = ScaleBits(octets.unsigned(1, "control") & sum(ScaleBits))
    weight = _weight(octets, pounds=ScaleBits.POUND in bits)
    taken_at = date_time(octets)
    octets.end()
    reason = _no_measurement(
        stabilised=ScaleBits.STABILISED in bits,
        removed=ScaleBits.REMOVED in bits,
        thing=ScaleBits.OBJECT in bits,
    )
    flags = () if reason is None else (reason,)
    return Decoded(metrics={"weight": weight}, taken_at=taken_at, flags=flags, no_measurement=reason)


def composition_scale(octets: Octets, quirk: Quirk) -> Decoded:
    """What the body composition scale advertises: 13 bytes; impedance in Ohm is a detail; raises `DecodeError`."""
    bits = CompositionBits(octets.unsigned(2, "control") & sum(CompositionBits))
    taken_at = date_time(octets)
    impedance = octets.unsigned(2, "impedance")
    weight = _weight(octets, pounds=CompositionBits.POUND in bits)
    octets.end()
    reason = _no_measurement(
        stabilised=CompositionBits.STABILISED in bits, removed=CompositionBits.REMOVED in bits, thing=False
    )
    return Decoded(
        metrics={"weight": weight},
        taken_at=taken_at,
        flags=() if reason is None else (reason,),
        details={"impedance": Decimal(impedance)} if CompositionBits.IMPEDANCE in bits else {},
        no_measurement=reason,
    )


_IMPEDANCE_AT = slice(9, 11)  # behind two control bytes and a date of seven


def without_impedance(frame: bytes) -> bytes:
    """The composition scale's frame as it is before the impedance is known; anything else as it is."""
    if len(frame) != _COMPOSITION_BYTES:
        return frame
    bits = int.from_bytes(frame[:2], "little") & ~CompositionBits.IMPEDANCE
    return bits.to_bytes(2, "little") + frame[2 : _IMPEDANCE_AT.start] + b"\0\0" + frame[_IMPEDANCE_AT.stop :]


def _weight(octets: Octets, *, pounds: bool) -> Decimal:
    raw = octets.unsigned(2, "weight")
    return to_canonical("weight", raw * _POUND_STEP, "[lb_av]") if pounds else raw * _KILOGRAM_STEP


def _no_measurement(*, stabilised: bool, removed: bool, thing: bool) -> str | None:
    """A scale goes on advertising: only a settled weight with somebody still on it is a new one."""
    if not stabilised:
        return "not_stabilised"
    if removed:
        return "weight_removed"
    return "not_a_person" if thing else None
