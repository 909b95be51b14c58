"""What the radio asks of each kind of device: its services and the characteristics that carry measurements."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

BATTERY_SERVICE = "180F"
BATTERY_LEVEL = "2A19"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """16-bit UUIDs in upper-case hex. Whatever of `measurements` a device has is subscribed, in this order."""

    service: str
    measurements: tuple[str, ...]


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "oximeter": Kind(service="1822", measurements=("2A5E", "2A5F")),
        "scale": Kind(service="181D", measurements=("2A9D",)),
    }
)
