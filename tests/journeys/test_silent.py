"""An open worklist when something behind it dies: within ten seconds it says so, and afterwards that all is well."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests import postgres
from tests.broker import free_port
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.journeys.running import Demo, wait_for

WITHIN_MS = 10_000
WELL_MS = 60_000
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, cluster: postgres.Cluster) -> Iterator[Demo]:
    """A demo whose roles are processes of their own."""
    with cluster.empty() as address:
        running = Demo(data=tmp_path_factory.mktemp("d") / "demo", port=free_port(), database=address)
        try:
            yield running.start()
        finally:
            running.stop()


@pytest.fixture(scope="module")
def page(town: Demo) -> Iterator[Page]:
    """The nurse's worklist, open and alive."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(locale="nb-NO", base_url=town.url).new_page()
        page.goto("/login")
        page.locator("button[name=staff]").first.click()
        page.goto("/")
        expect(page.locator("html[data-beat]")).to_be_attached(timeout=WELL_MS)
        yield page
        browser.close()


def _process(town: Demo, is_meant: Callable[[list[str]], bool]) -> psutil.Process:
    return wait_for(
        lambda: next((each for each in town.family() if is_meant(each.cmdline())), None), "the process that is to stop"
    )


def _role(name: str) -> Callable[[list[str]], bool]:
    return lambda line: line[-2:] == ["--role", name]


@contextmanager
def _hung(process: psutil.Process) -> Iterator[None]:
    """The process stands still, which is worse than gone: nobody starts it again."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def test_a_page_whose_server_is_dead_calls_itself_old(town: Demo, page: Page) -> None:
    expect(page.locator(".stale")).to_be_hidden()
    with _hung(_process(town, _role("web"))):
        expect(page.locator(".stale")).to_be_visible(timeout=WITHIN_MS)
        expect(page.locator(".stale")).to_contain_text("Siden blir ikke oppdatert.")
    expect(page.locator(".stale")).to_be_hidden(timeout=WELL_MS)


def test_a_page_says_that_the_rules_are_dead(town: Demo, page: Page) -> None:
    with _hung(_process(town, _role("watch"))):
        expect(page.get_by_text("Reglene kjører ikke.")).to_be_visible(timeout=WITHIN_MS)
        expect(page.locator(".stale")).to_be_hidden()
    expect(page.get_by_text("Reglene kjører ikke.")).to_be_hidden(timeout=WELL_MS)


def test_a_page_says_that_the_broker_is_dead(town: Demo, page: Page) -> None:
    note = page.locator("[data-silent=broker]")
    broker = _process(town, lambda line: "mosquitto" in line[0] or "amqtt" in " ".join(line))
    with _hung(psutil.Process(town.process.pid)):  # or it would be there again at once
        os.kill(broker.pid, signal.SIGKILL)
        expect(note).to_be_visible(timeout=WITHIN_MS)
        expect(note).to_contain_text("Nye målinger kommer ikke inn")
    expect(note).to_be_hidden(timeout=WELL_MS)
