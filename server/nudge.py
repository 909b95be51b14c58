"""Makes the next step quick: one loop rings, another stops waiting. Correctness never depends on it."""

import threading


class Nudge:
    """A doorbell: any number of rings before somebody answers count as one."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        """Say that there is something to do."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait for a ring for at most `seconds`; True when it rang. The ring is used up."""
        rang = self._event.wait(seconds)
        self._event.clear()
        return rang
