"""What one session has heard so far, and whether it can still hear."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

from gateway.waits import happens, stop_if_told


class Ears:
    """Counts what was kept; `heard` is called for each."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self.count = 0
        self.deaf = False  # the link is gone, or a notification could not be kept
        self.leaving = False  # our own disconnect is no loss
        self._heard = heard
        self._at = time.monotonic()
        self._changed = asyncio.Event()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Around one notification: counted when it was kept; when that failed, this session is over."""
        try:
            yield
        except BaseException:
            self.lose()
            raise
        self.count += 1
        self._at = time.monotonic()
        self._heard()

    def lose(self) -> None:
        """The other side is gone, or cannot be trusted to us any more."""
        if not self.leaving:
            self.deaf = True
        self._changed.set()

    def prick(self) -> None:
        """Look again at what is waited for."""
        self._changed.set()

    async def until_quiet(self, quiet: float, most: float) -> None:
        """Return when nothing came for `quiet` seconds, after `most` seconds, or at once when deaf."""
        begun = self._at = time.monotonic()
        while not self.deaf:
            stop_if_told()
            now = time.monotonic()
            left = min(self._at + quiet, begun + most) - now
            if left <= 0:
                return
            self._changed.clear()
            await happens(self._changed, left)

    async def until(self, holds: Callable[[], bool], idle: float, most: float) -> bool:
        """Wait until `holds()`; False when deaf, when nothing came for `idle` seconds, or after `most` seconds."""
        self._at = time.monotonic()
        end = self._at + most
        while not holds():
            stop_if_told()
            left = min(end, self._at + idle) - time.monotonic()
            if self.deaf or left <= 0:
                return False
            self._changed.clear()
            await happens(self._changed, left)
        return True
