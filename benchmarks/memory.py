"""Resident memory of every role over a steady load: is it flat? Small enough to run beside other work.

Each role of the server is a process of its own on PostgreSQL; readings come at a steady rate, a page is asked now and
then. Before that the worklist is asked two hundred times, so that connections, threads and what is kept of statements
and templates are there; the first quarter is warm-up too. Over the rest a straight line is laid by least squares, and
its slope told with a 95 % interval that knows how much one look resembles the one before it.
"""

import math
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep

from benchmarks.machine import resident_kb
from benchmarks.results import Book
from benchmarks.street.browser import Browser
from benchmarks.street.load import Job, Load, Pace
from benchmarks.street.processes import BenchmarkError, Child, role, server_settings
from benchmarks.street.stage import Stage, opened
from benchmarks.street.template import HAMLET, VILLAGE, Past
from server.care.credentials import begin_session
from server.db import tables
from server.db.engine import Database
from varde.demo.broker import free_port
from vitals.clock import SystemClock

WARM_SHARE = 0.25
WARM_PAGES = 200
_WORRIED = 0.01
_PAGE_S = 10.0
_FREEDOM_LEAST = 3.0  # below, nothing can be said of an interval
_NORMAL = 1.959964  # standard deviations that hold 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The town, readings a second, for how long, and how often memory is looked at."""

    past: Past = VILLAGE
    rate: float = 20.0
    seconds: float = 1_200.0
    every_s: float = 5.0
    warm_pages: int = WARM_PAGES


QUICK = Size(past=HAMLET, rate=10.0, seconds=6.0, every_s=0.5, warm_pages=3)


@dataclass(frozen=True, slots=True)
class Slope:
    """Kilobytes an hour, and half the width of its 95 % interval."""

    kb_an_hour: float
    bound: float


def run(book: Book, size: Size) -> None:
    """One long round."""
    note = {"rate": size.rate, "seconds": size.seconds, "patients": size.past.patients, "pages": size.warm_pages}
    book.note("size", note)
    with (
        tempfile.TemporaryDirectory(prefix="varde-memory-") as name,
        opened(Path(name), size.past) as stage,
        _others(stage) as (others, browser),
    ):
        roles = {each.name: each.pid for each in (stage.ingest, stage.watch, *others)}
        roles["broker (Mosquitto)"] = stage.broker.child.pid
        browser.pages("/", size.warm_pages)
        series = _watch(stage, size, roles, browser)
    for role_name, points in series.items():
        warm = [point for point in points if point[0] >= size.seconds * WARM_SHARE]
        found = slope(warm)
        book.note(f"series: {role_name}", points)
        book.add(f"{role_name}: resident at the end", points[-1][1] / 1024, "MB")
        book.add(f"{role_name}: slope", found.kb_an_hour / 1024, "MB/h")
        book.add(f"{role_name}: slope's 95 % bound", found.bound / 1024, "MB/h")


def slope(points: Sequence[tuple[float, float]]) -> Slope:
    """Of (second, kilobytes) by least squares; its bound from the residuals.

    Memory stays where it is for minutes and then steps: a look tells little that the one before it did not. So the
    looks count for as many as there would be without that likeness (an autoregressive course of the first order).
    """
    count = len(points)
    x_mean = sum(x for x, _ in points) / count
    y_mean = sum(y for _, y in points) / count
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    rise = sum((x - x_mean) * (y - y_mean) for x, y in points) / spread
    off = [y - y_mean - rise * (x - x_mean) for x, y in points]
    residual = sum(each * each for each in off)
    if not residual:
        return Slope(rise * 3600, 0.0)
    alike = max(sum(one * other for one, other in pairwise(off)) / residual, 0.0)
    freedom = max(count * (1 - alike) / (1 + alike) - 2, _FREEDOM_LEAST)
    error = math.sqrt(residual / freedom / spread)
    return Slope(rise * 3600, _student(freedom) * error * 3600)


def _student(freedom: float) -> float:
    """How many errors hold 95 %: Student's, expanded about the normal distribution; within 4 % from three on."""
    cube, fifth = _NORMAL**3, _NORMAL**5
    return _NORMAL + (cube + _NORMAL) / (4 * freedom) + (5 * fifth + 16 * cube + 3 * _NORMAL) / (96 * freedom**2)


def _watch(stage: Stage, size: Size, roles: dict[str, int], browser: Browser) -> dict[str, list[tuple[float, float]]]:
    load = Load(_job(stage, size), stage.folder).start()
    series: dict[str, list[tuple[float, float]]] = {name: [] for name in roles}
    began, asked = monotonic(), 0.0
    while (passed := monotonic() - began) < size.seconds:
        for name, pid in roles.items():
            resident = resident_kb(pid)
            if not resident:
                raise BenchmarkError(f"{name} ended during the run")
            series[name].append((round(passed, 1), resident))
        if passed - asked > _PAGE_S or not asked:
            browser.pages("/", 1)
            asked = passed
        sleep(size.every_s)
    if len(load.wait().accepted) < size.rate * size.seconds * 0.9:
        raise BenchmarkError("not every reading got its receipt")
    return series


def _job(stage: Stage, size: Size) -> Job:
    chance = random.Random("memory")
    numbers = [chance.randrange(stage.past.offline, stage.past.patients) for _ in range(int(size.rate * size.seconds))]
    return Job(
        port=stage.broker.port,
        packets=stage.packets(numbers, worried=_WORRIED),
        pace=Pace.RATE,
        rate=size.rate,
        limit_s=size.seconds + 120,
    )


@contextmanager
def _others(stage: Stage) -> Iterator[tuple[list[Child], Browser]]:
    """The roles notify and web beside those of the stage."""
    port = free_port()
    own = Path(stage.ingest.environment["VARDE_DATA"])
    settings = server_settings(own, stage.address, stage.broker.port, stage.folder / "clock.json")
    others = [
        role("notify", stage.folder, settings),
        role("web", stage.folder, settings | {"VARDE_WEB_PORT": str(port)}),
    ]
    with closing(Database(stage.address)) as database, database.write() as connection:
        staff = connection.execute(tables.staff.select()).one()
        session = begin_session(connection, staff.id, SystemClock().now())
    assert session
    browser = Browser(port, session)
    try:
        for each in others:
            each.start()
        browser.wait_until_ready(others[1])
        yield others, browser
    finally:
        for each in others:
            each.stop()
