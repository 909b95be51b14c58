"""Makes the next step quick: one loop rings, another stops waiting. Correctness never depends on it."""

import threading
from collections.abc import Callable


class Nudge:
    """A doorbell: any number of rings before somebody answers count as one."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._near: list[Callable[[], None]] = []
        self._far: list[Callable[[], None]] = []

    def ring(self) -> None:
        """Say that there is something to do, here and in other processes."""
        self.hear()
        for tell in self._far:
            tell()

    def hear(self) -> None:
        """Say it in this process alone: the time has come, or another process has rung."""
        self._event.set()
        for other in self._near:
            other()

    def also(self, other: Callable[[], None]) -> None:
        """Call `other`, which must be quick and never raise, at every ring, in the ringing thread."""
        self._near.append(other)

    def tell(self, far: Callable[[], None]) -> None:
        """Call `far`, likewise, when it was rung here, so that others hear it too."""
        self._far.append(far)

    def wait(self, seconds: float) -> bool:
        """Wait for a ring for at most `seconds`; True when it rang. The ring is used up."""
        rang = self._event.wait(seconds)
        self._event.clear()
        return rang
