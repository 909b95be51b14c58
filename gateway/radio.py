"""The radio as the gateway sees it: a port. `radio_bleak` is the real one.

A connection to a device is a *session*. How a session ends matters: after a cut link the device sends its last record
again, and the gateway must know that record for what it is (see `identity`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDevice:
    """A device this gateway may connect to. Others are never read.

    `kind` is a name of `gateway.kinds`; `timezone` (IANA) is the one the device's own clock shows.
    """

    address: str  # Bluetooth address, upper case
    kind: str
    model: str | None = None
    timezone: str = "Europe/Oslo"


class SessionState(StrEnum):
    """Where a session stands."""

    OPEN = "open"
    ENDED = "ended"  # this side disconnected, after everything heard was confirmed
    CUT = "cut"  # the other side went away, or something failed, before that


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One connection to one device. `id` is unique; `opened_at` is aware UTC on the gateway's given clock."""

    id: str
    device: str
    opened_at: datetime
    state: SessionState = SessionState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What a device said: the bytes of one characteristic, unjudged.

    `characteristic` is the 16-bit UUID in upper-case hex ("2A5E"); `heard_at` is aware UTC on the given clock.
    """

    device: str
    model: str | None
    characteristic: str
    payload: bytes
    heard_at: datetime
    session: Session


Hear = Callable[[Notification], None]
"""Called synchronously for every notification. It returns only after the notification is safe on disk, and raises when
it could not be made safe; the radio then leaves the indication unconfirmed and cuts the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """The newest record that was kept of a device with a memory: its number, and its bytes, by which it is known."""

    sequence: int
    frame: bytes


Report = Callable[[Session], Recall | None]
"""Called when a session opens (before anything is subscribed) and when it ends. It may raise on opening when nothing
could be kept now: the radio then goes away without subscribing, and the records stay in the device. What it returns on
opening says how far a device's memory is known."""


def unreported(session: Session) -> None:
    """The `Report` of a listener that does not care about sessions."""


class RadioSilent(RuntimeError):  # noqa: N818 - a state of the world, not a fault
    """No adapter hears anybody any more, and nothing that can be done from inside has helped: start us anew."""


class Radio(Protocol):
    """Brings in what the known devices of one home say."""

    async def run(self, devices: Sequence[KnownDevice], hear: Hear, report: Report = unreported) -> None:
        """Listen until cancelled.

        Only `devices` are connected to, one at a time per adapter. `hear` and `report` are called on the event loop's
        thread. An indication is confirmed to the device only after `hear` has returned. A device or an adapter that
        goes away is said once in the log, and once more when it is back; neither ends the run.
        """
        ...


class Backend(Protocol):
    """The Bluetooth stack behind one adapter, as bleak is told about it.

    Made as `Backend(name=..., transport=...)` from the adapter's settings; entered before the first scan, left after
    the last. `scanner_args` and `client_args` are what bleak's `BleakScanner` and `BleakClient` get besides their own,
    for example `{"backend": SomeScanner, "bluez": {"adapter": "hci0"}}`; they are read after entering.

    A stack of our own confirms an indication after the callback has returned and leaves it unconfirmed when it raises.
    """

    @property
    def scanner_args(self) -> Mapping[str, Any]: ...

    @property
    def client_args(self) -> Mapping[str, Any]: ...

    async def __aenter__(self) -> "Backend": ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class BackendFactory(Protocol):
    """What a dotted backend name in the settings must lead to."""

    def __call__(self, *, name: str, transport: str | None) -> Backend: ...
