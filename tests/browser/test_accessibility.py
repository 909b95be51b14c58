"""axe finds nothing to object to on any page: WCAG 2.0 to 2.2, A and AA, and best practice."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from server.web.rendering import STATIC
from tests.browser.conftest import DESKTOP, PHONE, Opener, Site, page_of, serve
from tests.server.web import hamlet
from tests.server.web.hamlet import Hamlet
from tests.server.world import an_id

_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
PATHS = (
    "/",
    "/green",
    "patient",
    "taken_out",
    "proposal",
    "/patients",
    "/kits",
    "/quarantine",
    "/login",
    "/patients/nobody",
)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run


def violations(page: Page) -> list[str]:
    """What axe objects to, with the first place of each."""
    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]} {each['nodes'][0]['any'][:1]}" for each in found]


def opened(page: Page) -> Page:
    """The page with everything unfolded but the menu, which would cover what lies under it."""
    page.evaluate("document.querySelectorAll('details:not(.me)').forEach(each => { each.open = true })")
    return page


@pytest.fixture
def plain(lia: Hamlet, tmp_path: Path) -> Iterator[Site]:
    """The same morning on a server that npm never reached."""
    static = tmp_path / "static"
    shutil.copytree(STATIC, static, ignore=shutil.ignore_patterns("vendor"))
    running = serve(hamlet.fill(lia), static)
    yield running
    running.stop()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_has_a_violation(morning: Site, person: Opener, dark: bool, size: tuple[int, int]) -> None:
    context = person(morning, dark=dark, size=size)
    gunnar = f"/patients/{morning.lia.patients['gunnar']}"
    named = {"patient": gunnar, "taken_out": f"{gunnar}/readings/{an_id(10)}/invalidate"}
    named["proposal"] = f"{gunnar}/proposal"
    for path in PATHS:
        page = page_of(context, named.get(path, path))
        assert violations(opened(page)) == [], path
        page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_has_a_violation_without_what_npm_brings(plain: Site, person: Opener, dark: bool) -> None:
    context = person(plain, dark=dark)
    for path in ("/", "patient", "/login"):
        where = f"/patients/{plain.lia.patients['gunnar']}" if path == "patient" else path
        page = page_of(context, where)
        assert violations(opened(page)) == [], path
        page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_open_menu_has_no_violation(morning: Site, person: Opener, dark: bool) -> None:
    page = page_of(person(morning, dark=dark, size=PHONE), "/patients")
    page.locator(".me summary").click()
    expect(page.get_by_role("button", name="Nynorsk")).to_be_visible()
    assert violations(page) == []


def test_a_stale_page_can_still_be_read(morning: Site, person: Opener) -> None:
    context = person(morning)
    context.route("**/live", lambda route: route.abort())
    page = page_of(context)
    page.evaluate("document.documentElement.dataset.stale = 'yes'")
    expect(page.locator(".stale")).to_be_visible()
    assert violations(page) == []


def test_axe_finds_what_is_wrong(morning: Site, person: Opener) -> None:
    page = page_of(person(morning))
    page.evaluate(
        """() => {
            const bad = document.createElement("div");
            bad.innerHTML = '<img src="/static/beacon.svg"><button></button><input><p class="bad">grey</p>';
            document.querySelector("main").append(bad);
            const text = bad.querySelector(".bad");
            text.style.color = "#ccc"; text.style.background = "#fff";
        }"""
    )
    found = {each.split(":")[0] for each in violations(page)}
    assert {"image-alt", "button-name", "label", "color-contrast"} <= found
