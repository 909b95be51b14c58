"""Lets the writers of one process take turns, first come first served.

An embedded database has one writer at a time, and whoever finds it taken sleeps and looks again, up to a tenth of a
second later: a loop that writes without a pause is then always there first, and a reading waits behind its backlog.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock that is handed on in the order of asking."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()  # who has the turn stands first

    @contextmanager
    def taken(self, seconds: float) -> Iterator[None]:
        """Have the turn; after so many seconds of waiting go on without it: then the database says what is wrong."""
        mine = threading.Event()
        with self._lock:
            self._line.append(mine)
            if self._line[0] is mine:
                mine.set()
        mine.wait(seconds)
        try:
            yield
        finally:
            with self._lock:
                had_it = self._line[0] is mine
                self._line.remove(mine)
                if had_it and self._line:
                    self._line[0].set()
