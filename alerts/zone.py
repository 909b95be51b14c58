"""The colour the patient sees."""

from enum import StrEnum


class Zone(StrEnum):
    """red > yellow > blue > unknown > green; unknown is never shown as green."""

    GREEN = "green"
    UNKNOWN = "unknown"
    BLUE = "blue"
    YELLOW = "yellow"
    RED = "red"

    @property
    def rank(self) -> int:
        """Larger is more urgent."""
        return _RANKS[self]


_RANKS = {zone: rank for rank, zone in enumerate(Zone)}
