"""Who takes notices at the other end, on this machine: a mail server and a webhook. Real protocols, nothing sent on."""

import http.server
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class Mailbox:
    """What a mail server took, and for whom; `refuses` are addresses that it does not know."""

    port: int = 0
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    is_full: bool = False


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mail server that speaks enough SMTP (RFC 5321) for a client that checks every answer."""
    box = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mail.example ready")
            to = ""
            while line := self.rfile.readline():
                word = line.strip().split(b" ")[0].upper()
                if word in (b"EHLO", b"HELO"):
                    self._say("250 mail.example")
                elif word == b"RCPT":
                    to = line.split(b"<")[1].split(b">")[0].decode()
                    self._say("550 no such mailbox" if to in box.refuses else "250 ok")
                elif word == b"DATA":
                    self._take(to)
                elif word == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _take(self, to: str) -> None:
            self._say("354 go on")
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            if box.is_full:
                self._say("452 no room")
                return
            mail: Any = message_from_bytes(b"".join(lines), policy=policy.default)
            box.mails.append((to, mail))
            self._say("250 taken")

        def _say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)) as server:
        box.port = server.server_address[1]
        yield box


@dataclass
class Taken:
    """What a webhook got; `answers` is what it says to it."""

    port: int = 0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: int = 202
    leads_to: str | None = None


@contextmanager
def webhook() -> Iterator[Taken]:
    """An HTTP server that takes whatever is posted."""
    taken = Taken()

    class Request(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(taken.answers)
            if taken.leads_to is not None:
                self.send_header("Location", taken.leads_to)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on the tests' screen."""

    with _serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Request)) as server:
        taken.port = server.server_address[1]
        yield taken


@contextmanager
def _serving(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
