"""The door to the broker, before a broker that is slow to say that it has what we sent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from server.ingest.mqtt import Broker
from server.settings import Settings
from tests.server.gateway_stub import wait_for
from vitals.clock import SystemClock

_CONNACK = b"\x20\x02\x00\x00"
_RECEIPT = b"<receipt>"
_SECONDS = 10


@contextmanager
def _silent_broker(heard: bytearray) -> Iterator[int]:
    """Lets one client in and subscribe, takes all it sends, and acknowledges none of it; its port.

    Source: MQTT 3.1.1, 3.2 (CONNACK), 3.8 and 3.9 (SUBSCRIBE, SUBACK: its number, then a code for each topic).
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            taken, _ = server.accept()
            with taken:
                taken.settimeout(_SECONDS)
                taken.recv(4096)
                taken.sendall(_CONNACK)
                asked = taken.recv(4096)
                assert asked[0] == 0x82
                taken.sendall(b"\x90\x05" + asked[2:4] + b"\x01\x01\x01")
                while more := taken.recv(65_536):
                    heard.extend(more)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(_SECONDS)


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
