"""What to do when an adapter hears nobody at all: first little, then more, at last start anew. Pure.

Scanners fall asleep after hours, some until the adapter was powered off, some until the process was started again. But
a house where nobody advertises is no fault: only what was heard once and is heard no more, by any adapter, is worth a
restart.
"""

from enum import StrEnum


class Step(StrEnum):
    """What to do."""

    RESCAN = "rescan"
    RESET = "reset"
    GIVE_UP = "give_up"


class Watchdog:
    """The silences of all adapters of one gateway; monotonic seconds come in as `now`."""

    def __init__(self, given_up: float) -> None:
        self._given_up = given_up
        self._silences: dict[str, int] = {}
        self._heard_at: float | None = None

    def heard(self, adapter: str, now: float) -> None:
        """Somebody, known or not, was heard."""
        self._silences.pop(adapter, None)
        self._heard_at = now

    def silent(self, adapter: str, now: float) -> Step:
        """A silence is over its time. Every second one that follows another asks for more than a new scan."""
        if self.is_hopeless(now):
            return Step.GIVE_UP
        self._silences[adapter] = self._silences.get(adapter, 0) + 1
        return Step.RESCAN if self._silences[adapter] % 2 else Step.RESET

    def is_hopeless(self, now: float) -> bool:
        """Whether somebody was heard once, and nobody has been for too long."""
        return self._heard_at is not None and now - self._heard_at >= self._given_up
