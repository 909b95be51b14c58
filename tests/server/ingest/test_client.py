"""Messages taken past the MQTT library are those that the library itself would have handed out, in the same order."""

import contextlib
import random
import select
import socket
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from server.ingest.buffered import BufferedSocket
from server.ingest.client import Client, Doorbell
from server.ingest.packets import NOT_TEXT, Message, messages
from tests.broker import Mosquitto
from tests.server.gateway_stub import wait_for
from tests.server.ingest.played import SECONDS, played

_PINGRESP = b"\xd0\x00"
_LAST = Message("varde/v1/end/readings", 65_535, b"end")


def _publish(topic: bytes, number: int | None, payload: bytes, *, marks: int = 0) -> bytes:
    """A packet of QoS 1, of QoS 0 without a number. Source: MQTT 3.1.1, 3.3."""
    rest = len(topic).to_bytes(2, "big") + topic + (b"" if number is None else number.to_bytes(2, "big")) + payload
    return bytes([(0x30 if number is None else 0x32) | marks]) + _length(len(rest)) + rest


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, low = divmod(size, 128)
        out.append(low | (128 if size else 0))
        if not size:
            return bytes(out)


def _stream(seed: int) -> tuple[bytes, list[Message]]:
    """A connection's bytes and the messages in them: of all sizes, between other packets."""
    made = random.Random(seed)
    out, sent = bytearray(), []
    for number in range(1, made.randint(5, 400)):
        kind = made.random()
        topic = f"varde/v1/gw-{made.randint(1, 9)}/readings"
        payload = made.randbytes(made.choice((0, 1, 90, 110, 127, 300, 300, 300, 16_300, 16_500, 70_000)))
        if kind < 0.05:
            out += _PINGRESP
        elif kind < 0.1:
            out += _publish(topic.encode(), None, payload)
            sent.append(Message(topic, 0, payload))
        else:
            out += _publish(topic.encode(), number, payload, marks=made.choice((0, 1, 8, 9)))
            sent.append(Message(topic, number, payload))
    out += _publish(_LAST.topic.encode(), _LAST.number, _LAST.payload)
    return bytes(out), [*sent, _LAST]


def _broker(stream: bytes, seed: int) -> AbstractContextManager[int]:
    """Something that accepts one client and sends it `stream` in pieces of all sizes; its port."""

    def play(line: socket.socket) -> None:
        pieces, place = random.Random(seed), 0
        while place < len(stream):
            after = place + pieces.choice((1, 2, 3, 700, 5_000, 200_000))
            line.sendall(stream[place:after])
            place = after
        while line.recv(4096):  # until the client goes
            pass

    return played(play)


def _listen(client: paho.Client, heard: Sequence[Message], port: int) -> None:
    client.connect("127.0.0.1", port)
    while _LAST not in heard[-1:]:
        line = client.socket()
        assert line is not None
        lies_ready = line.pending() if isinstance(line, BufferedSocket) else 0  # as the library's own loop asks
        assert lies_ready or select.select([line], [], [], SECONDS)[0], "nothing more came"
        assert client.loop_read() == paho.MQTT_ERR_SUCCESS
    client.disconnect()
    client.loop_write()


@pytest.mark.parametrize("seed", range(8))
def test_a_connection_is_heard_as_the_library_itself_hears_it(seed: int) -> None:
    stream, sent = _stream(seed)
    plain: list[Message] = []
    ours: list[Message] = []
    library = paho.Client(CallbackAPIVersion.VERSION2, manual_ack=True)
    library.on_message = lambda _client, _data, message: plain.append(
        Message(message.topic, message.mid, bytes(message.payload))
    )
    with _broker(stream, seed) as port:
        _listen(library, plain, port)
    client = Client(CallbackAPIVersion.VERSION2, manual_ack=True)
    client.heard = ours.extend
    with _broker(stream, seed) as port:
        _listen(client, ours, port)
    assert plain == sent
    assert ours == sent


