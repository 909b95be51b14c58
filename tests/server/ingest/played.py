"""A broker that a test plays by hand: it lets one client in, and does with the line whatever the test says."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 10
_CONNACK = b"\x20\x02\x00\x00"  # MQTT 3.1.1, 3.2


@contextmanager
def played(play: Callable[[socket.socket], None]) -> Iterator[int]:
    """Its port. `play` runs on a thread of its own once the client was let in, and ends when the client goes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            taken, _ = server.accept()
            with taken:
                taken.settimeout(SECONDS)
                taken.recv(4096)
                taken.sendall(_CONNACK)
                play(taken)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(SECONDS)
