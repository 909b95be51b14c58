"""Says once when something is gone and once when it is back, however often it fails in between."""

import logging


class Presence:
    """One thing that can be away; `name` is what the log calls it ("broker", "device=C0:...")."""

    def __init__(self, log: logging.Logger, name: str) -> None:
        self._log = log
        self._name = name
        self.is_gone = False

    def gone(self, reason: str) -> None:
        """It is away, because of `reason`."""
        self._log.log(logging.DEBUG if self.is_gone else logging.WARNING, "gone %s reason=%r", self._name, reason)
        self.is_gone = True

    def back(self) -> None:
        """It answers."""
        if self.is_gone:
            self._log.warning("back %s", self._name)
        self.is_gone = False
