"""What the gateway needs of a Bluetooth stack, in the gateway's own words. `radio_bleak` is the real one.

UUIDs are the 16-bit ones in upper-case hex ("2A5E") throughout. Everything here may raise `LinkFailed`, and what the
operating system adds to it: OSError, EOFError.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class LinkFailed(ConnectionError):  # noqa: N818 - a state of the world, not a fault
    """The stack or the other side could not do it; the message is the stack's own."""


class NotAuthenticated(LinkFailed):
    """The other side wants an encrypted link, and there is none: no bond, a lost one, or nobody to confirm."""


class BondLost(NotAuthenticated):
    """The other side says that it no longer has the keys."""


class Bond(StrEnum):
    """What is known of the bond between one adapter and one device."""

    BONDED = "bonded"
    LOST = "lost"  # this side has the keys, the other has not: it was reset
    REFUSED = "refused"  # no keys, and pairing came to nothing: open a pairing window


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One advertisement. `handle` is the stack's own object for its sender, to be connected to while it is fresh."""

    address: str  # upper case
    handle: Any
    strength: int | None = None  # of the signal, dBm
    service_data: Mapping[str, bytes] = field(default_factory=dict)  # by the service's UUID


class Link(Protocol):
    """A connection to one device, from `connect` to `disconnect`."""

    async def connect(self, *, pair: bool) -> None:
        """Connect; with `pair`, bond first."""
        ...

    def has(self, uuid: str) -> bool:
        """Whether the device offers this characteristic in the services asked for."""
        ...

    async def subscribe(self, uuid: str, heard: Callable[[bytes], None]) -> None: ...

    async def read(self, uuid: str) -> bytes: ...

    async def write(self, uuid: str, data: bytes) -> None: ...

    async def disconnect(self) -> None: ...


class Stack(Protocol):
    """The Bluetooth stack behind one adapter, opened."""

    def scan(self, note: Callable[[Sighting], None]) -> AbstractAsyncContextManager[Any]:
        """Scanning, from entering to leaving."""
        ...

    def link(self, handle: Any, services: Sequence[str], lost: Callable[[], None]) -> Link:
        """A link that is yet to be connected; `lost` is called when it is gone."""
        ...

    async def bonded(self, address: str) -> bool | None:
        """Whether this side has the keys of a bond; None where the stack cannot say."""
        ...

    async def reset(self) -> None:
        """Power the adapter off and on, where the stack can."""
        ...
