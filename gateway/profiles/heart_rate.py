"""Heart Rate Service 1.0: heart rate measurement (0x2A37)."""

from decimal import Decimal
from enum import IntFlag

from gateway.profiles.decoded import Decoded
from gateway.profiles.octets import Octets
from gateway.profiles.quirks import Quirk
from vitals.reading import Quality


class HeartRateFlags(IntFlag):
    """HRS 1.0, 3.1.1.1; 5 to 7 are reserved."""

    SIXTEEN_BITS = 1
    CONTACT = 2
    CONTACT_SUPPORTED = 4
    ENERGY_EXPENDED = 8
    RR_INTERVALS = 16


def heart_rate_measurement(octets: Octets, quirk: Quirk) -> Decoded:
    """The pulse in /min; a sensor that has lost its contact gives a poor one; raises `DecodeError`."""
    present = octets.flags(HeartRateFlags, quirk.ignored_flags)
    pulse = octets.unsigned(2 if HeartRateFlags.SIXTEEN_BITS in present else 1, "pulse")
    details: dict[str, Decimal] = {}
    if HeartRateFlags.ENERGY_EXPENDED in present:
        details["energy_expended"] = Decimal(octets.unsigned(2, "energy expended"))  # kJ since the last reset
    if HeartRateFlags.RR_INTERVALS in present:
        octets.unsigned(2, "RR interval")  # announced: at least one
        while octets.left:
            octets.unsigned(2, "RR interval")
    octets.end()
    contact_lost = HeartRateFlags.CONTACT_SUPPORTED in present and HeartRateFlags.CONTACT not in present
    return Decoded(
        metrics={"pulse": Decimal(pulse)},
        flags=("no_contact",) if contact_lost else (),
        quality=Quality.POOR if contact_lost else Quality.GOOD,
        details=details,
    )
