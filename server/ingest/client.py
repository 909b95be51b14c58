"""The MQTT library's client on a buffered socket: messages in lumps, acknowledgements in lumps.

With thousands of messages a second the library's way through one of them costs more than all that is done with what is
in it. So messages that lie ready are taken past it (`BufferedSocket.messages`); connecting, subscribing, staying alive,
sending and whatever else MQTT asks of a client stay its own.
"""

import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

from server.ingest.buffered import BufferedSocket
from server.ingest.packets import NOT_TEXT, Message

_PUBACK = struct.Struct("!BBH")  # MQTT 3.1.1, 3.4: kind, length of the rest, number of the message
_LOOKS_AT_ONCE = 4  # of up to 64 kB each; then the client sees again whether there is something to send


class Doorbell:
    """Calls the network's thread once for all that is queued before it looks; the library would for each packet."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._is_rung = False

    def send(self, data: bytes) -> None:
        """Ring, unless it rings already. Raises BlockingIOError as the line does."""
        if not self._is_rung:
            self._is_rung = True
            self._line.send(data)

    def answered(self) -> None:
        """From here on whoever queues something must ring again; called before what is queued is gone through."""
        self._is_rung = False

    def close(self) -> None:
        """As the line does."""
        self._line.close()


class Client(paho.Client):
    """As many packets at a look as are there, and one write for many.

    Four names are the library's own affair: `_create_socket`, `_packet_read`, `_in_packet` and `_sockpairW`. Should one
    of them be called otherwise one day, everything works as before, only slower; tests tell. `heard` is called on the
    network's thread with the messages of one look.
    """

    heard: Callable[[Sequence[Message]], None] = staticmethod(lambda _messages: None)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._looked: list[Message] = []
        self._doorbell: Doorbell | None = None
        self.on_message = self._take_one

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        for _ in range(_LOOKS_AT_ONCE):
            code = super().loop_read(max_packets)
            line = self.socket()
            if code or not isinstance(line, BufferedSocket) or not line.pending():
                break
        if self._looked:
            looked, self._looked = self._looked, []
            self.heard(looked)
        return code

    def loop_start(self) -> MQTTErrorCode:
        code = super().loop_start()
        line: Any = getattr(self, "_sockpairW", None)
        if isinstance(line, socket.socket):
            self._doorbell = self._sockpairW = Doorbell(line)  # type: ignore[assignment]
        return code

    def loop_write(self) -> MQTTErrorCode:
        if self._doorbell is not None:
            self._doorbell.answered()
        code = super().loop_write()
        line = self.socket()
        if isinstance(line, BufferedSocket):
            line.flush()
        return code

    def want_write(self) -> bool:
        line = self.socket()
        return super().want_write() or (isinstance(line, BufferedSocket) and line.has_collected())

    def let_go(self) -> None:
        """Close the line to the network's thread, which has ended; it would stay until nobody knows the client."""
        self._reset_sockets(sockpair_only=True)

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Acknowledge messages of QoS 1 in one write; each by itself costs as much as storing it.

        Also to a broker that takes nothing just now: on the same connection it would never send them again, and count
        them among those on their way for ever. Their numbers have 16 bits, so this is a quarter of a megabyte at most.
        """
        line = self.socket()
        if isinstance(line, BufferedSocket):
            line.add(b"".join([_PUBACK.pack(0x40, 2, number) for number in numbers]))
            line.flush()
        else:
            for number in numbers:
                self.ack(number, 1)

    def _create_socket(self) -> Any:
        return BufferedSocket(super()._create_socket())

    def _packet_read(self) -> MQTTErrorCode:
        line = self.socket()
        if isinstance(line, BufferedSocket) and self._in_packet["command"] == 0 and self._took_all(line):
            return MQTTErrorCode.MQTT_ERR_AGAIN
        return super()._packet_read()

    def _took_all(self, line: BufferedSocket) -> bool:
        """Take the messages that lie ready between two packets; whether nothing else does."""
        try:
            found = line.messages()
        except OSError:
            return False  # the library reads once more, and says what it is
        self._looked += found
        return bool(found) and not line.has_more()

    def _take_one(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:  # an exception here would end the network's thread
            topic = NOT_TEXT
        self._looked.append(Message(topic, message.mid, bytes(message.payload)))
