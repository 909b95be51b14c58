"""The ping against a real HTTP server."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from structlog.testing import capture_logs

from server.deadman import DeadMan
from server.watch.silence import Part, Silent
from tests.server.gateway_stub import wait_for
from tests.server.world import World


class Outside(HTTPServer):
    """Somebody who counts the pings."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Ear)
        self.heard: list[str] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/ping/varde"


class Ear(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Outside)
        server.heard.append(self.path)
        self.send_response(server.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_it_pings_only_while_everything_of_ours_is_alive(world: World, outside: Outside) -> None:
    parts = world.parts()
    man = DeadMan(parts, outside.url)
    assert not man.ping()  # nobody has looked yet
    parts.findings.put(())
    assert man.ping()
    parts.findings.put((Silent(part=Part.GATEWAY, why="not heard", subject="gw"),))
    assert man.ping()  # a home without power is no fault of the server
    parts.findings.put((Silent(part=Part.WATCH, why="no sign of life"),))
    assert not man.ping()
    assert outside.heard == ["/ping/varde"] * 2


def test_a_ping_that_does_not_arrive_is_logged_once_without_its_address(world: World, outside: Outside) -> None:
    parts = world.parts()
    parts.findings.put(())
    man = DeadMan(parts, outside.url)
    outside.status = 500
    with capture_logs() as logs:
        assert [man.ping(), man.ping()] == [False, False]
        outside.status = 200
        assert [man.ping(), man.ping()] == [True, True]
    assert [each["log_level"] for each in logs] == ["error", "info"]
    assert outside.url not in str(logs)


def test_it_pings_in_a_thread_of_its_own_until_it_is_stopped(world: World, outside: Outside) -> None:
    parts, stop = world.parts(), threading.Event()
    parts.findings.put(())
    thread = threading.Thread(target=DeadMan(parts, outside.url, every_seconds=0.02).run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: len(outside.heard) >= 3)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