def test_most_of_what_comes_together_is_taken_past_the_library() -> None:
    """Fails when one of the library's inner names that the client leans on is called otherwise."""
    stream = b"".join(_publish(b"varde/v1/gw/readings", number, bytes(300)) for number in range(1, 1001))
    stream += _publish(_LAST.topic.encode(), _LAST.number, _LAST.payload)
    heard: list[Message] = []
    one_by_one = 0

    class Counting(Client):
        def _take_one(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
            nonlocal one_by_one
            one_by_one += 1
            super()._take_one(client, data, message)

    client = Counting(CallbackAPIVersion.VERSION2, manual_ack=True)
    client.heard = heard.extend
    with _broker(stream, 3) as port:
        _listen(client, heard, port)
    assert len(heard) == 1001
    assert one_by_one < 100  # what a look finds cut in two


def test_a_connection_on_which_messages_alone_come_stays_alive(broker: Mosquitto) -> None:
    """They are taken past the library, which asks the broker now and then whether it is there."""
    lost, heard = threading.Event(), list[Message]()
    hearer, sender = (Client(CallbackAPIVersion.VERSION2, manual_ack=True) for _ in range(2))
    hearer.heard = heard.extend
    hearer.on_disconnect = lambda *_: lost.set()
    hearer.on_connect = lambda *_: hearer.subscribe("told", 1)
    for each in (hearer, sender):
        each.connect(broker.host, broker.port, keepalive=1)
        each.loop_start()
    try:
        while len(heard) < 40:  # four seconds of them, each alone
            sender.publish("told", b"x", qos=1)
            assert not lost.wait(0.1)
            hearer.acknowledge([each.number for each in heard[-3:]])
    finally:
        for each in (hearer, sender):
            each.disconnect()
            each.loop_stop()


def test_a_packet_that_is_not_yet_whole_is_left_to_the_library() -> None:
    packet = _publish(b"a/b", 7, b"x")
    assert messages(packet, 0) == ([Message("a/b", 7, b"x")], len(packet))
    assert messages(packet[:-1], 0) == ([], 0)
    assert messages(packet * 3 + packet[:-1], 0) == ([Message("a/b", 7, b"x")] * 3, 3 * len(packet))


def test_a_topic_that_is_no_text_is_nobodys() -> None:
    packet = _publish(b"\xff\xfe", 7, b"x")
    assert messages(packet, 0)[0] == [Message(NOT_TEXT, 7, b"x")]


def test_a_topic_longer_than_its_packet_is_left_to_the_library() -> None:
    packet = b"\x32\x07\x00\x99a\x00\x07xx"
    assert messages(packet * 2, 0) == ([], 0)


def test_the_networks_thread_is_called_once_until_it_has_looked() -> None:
    near, far = socket.socketpair()
    with near, far:
        far.setblocking(False)
        bell = Doorbell(near)
        for _ in range(100):
            bell.send(b"0")
        assert far.recv(1000) == b"0"
        bell.answered()
        bell.send(b"0")
        assert far.recv(1000) == b"0"


def test_no_acknowledgement_is_lost_on_a_broker_that_takes_nothing_for_a_while() -> None:
    """On one connection it does not send again what it thinks is on its way."""
    near, far = socket.socketpair()
    near.setblocking(False)
    line, client = BufferedSocket(near), Client(CallbackAPIVersion.VERSION2, manual_ack=True)
    client.socket = lambda: line  # type: ignore[method-assign]
    with far, contextlib.closing(line):
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += line.send(bytes(65_536))
        client.acknowledge([7, 65_535])
        got = b""
        while len(got) < sent + 8:
            line.flush()
            got += far.recv(1_048_576)
    assert got[sent:] == b"\x40\x02\x00\x07\x40\x02\xff\xff"


def test_what_many_threads_send_at_once_all_goes_out(broker: Mosquitto) -> None:
    """And the bell is in place; fails when the library keeps its line to the network's thread under another name."""
    arrived, counted = set[bytes](), threading.Event()
    hearer = paho.Client(CallbackAPIVersion.VERSION2)

    def hear(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        arrived.add(bytes(message.payload))
        if len(arrived) == 4 * 500:
            counted.set()

    hearer.on_message = hear
    sender = Client(CallbackAPIVersion.VERSION2, manual_ack=True)
    sender.max_inflight_messages_set(1000)
    hearer.connect(broker.host, broker.port)
    hearer.subscribe("told", 1)
    hearer.loop_start()
    sender.connect(broker.host, broker.port)
    sender.loop_start()
    try:
        wait_for(lambda: hearer.is_connected() and sender.is_connected())
        assert isinstance(vars(sender)["_sockpairW"], Doorbell)

        def send(place: int) -> None:
            for number in range(500):
                sender.publish("told", b"%d %d" % (place, number), qos=1)

        threads = [threading.Thread(target=send, args=(place,)) for place in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert counted.wait(20), len(arrived)
    finally:
        sender.loop_stop()
        hearer.loop_stop()
        sender.disconnect()
        hearer.disconnect()
