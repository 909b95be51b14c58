"""What a nurse's browser does, without a screen: pages over HTTP, and the stream that says that something changed."""

import http.client
import json
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from unittest.mock import patch

from psycopg.pq.abc import PGresult
from sqlalchemy import Connection, Engine, event
from starlette.testclient import TestClient

from benchmarks.street.processes import BenchmarkError, Child
from benchmarks.street.town import NOW
from server.db import journey
from server.db.engine import Database
from server.db.journey import Params, Sentence
from server.parts import Parts
from server.settings import Settings
from server.vault import open_vault
from server.web.app import build_web
from vitals.clock import ManualClock

_READY_S = 60.0
_SETTLE_S = 0.25  # between two changes, so that each is heard by itself


@dataclass(frozen=True, slots=True)
class Browser:
    """A session of a nurse."""

    port: int
    session: str

    def pages(self, path: str, times: int) -> tuple[list[float], int]:
        """Seconds from asking to the last byte, each time; and how many bytes the last answer had."""
        found, length = [], 0
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            for _ in range(times):
                began = perf_counter()
                length = len(self._ask(connection, path))
                found.append(perf_counter() - began)
        return found, length

    def wait_until_ready(self, child: Child) -> None:
        """Until the worklist is answered; raises `BenchmarkError`."""
        deadline = perf_counter() + _READY_S
        while True:
            try:
                self.pages("/healthz", 1)
            except OSError as error:
                if perf_counter() > deadline or not child.is_running():
                    raise BenchmarkError(f"{child.name} serves no pages: {child.tail()}") from error
                sleep(0.2)
            else:
                return

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> bytes:
        connection.request("GET", path, headers={"Cookie": f"varde_session={self.session}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise BenchmarkError(f"{path} answered {answer.status}")
        return body


def hear_changes(port: int, session: str, clicking: tuple[str, Sequence[str]], times: int) -> list[float]:
    """Seconds from a click of another client (its POST) until an open page's stream says so, each time.

    `clicking`: that client's token, and the alerts that it acknowledges and releases.
    """
    heard: queue.Queue[float] = queue.Queue()
    over = threading.Event()
    with _streaming(port, session, heard, over):
        client, alerts = _Clicker(port, clicking[0]), clicking[1]
        heard.get(timeout=10)  # the stream's first word
        delays = []
        for place in range(times):
            sleep(_SETTLE_S)
            while not heard.empty():
                heard.get()
            alert = alerts[place // 2 % len(alerts)]
            seen = client.seen(alert)
            began = perf_counter()
            client.click(alert, "release" if place % 2 else "acknowledge", seen)
            delays.append(heard.get(timeout=30) - began)
    return delays


@contextmanager
def _streaming(port: int, session: str, heard: "queue.Queue[float]", over: threading.Event) -> Iterator[None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/live", headers={"Cookie": f"varde_session={session}"})
    answer = connection.getresponse()

    def read() -> None:
        last = None
        while not over.is_set():
            try:
                line = answer.readline()
            except (OSError, ValueError, AttributeError):
                return
            if line.startswith(b"data:"):
                number = json.loads(line[5:])["number"]
                if number != last:
                    heard.put(perf_counter())
                last = number

    reader = threading.Thread(target=read, name="page", daemon=True)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join(10)  # the stream's next sign of life wakes it
        connection.close()


class _Clicker:
    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def seen(self, alert: str) -> str:
        """The ETag of the alert as it is."""
        return self._ask("GET", f"/api/v1/alerts/{alert}")[1]

    def click(self, alert: str, what: str, seen: str) -> None:
        """Do it."""
        self._ask("POST", f"/api/v1/alerts/{alert}/{what}", seen)

    def _ask(self, method: str, path: str, seen: str = "") -> tuple[bytes, str]:
        given = self._headers | ({"If-Match": seen} if seen else {})
        self._connection.request(method, path, headers=given)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise BenchmarkError(f"{method} {path} answered {answer.status}: {body[:300]!r}")
        return body, answer.headers.get("ETag", "")


@contextmanager
def streams(port: int, session: str, count: int) -> Iterator[None]:
    """So many open pages, each with a stream that has said its first word."""
    opened = []
    try:
        for _ in range(count):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            opened.append(connection)
            connection.request("GET", "/live", headers={"Cookie": f"varde_session={session}"})
            answer = connection.getresponse()
            if answer.status != http.client.OK or not answer.readline():
                raise BenchmarkError(f"/live answered {answer.status}")
        yield
    finally:
        for each in opened:
            each.close()


def count_queries(folder: Path, address: str, session: str) -> int:
    """How many statements the database is asked to run for one worklist, the notes of who was seen counted as well."""
    with closing(Database(address)) as database:
        parts = Parts(
            settings=Settings(data=folder, database=address),
            clock=ManualClock(NOW),
            database=database,
            vault=open_vault(folder / "vault.key", create=False),
        )
        asked: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA")):
                asked.append(statement)

        client = TestClient(build_web(parts), base_url="http://127.0.0.1")
        client.cookies.set("varde_session", session, domain="127.0.0.1")
        event.listen(Engine, "before_cursor_execute", note)
        try:
            with _also_said(asked):
                answer = client.get("/")
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        client.close()
        if answer.status_code != http.client.OK:
            raise BenchmarkError(f"the worklist answered {answer.status_code}")
    return len(asked)


@contextmanager
def _also_said(asked: list[str]) -> Iterator[None]:
    """Have statements that go to the database past SQLAlchemy counted as well."""
    say, tell = journey.say, journey.tell

    def saying(connection: Connection, *said: tuple[Sentence, Params]) -> list[PGresult]:
        asked.extend(each.text.decode() for each, _ in said)
        return say(connection, *said)

    def telling(connection: Connection, told: Sentence, params: Params) -> None:
        asked.append(told.text.decode())
        tell(connection, told, params)

    with patch.object(journey, "say", saying), patch.object(journey, "tell", telling):
        yield
