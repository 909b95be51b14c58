"""What a frame says, and what is said when it cannot be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntFlag, StrEnum

from vitals.reading import Quality


class DecodeError(ValueError):
    """These bytes are not what they claim to be; `reason` says which field and why. Nothing of them is believed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Special(StrEnum):
    """A device's word in the place of a number; never turned into one."""

    NAN = "NaN"  # no value
    NRES = "NRes"  # not at this resolution
    PLUS_INFINITY = "+INF"  # above what the device can measure
    MINUS_INFINITY = "-INF"  # below it
    RESERVED = "reserved"  # a code that the standard gives no meaning
    UNSUCCESSFUL = "unsuccessful"  # the weight scale service's own


Number = Decimal | Special


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """One frame, read. Values are exact and in the metric's canonical unit; their plausibility is not judged.

    A metric whose value is special is None in `metrics` and named in `special`. `taken_at` is the device's local time
    (naive), None when the frame has none or says that it is unknown. `details` are numbers beside the metrics
    (`bmi`, `height`, `pulse_amplitude_index`). `clock_not_set` in `flags` means that `taken_at` must not be believed.
    `no_measurement` is set when the frame is in order but nobody was measured (a pressure on its way up, a weight that
    has not settled, control solution on a strip): it says why, stands among the flags, and no reading is made of it.
    """

    metrics: Mapping[str, Decimal | None] = field(default_factory=dict)
    special: Mapping[str, Special] = field(default_factory=dict)
    taken_at: datetime | None = None
    flags: tuple[str, ...] = ()
    quality: Quality = Quality.GOOD
    user: int | None = None
    sequence: int | None = None
    details: Mapping[str, Decimal] = field(default_factory=dict)
    no_measurement: str | None = None


CLOCK_NOT_SET = "clock_not_set"


def split(numbers: Mapping[str, Number]) -> tuple[dict[str, Decimal | None], dict[str, Special]]:
    """`numbers` as the `metrics` and the `special` of a `Decoded`."""
    metrics = {name: None if isinstance(value, Special) else value for name, value in numbers.items()}
    return metrics, {name: value for name, value in numbers.items() if isinstance(value, Special)}


def words(status: IntFlag) -> Iterator[str]:
    """The names of the bits that are set, in lower case; `unknown_status` for bits that have no name."""
    rest = int(status)
    for bit in type(status):
        if bit in status:
            rest &= ~bit
            yield str(bit.name).lower()
    if rest:
        yield "unknown_status"
