"""When to connect to one device: one visit at a time, soon again after a success, ever later without one."""

import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterator

from gateway.flights import backoff
from gateway.kinds import KINDS
from gateway.presence import Presence
from gateway.radio import KnownDevice
from gateway.waits import Waits

log = logging.getLogger(__name__)


class Visits:
    """The visits to `device`, over whichever adapter hears it."""

    def __init__(self, device: KnownDevice, waits: Waits) -> None:
        self.device = device
        self.presence = Presence(log, f"device={device.address}")
        self._waits = waits
        self._rest = KINDS[device.kind].rest
        self._rng = random.Random()  # noqa: S311 - jitter is no secret
        self._vain = 0
        self._not_before = 0.0
        self._busy = False

    def may_begin(self) -> bool:
        """Whether it is time for a visit."""
        return not self._busy and time.monotonic() >= self._not_before

    @contextlib.contextmanager
    def visit(self) -> Iterator[Callable[[], None]]:
        """One visit; the value given is called when something was heard."""
        self._busy = True
        self._vain += 1
        try:
            yield self._heard
        finally:
            self._busy = False
            wait = backoff(self._waits.again, self._waits.again_max, self._vain, self._rng)
            self._not_before = time.monotonic() + (max(wait, self._rest) if self._vain == 0 else wait)

    def _heard(self) -> None:
        self._vain = 0
