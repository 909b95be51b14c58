"""The loop that tells: empties the outbox whenever something is in it, and puts in what nobody else would."""

import threading

import structlog
from sqlalchemy.exc import DBAPIError

from server.notify.channels import Channels
from server.notify.deliver import deliver
from server.notify.unread import Unread
from server.parts import Parts
from server.watch.beat import Pulse

_WAIT_SECONDS = 1.0

_log = structlog.get_logger("varde.notify")


class Notify:
    """The role that notifies."""

    name = "notify"

    def __init__(self, parts: Parts, channels: Channels) -> None:
        self._parts = parts
        self._channels = channels
        self._pulse = Pulse(parts, self.name)
        self._unread = Unread(parts)

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop`."""
        while not stop.is_set():
            try:
                self._unread.look_sometimes()
                while deliver(self._parts, self._channels) and not stop.is_set():
                    self._pulse.beat()
                self._pulse.beat()
            except DBAPIError as error:
                _log.error("cannot deliver", exc_info=error)
            self._parts.wake_notify.wait(_WAIT_SECONDS)
