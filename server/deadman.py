"""The dead-man's ping: says to somebody outside that all is well, and says nothing when it is not.

Whoever is pinged alarms when no ping came for a minute. So a machine that lost its power is told of too, and no part of
ours needs to work for that. A ping carries nothing but itself.
"""

import threading
import urllib.error
import urllib.request
from http.client import HTTPException

import structlog

from server.parts import Parts
from server.watch.silence import ours

EVERY_SECONDS = 20.0
_TIMEOUT_SECONDS = 5.0

_log = structlog.get_logger("varde.deadman")


class DeadMan:
    """A role of its own in every process. Homes in which something is silent do not hold it back; they are no fault."""

    name = "deadman"

    def __init__(self, parts: Parts, url: str, every_seconds: float = EVERY_SECONDS) -> None:
        self._parts, self._url, self._every = parts, url, every_seconds
        self._reached: bool | None = None

    def run(self, stop: threading.Event) -> None:
        """Ping until `stop`."""
        while not stop.is_set():
            self.ping()
            stop.wait(self._every if self._parts.findings.looked else 1.0)

    def ping(self) -> bool:
        """Ping if everything that this process knows of is alive; returns whether it was taken."""
        findings = self._parts.findings
        if not findings.looked or ours(findings.silent):
            return False
        try:
            with urllib.request.urlopen(self._url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - settings allow http and https alone
                answer.read(1)
        except (OSError, HTTPException) as error:
            self._note(False, type(error).__name__)  # its text may hold the address, which is a secret of sorts
            return False
        self._note(True, None)
        return True

    def _note(self, reached: bool, error: str | None) -> None:
        if reached != self._reached:
            self._reached = reached
            if error is not None:
                _log.error("dead-man's ping does not arrive", error=error)
            else:
                _log.info("dead-man's ping arrives")
