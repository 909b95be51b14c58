"""The devices of the homes: each holds its records until the gateway has confirmed them, one after the other."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from tests.chaos.door import CONFIRMED, CONNECT, SCAN
from tests.chaos.ledger import Ledger, Record

_CALL_S = 0.1  # between two advertisements
_LISTEN_S = 0.01
_VISIT = (20, 250)  # records that a device says before it falls asleep
_HANGS_UP = 0.6  # how often it ends the connection itself; else the gateway does, when it is quiet


class Device:
    """One oximeter. A record is measured when its time has come, and gone when it was handed over."""

    def __init__(self, address: str, records: Sequence[Record], times: Sequence[float], ledger: Ledger) -> None:
        self.address = address
        self._records = list(reversed(records))
        self._times = list(reversed(times))  # monotonic seconds
        self._ledger = ledger
        self._busy = False
        self.sent = 0

    @property
    def waiting(self) -> int:
        """How many records it has still to hand over, now or later."""
        return len(self._records)

    @property
    def calls(self) -> bool:
        """Whether it has something to say."""
        return bool(self._records) and not self._busy and self._times[-1] <= monotonic()

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rng: random.Random) -> None:
        """One connection: each frame again and again, until a gateway has confirmed it."""
        if self._busy:  # the connection before is not over yet
            return
        self._busy = True
        try:
            for _ in range(rng.randint(*_VISIT)):
                if not self._records or self._times[-1] > monotonic():
                    break
                frame = self._records[-1].frame
                writer.write(bytes([len(frame)]) + frame)
                self.sent += 1
                if await reader.readexactly(1) != CONFIRMED:
                    return
                # On the disk before the device forgets it: from here on the street alone answers for it.
                self._ledger.write(self._records.pop())
                self._times.pop()
            if rng.random() >= _HANGS_UP:
                await reader.read(1)  # until the gateway goes
        finally:
            self._busy = False


class Home:
    """The devices of one gateway, behind the socket at `path`."""

    def __init__(self, path: Path, devices: Sequence[Device], rng: random.Random) -> None:
        self.path = path
        self._devices = {each.address: each for each in devices}
        self._rng = rng
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def waiting(self) -> int:
        """How many records its devices have still to hand over."""
        return sum(each.waiting for each in self._devices.values())

    @property
    def sent(self) -> int:
        """How many frames its devices have said, repeats included."""
        return sum(each.sent for each in self._devices.values())

    async def open(self) -> None:
        """Listen for the gateway."""
        self._server = await asyncio.start_unix_server(self._answer, self.path)

    async def close(self) -> None:
        """Everybody falls asleep."""
        self._server.close()
        talks = dict(self._talks)
        for writer in talks.values():
            writer.close()
        if talks:
            await asyncio.wait(talks)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks[task] = writer
        try:
            with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
                wish = await reader.readline()
                if wish == SCAN:
                    await self._call(writer)
                elif wish.startswith(CONNECT):
                    device = self._devices[wish.removeprefix(CONNECT).decode().strip()]
                    await asyncio.sleep(_LISTEN_S)  # the gateway subscribes
                    await device.speak(reader, writer, self._rng)
        finally:
            del self._talks[task]

    async def _call(self, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            calling = [each.address for each in self._devices.values() if each.calls]
            writer.write("".join(f"{each}\n" for each in calling).encode())
            await writer.drain()
            await asyncio.sleep(_CALL_S)
