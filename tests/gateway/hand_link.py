"""A device on a link that needs no radio: what it has, what it says when asked, and what was done to it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.link import LinkFailed, Sighting

Heard = Callable[[bytes], None]


@dataclass
class HandDevice:
    """A device with `values` to read and characteristics to subscribe to or to write; `done` is what happened, in
    order. `on_subscribe` and `on_write` are how it reacts."""

    values: dict[str, bytes] = field(default_factory=dict)
    speaks: tuple[str, ...] = ()
    done: list[str] = field(default_factory=list)
    on_subscribe: Callable[["HandLink", str], Awaitable[None]] | None = None
    on_write: Callable[["HandLink", str, bytes], Awaitable[None]] | None = None
    unwritable: tuple[str, ...] = ()
    mute: tuple[str, ...] = ()
    refuses: Exception | None = None


class HandLink:
    """A `Link` to a `HandDevice`."""

    def __init__(self, device: HandDevice, lost: Callable[[], None]) -> None:
        self.device = device
        self.lose = lost
        self.heard: dict[str, Heard] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def connect(self, *, pair: bool) -> None:
        if self.device.refuses is not None:
            raise self.device.refuses
        self.device.done.append("connect and pair" if pair else "connect")

    def has(self, uuid: str) -> bool:
        return uuid in self.device.values or uuid in self.device.speaks

    async def subscribe(self, uuid: str, heard: Heard) -> None:
        if uuid in self.device.mute:
            raise LinkFailed("does not notify")
        self.device.done.append(f"subscribe {uuid}")
        self.heard[uuid] = heard
        self._react(self.device.on_subscribe and self.device.on_subscribe(self, uuid))

    async def read(self, uuid: str) -> bytes:
        self.device.done.append(f"read {uuid}")
        return self.device.values[uuid]

    async def write(self, uuid: str, data: bytes) -> None:
        if uuid in self.device.unwritable:
            raise LinkFailed("may not be written")
        self.device.done.append(f"write {uuid} {data.hex()}")
        self._react(self.device.on_write and self.device.on_write(self, uuid, data))

    async def disconnect(self) -> None:
        self.device.done.append("disconnect")

    def _react(self, reaction: Awaitable[None] | None) -> None:
        if reaction is not None:
            task = asyncio.ensure_future(reaction)
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)


class HandStack:
    """A `Stack` that leads to one `HandDevice`; what it advertises is said by `note`."""

    def __init__(self, device: HandDevice | None = None, *, bonded: bool | None = None) -> None:
        self.device = device or HandDevice()
        self.is_bonded = bonded
        self.scans = 0
        self.resets = 0
        self.note: Callable[[Sighting], None] = lambda _: None

    @asynccontextmanager
    async def scan(self, note: Callable[[Sighting], None]) -> Any:
        self.scans += 1
        self.note = note
        yield

    def link(self, _handle: Any, _services: Sequence[str], lost: Callable[[], None]) -> HandLink:
        return HandLink(self.device, lost)

    async def bonded(self, _address: str) -> bool | None:
        return self.is_bonded

    async def reset(self) -> None:
        self.resets += 1
