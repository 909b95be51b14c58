"""The nurse's worklist with 10,000 open alerts of 2,000 patients: the page, its queries, how soon an open page hears of
a change, and what the server's memory does meanwhile.

`varde server --role web` in a process of its own on PostgreSQL, `--role all` on SQLite; asked over HTTP as a browser
does. Beside it the bare SQL that fetches the same alerts. Memory is looked at first, while the process is new.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter

import psycopg
from sqlalchemy import delete, select

from benchmarks.machine import resident_kb
from benchmarks.results import Book
from benchmarks.street import alerts, postgres, town
from benchmarks.street.browser import Browser, count_queries, hear_changes, streams
from benchmarks.street.live import quantile
from benchmarks.street.processes import Child, role, running, server_settings
from server.access import Role
from server.care.credentials import NewToken, begin_session, create_token
from server.db import tables
from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from server.vault import open_vault
from server.watch.evaluate import evaluate
from varde.demo.broker import free_port
from vitals.clock import ScaledClock, SystemClock

PAGE, SQL, SSE = "worklist page", "bare SQL of its alerts", "change to open page"
BEFORE, AFTER, GROWTH = "resident before the first page", "resident after {} pages", "growth from the {}th to the {}th"
STREAM = "an open page's stream"
_ILL = 10
_ALERTS = "SELECT * FROM alert WHERE municipality_id = '{}' AND state IN ('active', 'acknowledged', 'cleared')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many patients, open and closed alerts; how often the page is asked in a round; changes; rounds."""

    patients: int = 2_000
    open: int = 10_000
    closed: int = 90_000
    pages: int = 12
    changes: int = 30
    rounds: int = 5
    looks: tuple[int, ...] = (50, 200)  # after how many pages memory is looked at
    streams: int = 50


QUICK = Size(patients=60, open=150, closed=200, pages=2, changes=3, rounds=1, looks=(2, 4), streams=3)


