"""Ways to reach somebody. What they carry says that something waits, never what: it passes through others' hands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from server.care.browsers import Told

_log = structlog.get_logger("varde.notify")


class ChannelError(Exception):
    """The channel did not take it; the text is the reason in words, fit for a log."""


class ChannelDownError(ChannelError):
    """Nobody answers at the other end: what comes right after it would only wait for nothing as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where a channel may say what became of a message, and the secret by which it is believed, once for each word."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is sent. `id` is the same at every try, so that whoever gets it twice can tell."""

    number: int
    to: str  # a role, or owner or patient
    text: str
    id: str = ""
    address: str = ""
    browsers: tuple[Told, ...] = ()  # instead of an address, for web push
    link: str | None = None  # shows nothing to who is not logged in
    page: str = "/"  # what a browser opens
    priority: str | None = None
    # For who has chosen a language, and sees only the newest notice of a topic: a line by language for all of them.
    texts: Mapping[str, str] = field(default_factory=dict)
    topic: str = "notice"
    at: datetime | None = None  # real time
    receipt: Receipt | None = None


class Channel(Protocol):
    """A way out."""

    @property
    def name(self) -> str:
        """How attempts name it."""
        ...

    def send(self, notice: Notice) -> None:
        """Hand it over; raises `ChannelError`. Takes seconds at most."""
        ...


class LogChannel:
    """Writes the notice to the log: for installations that have no other way yet, and for demos."""

    name = "log"

    def send(self, notice: Notice) -> None:
        _log.info("notice", number=notice.number, to=notice.to, notice=notice.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """The installation's ways out, by the kind that people's addresses name; `last` is for who has none of these.

    `confirms`: by a channel's name, how soon it says that a message was delivered; without that word it was not.
    """

    last: Channel
    by_kind: Mapping[str, Channel] = field(default_factory=dict)
    confirms: Mapping[str, timedelta] = field(default_factory=dict)

    def of(self, kind: str) -> Channel | None:
        """The way out of this kind; None where the installation has none."""
        return self.by_kind.get(kind)
