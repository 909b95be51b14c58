"""From publishing a reading to its alert on an open worklist, measured in the browser, at 50 readings a second.

The page is the product's own in a real Chromium, open before the first reading; an observer in it notes when each
alert's row is there. Everything runs on PostgreSQL, each role a process of its own.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import update

from benchmarks.results import Book
from benchmarks.street import town
from benchmarks.street.heard import Heard
from benchmarks.street.live import Live, Stream, quantile
from benchmarks.street.processes import BenchmarkError, role, running
from benchmarks.street.stage import Stage, opened
from benchmarks.street.template import HAMLET, VILLAGE, Past
from server.care.credentials import begin_session
from server.db import tables
from server.db.engine import Database
from varde.demo.broker import free_port
from vitals.clock import SystemClock

SHARES = (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
WHAT = "publish to alert on an open worklist"
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_READY_MS = 60_000
_LAST_S = 10.0  # after which an alert that is not on the page counts as missing
_OBSERVER = """() => {
  window.seen = {};
  const look = () => {
    for (const row of document.querySelectorAll("#live .case")) window.seen[row.id.slice(5)] ??= Date.now();
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The town, how much a second and for how long, and how many rounds. Alerts of a round must fit on one page."""

    past: Past = VILLAGE
    rate: float = 50.0
    seconds: float = 24.0
    worried: int = 100
    rounds: int = 5


QUICK = Size(past=HAMLET, rate=50, seconds=4, worried=50, rounds=1)


def run(book: Book, size: Size) -> None:
    """All rounds on one page that stays open."""
    book.note("size", {"rate": size.rate, "seconds": size.seconds, "worried": size.worried, "rounds": size.rounds})
    with (
        tempfile.TemporaryDirectory(prefix="varde-screen-") as name,
        opened(Path(name), size.past) as stage,
        Heard(stage.address) as heard,
        _worklist(stage) as page,
    ):
        free = list(range(size.past.offline, size.past.patients))
        share = len(free) // size.rounds
        for number in range(1, size.rounds + 1):
            own, free = free[:share], free[share:]
            _round(book, (stage, heard, page), _stream(size, own), number)


def _stream(size: Size, patients: list[int]) -> Stream:
    return Stream(rate=size.rate, seconds=size.seconds, worried=size.worried, patients=patients)


def _round(book: Book, where: tuple[Stage, Heard, Page], stream: Stream, number: int) -> None:
    stage, heard, page = where
    _close_all(stage)
    live = Live(stage, stream).start()
    done = live.wait()
    stage.wait_until_judged(60)
    committed = live.waits(heard, done)
    shown = _shown(page, len(live.worried))
    waits = [shown[town.patient_id(who)] - done.sent_at[place] for place, who in live.worried.items()
             if town.patient_id(who) in shown]  # fmt: skip
    book.add("alerts on the page", len(waits), "", number)
    book.add("alerts missing", len(live.worried) - len(waits), "", number)
    for name, part in SHARES:
        book.add(f"{WHAT}, {name}", quantile(waits, part) * 1000, "ms", number)
    book.add("of it until the alert is committed, p95", quantile(committed.seconds, 0.95) * 1000, "ms", number)


def _shown(page: Page, wanted: int) -> dict[str, float]:
    """Patient -> the moment (monotonic) at which the page showed an alert of theirs."""
    deadline = time.monotonic() + _LAST_S
    while True:
        apart = time.time() - time.monotonic()  # the browser knows no other clock
        seen: dict[str, float] = page.evaluate("window.seen")
        if len(seen) >= wanted or time.monotonic() > deadline:
            page.evaluate("window.seen = {}")
            return {patient: at / 1000 - apart for patient, at in seen.items()}
        page.wait_for_timeout(100)


def _close_all(stage: Stage) -> None:
    """An empty list to begin with, so that what is raised stands on its first page."""
    with closing(Database(stage.address)) as database, database.write() as connection:
        connection.execute(update(tables.alert).values(state="resolved"))


@contextmanager
def _worklist(stage: Stage) -> Iterator[Page]:
    """The nurse's worklist in a browser, served by a process of its own."""
    port, program = free_port(), shutil.which("chromium")
    if program is None:
        raise BenchmarkError("Chromium is not installed; `make setup` says how to get it")
    web = role("web", stage.folder, {**stage.ingest.environment, "VARDE_WEB_PORT": str(port)})
    with running([web]), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        context = browser.new_context(locale="nb-NO", base_url=f"http://127.0.0.1:{port}")
        context.add_cookies([{"name": "varde_session", "value": _session(stage), "url": f"http://127.0.0.1:{port}"}])
        page = context.new_page()
        _open(page)
        page.evaluate(_OBSERVER)
        yield page
        browser.close()


def _open(page: Page) -> None:
    deadline = time.monotonic() + _READY_MS / 1000
    while True:
        try:
            page.goto("/")
        except PlaywrightError as error:
            if time.monotonic() > deadline:
                raise BenchmarkError("the worklist does not open") from error
            page.wait_for_timeout(300)
        else:
            break
    page.wait_for_selector("html[data-beat]", timeout=_READY_MS)


def _session(stage: Stage) -> str:
    with closing(Database(stage.address)) as database, database.write() as connection:
        staff = connection.execute(tables.staff.select()).first()
        session = None if staff is None else begin_session(connection, staff.id, SystemClock().now())
    if session is None:
        raise BenchmarkError("the town has no nurse")
    return session
