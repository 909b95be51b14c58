"""MQTT 3.1.1 on a bare socket: as little as a load and a bare subscriber need, so that neither is what is measured.

One thread, one connection. Packets are made beforehand; what comes in is cut into packets by length and nothing more.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

CONNACK, PUBLISH, PUBACK, SUBACK = 0x20, 0x30, 0x40, 0x90
_READ = 1 << 18


def text(words: str) -> bytes:
    """A string as the protocol carries it."""
    raw = words.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(kind: int, body: bytes) -> bytes:
    """A packet with its length in front."""
    length, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([kind]) + bytes(length) + body


def publication(topic: str, payload: bytes, number: int, qos: int = 1) -> bytes:
    """A PUBLISH; `number` becomes its packet id."""
    name = struct.pack(">H", number % 65535 + 1) if qos else b""
    return packet(PUBLISH | qos << 1, text(topic) + name + payload)


@dataclass(slots=True)
class Came:
    """What one look at the socket brought: the broker's acknowledgements, and messages as (topic, payload)."""

    acknowledged: int = 0
    messages: list[tuple[bytes, bytes]] = field(default_factory=list)


class Line:
    """A connection to a broker."""

    def __init__(self, port: int, name: str, account: tuple[str, str], *, keep: bool = False) -> None:
        """Connect as `account` (name, password); `keep`: the broker holds the session."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        flags = 0xC0 | (0 if keep else 0x02)
        head = text("MQTT") + bytes([4, flags]) + struct.pack(">H", 0)
        self._socket.sendall(packet(0x10, head + text(name) + text(account[0]) + text(account[1])))
        answer = self._one(CONNACK)
        if answer[3]:
            self._socket.close()
            raise ConnectionError(f"the broker refused {name}: code {answer[3]}")

    def subscribe(self, where: str, qos: int) -> None:
        """Hear what is published on `where`."""
        self._socket.sendall(packet(0x82, struct.pack(">H", 1) + text(where) + bytes([qos])))
        self._one(SUBACK)

    def send(self, packets: bytes) -> None:
        """Packets made beforehand, in one go."""
        self._socket.sendall(packets)

    def receive(self, seconds: float, *, acknowledge: bool = True) -> Came:
        """What came within so many seconds (0: what is there); messages of QoS 1 are acknowledged together."""
        came, answers = Came(), bytearray()
        for kind, start, end, data in self._packets(seconds):
            if kind & 0xF0 == PUBACK:
                came.acknowledged += 1
            elif kind & 0xF0 == PUBLISH:
                length = data[start] << 8 | data[start + 1]
                after = start + 2 + length
                topic = data[start + 2 : after]
                if kind & 0x06:
                    answers += b"\x40\x02" + data[after : after + 2]
                    after += 2
                came.messages.append((topic, data[after:end]))
        if answers and acknowledge:
            self._socket.sendall(answers)
        return came

    def close(self) -> None:
        """Say goodbye."""
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _packets(self, seconds: float) -> Iterator[tuple[int, int, int, bytes]]:
        """Kind, start and end of the body, and the bytes that hold it."""
        data = self._rest + self._read(seconds)
        at, size = 0, len(data)
        while at + 2 <= size:
            place, shift, length = at + 1, 0, 0
            while place < size:
                digit = data[place]
                place += 1
                length |= (digit & 0x7F) << shift
                shift += 7
                if not digit & 0x80:
                    break
            else:
                break
            if place + length > size:
                break
            yield data[at], place, place + length, data
            at = place + length
        self._rest = data[at:]

    def _read(self, seconds: float) -> bytes:
        self._socket.settimeout(seconds or 0.000001)
        try:
            data = self._socket.recv(_READ)
        except (TimeoutError, BlockingIOError):
            return b""
        finally:
            self._socket.settimeout(30)
        if not data:
            raise ConnectionError("the broker closed the connection")
        return data

    def _one(self, kind: int) -> bytes:
        while True:
            for found, start, end, data in self._packets(10):
                if found & 0xF0 == kind:
                    return bytes([found, end - start]) + data[start:end]
