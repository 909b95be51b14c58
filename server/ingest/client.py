"""The MQTT library's client on a buffered socket: messages in lumps, acknowledgements in lumps.

With thousands of messages a second the library's way through one of them costs more than all that is done with what is
in it. So messages that lie ready are taken past it (`BufferedSocket.messages`); connecting, subscribing, staying alive,
sending and whatever else MQTT asks of a client stay its own.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

from server.ingest.buffered import BufferedSocket
from server.ingest.packets import NOT_TEXT, Message

_PUBACK = struct.Struct("!BBH")  # MQTT 3.1.1, 3.4: kind, length of the rest, number of the message
_LOOKS_AT_ONCE = 4  # of up to 64 kB each; then the client sees again whether there is something to send


class Client(paho.Client):
    """As many packets at a look as are there, and one write for many.

    Three names are the library's own affair: `_create_socket`, `_packet_read` and `_in_packet`. Should one of them be
    called otherwise one day, everything works as before, only slower; tests tell. `heard` is called on the network's
    thread with the messages of one look.
    """

    heard: Callable[[Sequence[Message]], None] = staticmethod(lambda _messages: None)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._looked: list[Message] = []
        self.on_message = self._take_one

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        for _ in range(_LOOKS_AT_ONCE):
            code = super().loop_read(max_packets)
            socket = self.socket()
            if code or not isinstance(socket, BufferedSocket) or not socket.pending():
                break
        if self._looked:
            looked, self._looked = self._looked, []
            self.heard(looked)
        return code

    def loop_write(self) -> MQTTErrorCode:
        code = super().loop_write()
        socket = self.socket()
        if isinstance(socket, BufferedSocket):
            socket.flush()
        return code

    def want_write(self) -> bool:
        socket = self.socket()
        return super().want_write() or (isinstance(socket, BufferedSocket) and socket.has_collected())

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Acknowledge messages of QoS 1 in one write; each by itself costs as much as storing it."""
        socket = self.socket()
        if isinstance(socket, BufferedSocket):
            try:
                socket.send(b"".join([_PUBACK.pack(0x40, 2, number) for number in numbers]))
            except BlockingIOError:
                return  # a broker that takes nothing sends them again
            socket.flush()
        else:
            for number in numbers:
                self.ack(number, 1)

    def _create_socket(self) -> Any:
        return BufferedSocket(super()._create_socket())

    def _packet_read(self) -> MQTTErrorCode:
        socket = self.socket()
        if isinstance(socket, BufferedSocket) and self._in_packet["command"] == 0:  # between two packets
            self._looked += socket.messages()
        return super()._packet_read()

    def _take_one(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:  # an exception here would end the network's thread
            topic = NOT_TEXT
        self._looked.append(Message(topic, message.mid, bytes(message.payload)))
