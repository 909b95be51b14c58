"""Ways to reach somebody. What they carry says that something waits, never what: it passes through others' hands."""

from dataclasses import dataclass
from typing import Protocol

import structlog

_log = structlog.get_logger("varde.notify")


class ChannelError(Exception):
    """The channel did not take it; the text is the reason in words, fit for a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is sent: for whom, and the number under which the worklist knows more."""

    number: int
    to: str  # a role, or owner or patient
    text: str


class Channel(Protocol):
    """A way out."""

    @property
    def name(self) -> str:
        """How attempts name it."""
        ...

    def send(self, notice: Notice) -> None:
        """Hand it over; raises `ChannelError`."""
        ...


class LogChannel:
    """Writes the notice to the log: for installations that have no other way yet, and for demos."""

    name = "log"

    def send(self, notice: Notice) -> None:
        _log.info("notice", number=notice.number, to=notice.to, notice=notice.text)
