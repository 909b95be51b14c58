"""Makes the next step quick: one loop rings, another stops waiting. Correctness never depends on it."""

import threading
from collections.abc import Callable


class Nudge:
    """A doorbell: any number of rings before somebody answers count as one."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._others: list[Callable[[], None]] = []

    def ring(self) -> None:
        """Say that there is something to do."""
        self._event.set()
        for other in self._others:
            other()

    def also(self, other: Callable[[], None]) -> None:
        """Call `other`, which must be quick and never raise, at every ring, in the ringing thread."""
        self._others.append(other)

    def wait(self, seconds: float) -> bool:
        """Wait for a ring for at most `seconds`; True when it rang. The ring is used up."""
        rang = self._event.wait(seconds)
        self._event.clear()
        return rang
