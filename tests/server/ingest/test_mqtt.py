"""The door to the broker, before a broker that is slow to say that it has what we sent."""

import socket
from contextlib import AbstractContextManager

from server.ingest.mqtt import Broker
from server.settings import Settings
from tests.server.gateway_stub import wait_for
from tests.server.ingest.played import played
from vitals.clock import SystemClock

_RECEIPT = b"<receipt>"


def _silent_broker(heard: bytearray) -> AbstractContextManager[int]:
    """Lets one client in and subscribe, takes all it sends, and acknowledges none of it; its port.

    Source: MQTT 3.1.1, 3.8 and 3.9 (SUBSCRIBE, SUBACK: its number, then a code for each topic).
    """

    def play(line: socket.socket) -> None:
        asked = line.recv(4096)
        assert asked[0] == 0x82
        line.sendall(b"\x90\x05" + asked[2:4] + b"\x01\x01\x01")
        while more := line.recv(65_536):
            heard.extend(more)

    return played(play)


def test_receipts_go_out_though_the_broker_has_not_yet_confirmed_those_before() -> None:
    """Its word comes behind all the readings that pile up: seconds, in which thousands more are stored."""
    heard = bytearray()
    with _silent_broker(heard) as port:
        link = Broker(Settings(mqtt_port=port), SystemClock())
        link.open()
        try:
            wait_for(lambda: link.connected)
            for _ in range(5_000):
                link.publish("varde/v1/gw-1/receipts", _RECEIPT)
            wait_for(lambda: heard.count(_RECEIPT) == 5_000)
        finally:
            link.close()
