"""From a device's bytes to values: pure, exact and strict. What cannot be read is refused, never guessed."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from gateway.profiles import blood_pressure, mi_scale
from gateway.profiles.battery import battery_level
from gateway.profiles.body_composition import body_composition_measurement
from gateway.profiles.current_time import current_time
from gateway.profiles.decoded import CLOCK_NOT_SET, Decoded, DecodeError, Special
from gateway.profiles.glucose import glucose_context, glucose_measurement
from gateway.profiles.heart_rate import heart_rate_measurement
from gateway.profiles.octets import Octets
from gateway.profiles.pulse_oximeter import continuous, spot_check
from gateway.profiles.quirks import Quirk, quirk_of
from gateway.profiles.thermometer import temperature_measurement
from gateway.profiles.weight_scale import weight_measurement

__all__ = ["CLOCK_NOT_SET", "PROFILES", "DecodeError", "Decoded", "Special", "decode", "render", "short_uuid"]

PROFILES: Mapping[str, Callable[[Octets, Quirk], Decoded]] = MappingProxyType(
    {
        "2A18": glucose_measurement,
        "2A19": battery_level,
        "2A1C": temperature_measurement,
        "2A2B": current_time,
        "2A34": glucose_context,
        "2A35": blood_pressure.measurement,
        "2A36": blood_pressure.intermediate,
        "2A37": heart_rate_measurement,
        "2A5E": spot_check,
        "2A5F": continuous,
        "2A9C": body_composition_measurement,
        "2A9D": weight_measurement,
        # Service data of advertisements, by the service's own UUID.
        "181B": mi_scale.composition_scale,
        "181D": mi_scale.scale,
    }
)

# 0000xxxx-0000-1000-8000-00805F9B34FB: the Bluetooth base UUID, of which 16-bit UUIDs are short forms.
_UUID = re.compile(r"(?:0x)?([0-9a-f]{4})|0000([0-9a-f]{4})-0000-1000-8000-00805f9b34fb", re.IGNORECASE)


def short_uuid(text: str) -> str:
    """The 16-bit UUID of a characteristic, "2A5E", from its short or 128-bit form; raises `DecodeError`."""
    match = _UUID.fullmatch(text.strip())
    if match is None:
        raise DecodeError(f"characteristic {text[:40]!r} is not a 16-bit Bluetooth UUID such as 2A5E")
    return (match[1] or match[2]).upper()


def decode(characteristic: str, frame: bytes, model: str | None = None) -> Decoded:
    """What `frame` says, by the specification or by the quirk of `model`; raises `DecodeError`."""
    uuid = short_uuid(characteristic)
    if uuid not in PROFILES:
        raise DecodeError(f"no profile reads characteristic {uuid}; known: {', '.join(PROFILES)}")
    return PROFILES[uuid](Octets(frame), quirk_of(uuid, model))


def render(decoded: Decoded) -> dict[str, Any]:
    """`decoded` as a JSON-able mapping: metrics, taken_at (the device's local time), special, flags."""
    return {
        "metrics": {name: None if value is None else _plain(value) for name, value in decoded.metrics.items()},
        "taken_at": None if decoded.taken_at is None else decoded.taken_at.isoformat(),
        "special": {name: value.value for name, value in decoded.special.items()},
        "flags": list(decoded.flags),
    }


def _plain(value: Decimal) -> int | float:
    """`value` as the number that JSON prints with the same digits; 7 of a FLOAT, 13 of pounds, and a float keeps 15."""
    whole = int(value)
    return whole if whole == value else float(value)
