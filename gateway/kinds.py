"""What the radio asks of each kind of device, as data: its services and the characteristics that carry measurements."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

BATTERY_SERVICE = "180F"
BATTERY_LEVEL = "2A19"
TIME_SERVICE = "1805"
CURRENT_TIME = "2A2B"
CONTEXT = "2A34"
COMPOSITION_SCALE = "181B"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """16-bit UUIDs in upper-case hex.

    Whatever of `measurements` a device has in its `services` is subscribed, in this order. `records` is the control
    point through which a memory has to be asked before it says anything; what it is asked for comes on `recorded`.
    A kind with `broadcasts` tells everything in its advertisements' service data and is never connected to. `rest`
    are the seconds between two visits to a device that has something to say all the time.
    """

    services: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()
    records: str | None = None
    recorded: str | None = None
    broadcasts: tuple[str, ...] = ()
    rest: float = 0.0


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "oximeter": Kind(services=("1822",), measurements=("2A5E", "2A5F")),
        "scale": Kind(services=("181D",), measurements=("2A9D",)),
        # The weight first: it is what the plan asks for, and some scales hang up after it.
        "body_scale": Kind(services=("181D", "181B"), measurements=("2A9D", "2A9C")),
        "cuff": Kind(services=("1810",), measurements=("2A35",)),
        "thermometer": Kind(services=("1809",), measurements=("2A1C",)),
        # A context must not come before anybody listens: it is asked for together with its record.
        "glucometer": Kind(services=("1808",), measurements=("2A18", "2A34"), records="2A52", recorded="2A18"),
        # A belt says one number a second as long as it is worn; some of it, once a minute, is what a plan can use.
        "pulse_belt": Kind(services=("180D",), measurements=("2A37",), rest=60.0),
        "mi_scale": Kind(broadcasts=("181D", "181B")),
    }
)
