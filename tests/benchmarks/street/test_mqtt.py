"""The bare line, against a real broker; every packet byte by byte."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from benchmarks.street.mqtt import Came, Line, packet, publication
from benchmarks.street.processes import LOAD, SERVER, BrokerRun, mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerRun]:
    with mosquitto(tmp_path) as running:
        yield running


def test_a_packet_has_its_length_in_front() -> None:
    assert packet(0x30, b"ab") == b"\x30\x02ab"
    assert packet(0x30, bytes(200))[:3] == b"\x30\xc8\x01"
    assert publication("a/b", b"x", 0) == b"\x32\x08\x00\x03a/b\x00\x01x"
    assert publication("a/b", b"x", 0, qos=0) == b"\x30\x06\x00\x03a/bx"


@pytest.mark.parametrize("qos", [0, 1])
def test_what_is_published_is_received_once_and_whole(broker: BrokerRun, qos: int) -> None:
    subscriber = Line(broker.port, "bare", (SERVER.name, SERVER.password), keep=True)
    subscriber.subscribe("varde/v1/+/readings", qos)
    publisher = Line(broker.port, "load", (LOAD.name, LOAD.password))
    sent = [b"%d " % place * (place % 300) for place in range(2_000)]
    publisher.send(b"".join(publication("varde/v1/gw-1/readings", each, n, qos) for n, each in enumerate(sent)))
    came, acknowledged, deadline = list[bytes](), 0, monotonic() + 20
    while (len(came) < len(sent) or acknowledged < len(sent) * qos) and monotonic() < deadline:
        found: Came = subscriber.receive(0.05)
        came += [payload for topic, payload in found.messages if topic == b"varde/v1/gw-1/readings"]
        acknowledged += publisher.receive(0.0).acknowledged
    publisher.close()
    subscriber.close()
    assert came == sent
    assert acknowledged == len(sent) * qos


def test_a_stranger_is_refused(broker: BrokerRun) -> None:
    with pytest.raises(ConnectionError, match="refused"):
        Line(broker.port, "stranger", ("nobody", "nothing"))
