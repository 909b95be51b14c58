"""The loop that watches: waits for a nudge or a tick, judges everybody who is due, and says that it lives."""

import threading
import time

import structlog
from sqlalchemy.exc import OperationalError

from server.parts import Parts
from server.watch import beat
from server.watch.drain import drain
from server.watch.ticker import Ticker

_WAIT_SECONDS = 2.0  # should the ticker die, the loop still turns
_BEAT_SECONDS = 5.0

_log = structlog.get_logger("varde.watch")


class Watch:
    """The role that watches."""

    name = "watch"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._beat_at = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop`."""
        ticker = Ticker(self._parts.wake_watch)
        ticker.start()
        try:
            while not stop.is_set():
                self._turn(stop)
                if not stop.is_set():
                    self._parts.wake_watch.wait(_WAIT_SECONDS)
        finally:
            ticker.stop()

    def _turn(self, stop: threading.Event) -> None:
        """Everybody who is due now, then the beat: a watch that cannot judge does not say that it lives."""
        try:
            while drain(self._parts) and not stop.is_set():
                self._beat()
            self._beat()
        except OperationalError as error:
            _log.error("cannot watch", exc_info=error)

    def _beat(self) -> None:
        if time.monotonic() - self._beat_at < _BEAT_SECONDS:
            return
        with self._parts.database.write() as connection:
            beat.stamp(connection, self.name, self._parts.wall.now())
        self._beat_at = time.monotonic()
