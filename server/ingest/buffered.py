"""A socket that reads ahead and writes in lumps.

An MQTT client takes a packet in four small reads and sends each one by itself; with thousands of packets a second those
calls of the operating system cost more than what is in the packets. This stands between the client and its socket:
what has come is read in one go, and what is sent is collected until somebody flushes it.

Reading and writing may happen on different threads; a TLS connection bears only one of them at a time, hence the lock.
"""

import ssl
import threading
from collections.abc import Sequence
from typing import Protocol

from server.ingest.packets import Message, messages

_READ_BYTES = 65_536
_COLLECTED_BYTES_MAX = 1_048_576  # a broker that takes nothing: the client waits, as it would for the socket
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Socket(Protocol):
    """What is asked of the socket below."""

    def recv(self, buffer_size: int, /) -> bytes:
        """Some bytes; none at the end."""
        ...

    def send(self, buffer: bytes | bytearray, /) -> int:
        """How many bytes it took."""
        ...

    def close(self) -> None:
        """Let go."""
        ...

    def fileno(self) -> int:
        """Its number, for waiting."""
        ...

    def setblocking(self, flag: bool, /) -> None:
        """Whether calls wait."""
        ...


class BufferedSocket:
    """Looks like a socket that never blocks. A failed write is told by the next read, as a broken connection is."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._lock = threading.Lock()
        self._ahead = b""
        self._place = 0
        self._collected = bytearray()
        self._broken: OSError | None = None

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end. Raises OSError: BlockingIOError when none are there."""
        self._read_ahead()
        start = self._place
        self._place = min(start + size, len(self._ahead))
        return self._ahead[start : self._place]

    def messages(self) -> Sequence[Message]:
        """The messages that lie ready; only between two packets of the client. Raises as `recv` does."""
        self._read_ahead()
        found, self._place = messages(self._ahead, self._place)
        return found

    def pending(self) -> int:
        """How much can be read without waiting for the network."""
        if self._broken is not None:
            return 1
        below = getattr(self._socket, "pending", None)
        return len(self._ahead) - self._place + (below() if below else 0)

    def send(self, data: bytes | bytearray) -> int:
        """Collect all of `data` until the next `flush`; raises BlockingIOError when there is no more room."""
        with self._lock:
            if len(self._collected) >= _COLLECTED_BYTES_MAX:
                raise BlockingIOError
            self._collected += data
        return len(data)

    def add(self, data: bytes) -> None:
        """Collect `data` however much there is: for what can be no more than so much anyway, and is said only once."""
        with self._lock:
            self._collected += data

    def flush(self) -> None:
        """Send what was collected, as far as the network takes it."""
        with self._lock:
            try:
                while self._collected and self._broken is None:
                    del self._collected[: self._socket.send(self._collected)]
            except _WOULD_BLOCK:
                pass  # the rest goes with the next flush
            except OSError as error:
                self._broken = error

    def has_more(self) -> bool:
        """Whether something is left of what was read."""
        return self._place < len(self._ahead)

    def has_collected(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._collected) and self._broken is None

    def _read_ahead(self) -> None:
        if self._broken is not None:
            raise self._broken
        if self._place == len(self._ahead):
            with self._lock:
                self._ahead, self._place = self._socket.recv(_READ_BYTES), 0

    def close(self) -> None:
        """Send what can still be sent, and let go."""
        self.flush()
        self._broken = self._broken or ConnectionAbortedError("closed")
        self._socket.close()

    def fileno(self) -> int:
        """The number of the socket below."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """As the socket below does it."""
        self._socket.setblocking(flag)
