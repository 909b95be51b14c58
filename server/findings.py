"""What the look-out of this process last found: read by pages, health, counters and the dead-man's ping."""

import threading
import time
from collections.abc import Callable

from server.watch.silence import Part, Silent

STALE_SECONDS = 20.0  # ten looks: then nobody looks any more


class Findings:
    """The last look, and how old it is. One writer, any number of readers, in any thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._found: tuple[Silent, ...] = ()
        self._at: float | None = None

    def put(self, found: tuple[Silent, ...]) -> None:
        """This is silent now, and nothing else."""
        with self._lock:
            self._found, self._at = found, self._monotonic()

    @property
    def silent(self) -> tuple[Silent, ...]:
        """What is silent; the look-out itself, when it no longer looks. Empty before the first look."""
        with self._lock:
            if self._at is not None and self._monotonic() - self._at > STALE_SECONDS:
                return (Silent(part=Part.LOOKOUT, why="nobody looks any more"), *self._found)
            return self._found

    @property
    def looked(self) -> bool:
        """Whether anybody has looked yet."""
        with self._lock:
            return self._at is not None
