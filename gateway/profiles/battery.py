"""Battery Level (0x2A19)."""

from decimal import Decimal

from gateway.profiles.decoded import Decoded, DecodeError
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk


def battery_level(octets: Octets, quirk: Quirk) -> Decoded:
    """Percent, 0 to 100; raises `DecodeError`."""
    level = octets.unsigned(1, "battery level")
    octets.end()
    if level > 100:
        raise DecodeError(f"battery level: {level} % is more than 100")
    return Decoded(metrics={"battery": Decimal(level)})
