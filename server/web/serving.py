"""The role that shows: pages, health and API behind one socket."""

import socket
import threading
from functools import partial

import uvicorn
from fastapi import FastAPI

from server.parts import Parts
from server.settings import Settings
from server.web.app import build_web, check_actions
from server.web.frame.changes import Changes
from server.web.frame.silence import told
from server.web.routes import health
from server.web.routes.api import build_api

_GRACE_SECONDS = 3  # how long a stopping web server waits for answers under way


class Web:
    """The role that shows: uvicorn on a socket that is bound already, so that a taken port is known at once."""

    name = "web"

    def __init__(self, application: FastAPI, listener: socket.socket) -> None:
        self._application = application
        self._listener = listener

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop`."""
        config = uvicorn.Config(
            self._application,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        server = uvicorn.Server(config)
        ended = threading.Event()

        def tell() -> None:
            while not ended.is_set() and not stop.wait(0.2):
                pass
            self._application.state.web.changes.let_go()  # open pages hold a stream, and stopping waits for answers
            server.should_exit = True

        teller = threading.Thread(target=tell, name="web-stop")
        teller.start()
        try:
            server.run(sockets=[self._listener])
        finally:
            ended.set()
            teller.join()


def build_pages(parts: Parts) -> FastAPI:
    """Pages, health and API as one application; every route of it has declared its action."""
    changes = Changes(parts.database, parts.clock, told=partial(told, parts))
    parts.changed.also(changes.nudge)
    pages = build_web(parts, changes, others=(health.router,))
    api = build_api(parts)
    check_actions(api)
    pages.mount("/api/v1", api)
    return pages


def listen(settings: Settings) -> socket.socket:
    """The socket of the pages, bound."""
    family = socket.AF_INET6 if ":" in settings.web_host else socket.AF_INET
    return socket.create_server((settings.web_host, settings.web_port), family=family, backlog=512)