def run(book: Book, size: Size) -> None:
    """All rounds, both databases taking turns."""
    note = {"patients": size.patients, "open": size.open, "closed": size.closed, "pages a round": size.pages}
    book.note("size", note)
    with (
        tempfile.TemporaryDirectory(prefix="varde-worklist-") as name,
        postgres.running() as cluster,
        cluster.migrated("worklist") as address,
    ):
        embedded = file_address(Path(name) / "varde.db")
        sides = [("PostgreSQL", address, "web"), ("SQLite", embedded, "all")]
        with _served(Path(name), size, sides) as served:
            for side in served:
                _memory(book, side, size)
            for number in range(1, size.rounds + 1):
                for side in served if number % 2 else served[::-1]:
                    _round(book, side, size, number)
            for side in served:
                book.add(f"{side.name}: {PAGE}, p95 of all rounds", quantile(side.times, 0.95) * 1000, "ms")
                found = count_queries(side.folder, side.address, side.session)
                book.add(f"{side.name}: queries a page", found, "")
    with tempfile.TemporaryDirectory(prefix="varde-worklist-") as name:
        few = Size(patients=20, open=20, closed=0)
        folder, address = Path(name), file_address(Path(name) / "varde.db")
        _filled(folder, few, address)
        book.add("queries a page with 20 open alerts", count_queries(folder, address, _enter(folder, address)[0]), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One database with its server."""

    name: str
    address: str
    folder: Path
    child: Child
    port: int
    session: str
    token: str
    municipality: str
    clickable: tuple[str, ...]
    times: list[float] = field(default_factory=list)  # of every page in every round


def _round(book: Book, side: _Side, size: Size, number: int) -> None:
    browser = Browser(side.port, side.session)
    times, length = browser.pages("/", size.pages)
    side.times.extend(times)
    for word, value in (("p50", sorted(times)[len(times) // 2]), ("max", max(times))):
        book.add(f"{side.name}: {PAGE}, {word}", value * 1000, "ms", number)
    book.note(f"{side.name}: bytes of the page", length)
    bare = partial(_bare, side)
    book.add(f"{side.name}: {SQL}", min(_timed(bare) for _ in range(3)) * 1000, "ms", number)
    delays = hear_changes(side.port, side.session, (side.token, side.clickable), size.changes)
    book.add(f"{side.name}: {SSE}, p50", sorted(delays)[len(delays) // 2] * 1000, "ms", number)
    book.add(f"{side.name}: {SSE}, p95", sorted(delays)[int(len(delays) * 0.95)] * 1000, "ms", number)


def _memory(book: Book, side: _Side, size: Size) -> None:
    """What the server holds before the first page, after many, and for pages that stay open."""
    browser = Browser(side.port, side.session)
    book.add(f"{side.name}: {BEFORE}", _resident(side), "MB")
    asked, found = 0, []
    for count in size.looks:
        browser.pages("/", count - asked)
        asked = count
        found.append(_resident(side))
        book.add(f"{side.name}: {AFTER.format(count)}", found[-1], "MB")
    book.add(f"{side.name}: {GROWTH.format(*size.looks)}", max(0.0, found[-1] - found[0]), "MB")
    with streams(side.port, side.session, size.streams):
        grown = _resident(side) - found[-1]
        book.add(f"{side.name}: {STREAM}", max(0.0, grown) * 1024 / size.streams, "kB")


def _resident(side: _Side) -> float:
    return resident_kb(side.child.pid) / 1024


def _timed(do: Callable[[], None]) -> float:
    began = perf_counter()
    do()
    return perf_counter() - began


def _bare(side: _Side) -> None:
    statement = _ALERTS.format(side.municipality)
    if side.address.startswith("sqlite"):
        with closing(sqlite3.connect(side.folder / "varde.db")) as database:
            database.execute(statement).fetchall()
        return
    with psycopg.connect(side.address) as database:
        database.execute(statement).fetchall()


@contextmanager
def _served(folder: Path, size: Size, sides: list[tuple[str, str, str]]) -> Iterator[list[_Side]]:
    made = []
    clock = folder / "clock.json"
    ScaledClock(epoch=town.NOW, started=SystemClock().now(), factor=1).write(clock)
    for name, address, what in sides:
        own = folder if name == "SQLite" else folder / name
        own.mkdir(exist_ok=True)
        municipality = _filled(own, size, address)
        session, token = _enter(own, address)
        port = free_port()
        settings = server_settings(own, None if what == "all" else address, free_port(), clock)
        child = role(what, own, settings | {"VARDE_WEB_PORT": str(port)})
        made.append(
            _Side(
                name=name,
                address=address,
                folder=own,
                child=child,
                port=port,
                session=session,
                token=token,
                municipality=municipality,
                clickable=_clickable(address, size),
            )
        )
    with running([side.child for side in made]):
        for side in made:
            browser = Browser(side.port, side.session)
            browser.wait_until_ready(side.child)
        yield made


def _filled(folder: Path, size: Size, address: str) -> str:
    """The town with its history and alerts; its municipality."""
    vault = open_vault(folder / "vault.key", create=True)
    with closing(Database(address)) as database:
        upgrade_database(database)
        with database.write() as connection:
            made = town.settle(connection, vault, size.patients, plans=True)
            well = size.patients - _ILL
            ill = range(well, size.patients)
            town.remember(connection, made, [(number, town.NOW) for number in range(size.patients)], ill)
            alerts.write(connection, made, well, (size.open - _ILL, size.closed))
            for number in ill:  # whose alerts can be clicked, because the rules themselves raised them
                evaluate(connection, town.patient_id(number), town.NOW)
            connection.execute(delete(tables.due))
    return made.municipality


def _clickable(address: str, size: Size) -> tuple[str, ...]:
    """Ids of the alerts that the rules raised."""
    ill = [town.patient_id(number) for number in range(size.patients - _ILL, size.patients)]
    alert = tables.alert.c
    with closing(Database(address)) as database, database.read() as connection:
        return tuple(connection.execute(select(alert.id).where(alert.patient_id.in_(ill))).scalars())


def _enter(folder: Path, address: str) -> tuple[str, str]:
    """The secrets of a session of the nurse and of a token."""
    with closing(Database(address)) as database, database.write() as connection:
        now = SystemClock().now()
        staff = connection.execute(tables.staff.select()).one()
        session = begin_session(connection, staff.id, now)
        new = NewToken(municipality=staff.municipality_id, team=staff.team_id, role=Role.NURSE, label="benchmark")
        token = create_token(connection, new, now)
    assert session
    return session, token
