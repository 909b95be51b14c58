"""A real server on a free port and a real Chromium in front of it."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from server.web.app import build_web
from server.web.frame.rendering import STATIC
from tests.server.web import hamlet
from tests.server.web.hamlet import Hamlet

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = (1280, 800), (390, 844)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One of the four ways to meet a page. `place`: which; tests that share a server have a patient of it for each."""

    place: int
    size: tuple[int, int]
    script: bool

    @property
    def look(self) -> dict[str, Any]:
        """What a browser is opened with."""
        return {"size": self.size, "script": self.script}

    def __str__(self) -> str:
        return f"{'phone' if self.size == PHONE else 'desktop'}{'' if self.script else ' without script'}"


WAYS = tuple(
    Way(place=place, size=size, script=script)
    for place, (size, script) in enumerate(((DESKTOP, True), (DESKTOP, False), (PHONE, True), (PHONE, False)))
)


@dataclass
class Site:
    """A running server and the hamlet that it shows."""

    lia: Hamlet
    app: FastAPI
    url: str
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        """Stop serving; open pages are let go."""
        self.app.state.web.changes.let_go()
        self.server.should_exit = True
        self.thread.join(15)
        assert not self.thread.is_alive()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is not installed; make test installs it where it may"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("browser") / "varde.db"
    database = Database(file_address(path))
    upgrade_database(database)
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path.read_bytes()


def serve(lia: Hamlet, static: Path = STATIC) -> Site:
    """Serve the hamlet on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = build_web(lia.parts, static=static)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="site")
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    port = listener.getsockname()[1]
    return Site(lia=lia, app=app, url=f"http://127.0.0.1:{port}", server=server, thread=thread)


@contextmanager
def served(lia: Hamlet, static: Path = STATIC) -> Iterator[Site]:
    """The same until the end of the block."""
    running = serve(lia, static)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def founded(migrated: bytes, folder: Path) -> Iterator[Hamlet]:
    """The hamlet with nothing measured yet, in a folder of its own."""
    path = folder / "varde.db"
    path.write_bytes(migrated)
    database = Database(file_address(path))
    try:
        yield hamlet.found(database, folder)
    finally:
        database.close()


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    """Each of the four."""
    given: Way = request.param
    return given


@pytest.fixture
def lia(migrated: bytes, tmp_path: Path) -> Iterator[Hamlet]:
    with founded(migrated, tmp_path) as made:
        yield made


@pytest.fixture
def site(lia: Hamlet) -> Iterator[Site]:
    """The hamlet with nothing measured yet, served."""
    with served(lia) as running:
        yield running


@pytest.fixture(scope="module")
def village(migrated: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same for all tests of a module, each of which takes care to meet nobody else's patient."""
    with founded(migrated, tmp_path_factory.mktemp("village")) as made, served(made) as running:
        yield running


@pytest.fixture(scope="module")
def morning(migrated: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The hamlet on a morning with alerts of every kind, for tests of a module that change nothing."""
    with founded(migrated, tmp_path_factory.mktemp("morning")) as made, served(hamlet.fill(made)) as running:
        yield running


Opener = Callable[..., BrowserContext]


@pytest.fixture
def person(chromium: Browser) -> Iterator[Opener]:
    """`person(site, "anna", script=..., dark=..., size=...)`: that staff member's browser."""
    opened: list[BrowserContext] = []

    def open_one(
        where: Site,
        who: str | None = "anna",
        *,
        script: bool = True,
        dark: bool = False,
        size: tuple[int, int] = DESKTOP,
    ) -> BrowserContext:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            locale="nb-NO",
            base_url=where.url,
        )
        context.set_default_timeout(15_000)
        if who is not None:
            secret = where.lia.session(who)
            context.add_cookies([{"name": "varde_session", "value": secret, "url": where.url}])
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


def page_of(context: BrowserContext, path: str = "/") -> Page:
    """A page at that path on which no script may fail."""
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
    page.goto(path)
    return page
