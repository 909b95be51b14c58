"""What a device is, what it stores, and the moments at which its link can be lost."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

FRAME_BYTES_MAX = 512  # the longest value ATT allows (Core Specification, Vol 3, Part F, 3.2.9)


class RecordRefusedError(ValueError):
    """The device cannot hold such a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpec:
    """What a device is.

    `public` is the kind of its address; `bonded` means that it speaks only on encrypted links. A device with a
    `passkey` shows it on its display and bonds only with who types it. After `awake_s` without a gateway it goes to
    sleep with what it has; None: it stays awake until it was fetched.
    """

    address: str
    model: str
    maker: str = "Varde Simulated"
    public: bool = True
    bonded: bool = False
    passkey: int | None = None
    battery: int = 80  # percent
    interval_ms: int = 100  # between advertisements
    awake_s: float | None = None


class Moment(StrEnum):
    """When a link may be lost."""

    CONNECTED = "connected"
    DISCOVERING = "discovering"  # while the gateway asks for the services
    SUBSCRIBED = "subscribed"  # before anything is said
    SAID = "said"  # a record was heard and its confirmation is not
    HANDED_OVER = "handed_over"  # a record was confirmed; before the next
    ASKED = "asked"  # the memory was asked; before it answers
    ANSWERED = "answered"  # everything asked for was said; before the memory says so


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """One stored measurement; `handed_over` is done when the gateway has confirmed it."""

    characteristic: str
    frame: bytes
    cut: bool = False  # lose the link after the next indication of this record, before its confirmation
    sent: int = 0
    handed_over: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def done(self) -> None:
        """The gateway has it."""
        if not self.handed_over.done():
            self.handed_over.set_result(None)
