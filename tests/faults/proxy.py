"""A TCP line on loopback that fails as lines do: whatever goes through it is real, and what happens to it is by seed.

with Line(target_port, seed=7) as line:
    connect("127.0.0.1", line.port)
    line.weather = Weather(cut_after=(1, 400), reset=True)  # from now on, for old and new connections
    line.weather = CALM
    line.refuse(); line.listen()  # nobody there, and somebody again
    line.strand()  # both ends believe for ever in connections that carry nothing any more
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType

LOOPBACK = "127.0.0.1"
_READ = 4096
_LOOK_S = 0.02  # how often a held connection looks whether the weather has changed
_DIE_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, and what was not sent is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the line does to the bytes of every connection, in both directions.

    `turned_away`: a new connection is reset at once. `held`: connections stand and nothing comes through; what was
    held is delivered when that ends, as TCP does. `piece`: at most so many bytes in a packet. `bytes_per_s`; `delay_s`:
    between these for each packet, whose order stays. `cut_after`: the connection ends after a number of bytes between
    these, in the middle of whatever they are, with a FIN or (`reset`) an RST.
    """

    turned_away: bool = False
    held: bool = False
    piece: int = _READ
    bytes_per_s: float | None = None
    delay_s: tuple[float, float] = (0.0, 0.0)
    cut_after: tuple[int, int] | None = None
    reset: bool = False


CALM = Weather()


class _Cut(Exception):  # noqa: N818 - an event, not a fault of ours
    """The bytes that this connection was given are used up."""


@dataclass(slots=True, eq=False)
class _Connection:
    """Both of its sockets, the chance that is its own, and the bytes it may still carry in the present weather."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    rng: random.Random
    tasks: tuple[asyncio.Task[None], ...] = ()
    stranded: bool = False
    weather: Weather | None = None
    left: int | None = None

    def under(self, weather: Weather) -> None:
        """Draw anew where the weather has changed."""
        if self.weather is not weather:
            self.weather = weather
            self.left = None if weather.cut_after is None else self.rng.randint(*weather.cut_after)

    def end(self, *, reset: bool) -> None:
        for writer in self.writers:
            if reset:
                with contextlib.suppress(OSError):  # closed already
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DIE_AT_ONCE)
                writer.transport.abort()
            else:
                writer.close()


@dataclass
class Line:
    """A line to a port of this machine, in a thread of its own.

    `dialled` are the moments (monotonic) of connections that came; `cuts` counts those that the weather ended.
    """

    target: int
    seed: int = 0
    port: int = 0
    weather: Weather = CALM
    dialled: list[float] = field(default_factory=list)
    cuts: int = 0

    def __enter__(self) -> "Line":
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"line-to-{self.target}")
        self._thread.start()
        self.listen()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._loop.close()

    # --- what is not weather

    def listen(self) -> None:
        """Take connections, on the same port as before."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def refuse(self) -> None:
        """Nobody listens any more, and whoever was connected is reset."""
        asyncio.run_coroutine_threadsafe(self._refuse(), self._loop).result(10)

    def strand(self) -> None:
        """Nothing comes through the present connections any more, and neither end is told; new ones are well."""
        self._soon(lambda each: setattr(each, "stranded", True))

    def reset_stranded(self) -> None:
        """Tell both ends at last, as the timers of their systems would."""
        self._soon(lambda each: each.end(reset=True) if each.stranded else None)

    def _soon(self, what: Callable[[_Connection], None]) -> None:
        async def do() -> None:
            for each in list(self._connections):
                what(each)

        asyncio.run_coroutine_threadsafe(do(), self._loop).result(10)

    # --- on the line's own thread

    async def _listen(self) -> None:
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._take, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        ended = [task for each in self._connections for task in each.tasks]
        for each in list(self._connections):
            each.end(reset=True)
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.dialled.append(monotonic())
        rng = random.Random(self.seed * 1_000_003 + len(self.dialled))
        if self.weather.turned_away:
            self.cuts += 1
            _Connection((writer, writer), rng).end(reset=True)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            writer.transport.abort()
            return
        for each in (writer, far_writer):
            each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection((writer, far_writer), rng)
        connection.tasks = (
            asyncio.create_task(self._carry(connection, reader, far_writer)),
            asyncio.create_task(self._carry(connection, far_reader, writer)),
        )
        self._connections.add(connection)
        try:
            await asyncio.wait(connection.tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            cut = any(task.done() and isinstance(_failure(task), _Cut) for task in connection.tasks)
            self.cuts += cut
            for task in connection.tasks:
                task.cancel()
            connection.end(reset=cut and self.weather.reset)
            await asyncio.gather(*connection.tasks, return_exceptions=True)
            self._connections.discard(connection)

    async def _carry(self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_READ):
            for piece in self._pieces(data):
                await self._wait(connection, len(piece))
                left = connection.left
                given = piece if left is None else piece[:left]
                writer.write(given)
                await writer.drain()
                if left is not None:
                    connection.left = left - len(given)
                    if connection.left <= 0:
                        raise _Cut

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            size = self.weather.piece
            yield data[at : at + size]
            at += size

    async def _wait(self, connection: _Connection, size: int) -> None:
        """Return when the weather lets so many bytes of this connection through."""
        weather = self.weather
        wait = connection.rng.uniform(*weather.delay_s)
        if weather.bytes_per_s is not None:
            wait += size / weather.bytes_per_s
        if wait:
            await asyncio.sleep(wait)
        while self.weather.held or connection.stranded:  # noqa: ASYNC110 - the weather is set from another thread
            await asyncio.sleep(_LOOK_S)
        connection.under(self.weather)


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()
