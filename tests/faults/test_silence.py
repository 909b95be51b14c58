"""One row for each part that can fall silent: who tells of it, by which ways, and how soon.

In `tests/server/watch/test_lookout.py` the parts really end. Here all the ways are held against all the parts: within a
minute the log, the counters and health say it; of what is ours operations are told, every staff page says so, and the
ping to the outside stays out. Every row is told by a look-out that does not need the part it tells of.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from server.db.engine import Database
from server.deadman import DeadMan
from server.findings import Findings
from server.ingest.batch import take_in
from server.ingest.gateways import KeyRing
from server.notify.channels import Notice
from server.watch import beat
from server.watch.devices import Devices
from server.watch.gateways import Gateways
from server.watch.lookout import EVERY_SECONDS, OPERATIONS, Lookout
from server.watch.silence import BROKER, ROLES, Part
from server.web.app import build_web
from server.web.routes import health
from tests.server.test_deadman import Outside, outside
from tests.server.web import hamlet
from tests.server.web.hamlet import GATEWAY, NOW, Hamlet
from vitals.clock import ManualClock, SystemClock
from vitals.seal import seal
from vitals.topics import Lane, gateway_id, topic

__all__ = ["outside"]

_WITHIN_S = 60


class Line:
    """Operations' own channel."""

    name = "line"

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, notice: Notice) -> None:
        assert notice.to == OPERATIONS
        self.sent.append(notice.text)


@dataclass
class Installation:
    """A server whose parts are alive as long as they are in `alive`; real time moves when told to."""

    lia: Hamlet
    outside: Outside
    stack: ExitStack
    wall: ManualClock = field(default_factory=lambda: ManualClock(SystemClock().now()))
    alive: set[str] = field(default_factory=lambda: {*ROLES, BROKER, "lookout"})
    disk: float = 0.5
    passed_s: float = 0.0

    def __post_init__(self) -> None:
        findings = Findings(lambda: self.passed_s)
        self.parts = self.lia.parts = replace(self.lia.parts, wall=self.wall, findings=findings)
        self.parts.broker_up.set()
        self.line = Line()
        self.lookout = Lookout(self.parts, self.line, disk=lambda _folder: self.disk)
        self.deadman = DeadMan(self.parts, self.outside.url)
        self.gateways, self.devices = Gateways(self.parts), Devices(self.parts)
        self.nurse = self.stack.enter_context(
            closing(TestClient(build_web(self.parts, others=(health.router,)), base_url="http://127.0.0.1"))
        )
        self.nurse.cookies.set("varde_session", self.lia.session("anna"), domain="127.0.0.1")

    def tick(self) -> None:
        """Two seconds in which everybody who lives says so, and who watches and looks does that."""
        self.wall.advance(timedelta(seconds=EVERY_SECONDS))
        self.passed_s += EVERY_SECONDS
        with suppress(DBAPIError), self.parts.database.write() as connection:
            for role in sorted(self.alive & {*ROLES, BROKER}):
                beat.stamp(connection, role, self.wall.now())
        if "watch" in self.alive:
            with suppress(DBAPIError):
                self.gateways.look()
                self.devices.look()
        if "lookout" in self.alive:
            self.lookout.look()

    def found(self) -> set[str]:
        return {each.part.value for each in self.parts.findings.silent}

    def refuse_writes(self) -> None:
        """As a database on a disk that may only be read."""
        engine: Any = self.parts.database._writing

        def refuse(connection: Connection) -> None:
            connection.exec_driver_sql("PRAGMA query_only=ON")

        event.listen(engine, "begin", refuse)
        self.stack.callback(event.remove, engine, "begin", refuse)

    def say_online(self) -> None:
        """The hamlet's gateway says how it is; it has not heard a device since the beginning."""
        where, now = topic(gateway_id(GATEWAY), Lane.STATUS), self.lia.clock.now()
        heard = {f"AA:BB:CC:00:00:{number:02X}": NOW.isoformat() for number in range(len(self.lia.patients))}
        body = json.dumps({"online": True, "heard": heard}).encode()
        with self.parts.database.write() as connection:
            take_in(connection, KeyRing(self.parts.vault), [(where, seal(self.lia.key, where, body))], now)


def stops(part: str) -> Callable[[Installation], None]:
    """The end of a role, of the broker, or of whoever looks."""
    return lambda here: here.alive.discard(part)


def fills(here: Installation) -> None:
    here.disk = 0.95


def sleeps(here: Installation) -> None:
    """Its plan asks for it every day, and for five days there was not a word of it."""
    here.lia.clock.advance(timedelta(days=5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A part and its end. `page`: what a staff page then has on top; None where that is no page's business."""

    die: Callable[[Installation], None]
    page: str | None = None
    is_ours: bool = True
    told: bool = True  # to operations: whoever looks for silence cannot tell of itself, the ping must


MATRIX = {
    "watch": Row(die=stops("watch"), page="Reglene kjører ikke"),
    "ingest": Row(die=stops("ingest"), page='data-silent="ingest"'),
    "notify": Row(die=stops("notify"), page='data-silent="notify"'),
    "web": Row(die=stops("web"), page='data-silent="web"'),
    "broker": Row(die=stops(BROKER), page='data-silent="broker"'),
    "database": Row(die=Installation.refuse_writes, page='data-silent="database"'),
    "disk": Row(die=fills, page='data-silent="disk"'),
    "lookout": Row(die=stops("lookout"), page='data-silent="lookout"', told=False),
    "gateway": Row(die=lambda _here: None, is_ours=False),  # it says no more than it has said
    "device": Row(die=sleeps, is_ours=False),
}


def test_no_part_is_without_a_row() -> None:
    elsewhere = {Part.OUTBOX, Part.CHANNEL}  # need notices: tests/server/watch/test_lookout.py
    assert set(map(Part, MATRIX)) | elsewhere == set(Part)


@pytest.fixture
def here(database: Database, tmp_path: Path, outside: Outside) -> Iterator[Installation]:
    with ExitStack() as stack, capture_logs():
        yield Installation(lia=hamlet.found(database, tmp_path), outside=outside, stack=stack)


@pytest.mark.parametrize("address", ["file"], indirect=True)
@pytest.mark.parametrize("part", MATRIX)
def test_the_end_of_a_part_is_told_within_a_minute_past_that_part(part: str, here: Installation) -> None:
    row = MATRIX[part]
    here.say_online()
    here.tick()
    assert here.found() == set()
    assert here.deadman.ping()
    assert here.nurse.get("/readyz").status_code == 200
    assert "data-silent=" not in (calm := here.nurse.get("/").text)
    assert row.page is None or row.page not in calm

    row.die(here)
    struck_at = here.passed_s
    while part not in here.found():
        here.tick()
        assert here.passed_s - struck_at <= _WITHIN_S + EVERY_SECONDS
        if part != "gateway":
            with suppress(DBAPIError):
                here.say_online()
    assert part in [each["part"] for each in here.nurse.get("/healthz").json()["silent"]]
    if part != "lookout":
        assert f'varde_silent{{part="{part}"}}' in here.nurse.get("/metrics").text
    heard = len(here.outside.heard)
    assert here.deadman.ping() is not row.is_ours
    assert (len(here.outside.heard) == heard) is row.is_ours
    assert any(part in text for text in here.line.sent) is (row.is_ours and row.told)
    assert (here.nurse.get("/readyz").status_code == 503) is row.is_ours
    if row.page is not None:
        assert row.page in here.nurse.get("/").text
