"""The loop that watches: waits for a nudge or a tick, judges everybody who is due, and says that it lives."""

import threading
import time

import structlog
from sqlalchemy.exc import DBAPIError

from server.parts import Parts
from server.watch.beat import Pulse
from server.watch.devices import Devices
from server.watch.drain import AT_ONCE, drain, look
from server.watch.gateways import Gateways
from server.watch.ticker import Ticker

_WAIT_SECONDS = 2.0  # should the ticker die, the loop still turns
_LOOK_SECONDS = 1.0  # between two looks at how many are due
_GATEWAYS_SECONDS = 5.0
_DEVICES_SECONDS = 60.0  # between two rounds over all devices: what is waited for is counted in days
_SOME_DEVICES_SECONDS = 0.2  # between two looks at a few of them: whoever is ill just now waits for one

_log = structlog.get_logger("varde.watch")


class Watch:
    """The role that watches."""

    name = "watch"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pulse = Pulse(parts, self.name)
        self._gateways = Gateways(parts)
        self._devices = Devices(parts)
        self._looked = self._looked_at = self._looked_at_devices = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop`."""
        ticker = Ticker(self._parts.wake_watch)
        ticker.start()
        try:
            with self._parts.database.keeping():
                while not stop.is_set():
                    self._turn(stop)
                    if not stop.is_set():
                        self._parts.wake_watch.wait(_WAIT_SECONDS)
        finally:
            ticker.stop()

    def _turn(self, stop: threading.Event) -> None:
        """Everybody who is due now, and the beat: a watch that cannot judge does not say that it lives."""
        try:
            while drain(self._parts, self._pulse.beat) >= AT_ONCE and not stop.is_set():
                pass
            self._pulse.beat()
            self._look()
            self._look_at_homes()
        except DBAPIError as error:  # a database that may only be read is not always told as `OperationalError`
            _log.error("cannot watch", exc_info=error)

    def _look(self) -> None:
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._looked = time.monotonic()
            look(self._parts)

    def _look_at_homes(self) -> None:
        if time.monotonic() - self._looked_at >= _GATEWAYS_SECONDS:
            self._looked_at = time.monotonic()
            self._gateways.look()
        pause = _DEVICES_SECONDS if self._devices.at_the_end else _SOME_DEVICES_SECONDS
        if time.monotonic() - self._looked_at_devices >= pause:
            self._looked_at_devices = time.monotonic()
            self._devices.look()
