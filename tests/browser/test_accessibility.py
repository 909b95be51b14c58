"""axe finds nothing to object to on any page in any look: WCAG 2.0 to 2.2, A and AA, and best practice."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from server.db.engine import Database, file_address
from server.web.frame.rendering import STATIC
from tests.browser.conftest import PHONE, Opener, Site, page_of, served
from tests.browser.looks import check, opened, violations
from tests.server.web import dale as builder
from tests.server.web import valley
from tests.server.web.dale import READERS, Dale
from tests.server.web.test_every_page import GONE_ON, pages

# What the first reader who may open a page does not see: who, where, whose.
MORE = (
    ("kåre", "/patients/{patient}/plan", "peder"),  # a proposal that waits for him
    ("anna", "/patients/{patient}", "ella"),  # a weight that nobody believes
    ("anna", "/patients/{patient}", "solveig"),
    ("anna", "/patients/{patient}/visit", "peder"),
    ("tore", "/", "gunnar"),
    ("berit", "/own", "gunnar"),
    ("anna", "/patients/nobody", "gunnar"),
    ("tore", "/team/load", "gunnar"),  # not for her
)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run
Reader = Callable[[str | None], Page]


@pytest.fixture(scope="module")
def dale(migrated: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dale]:
    """Everything that a page can show."""
    folder = tmp_path_factory.mktemp("dale")
    (folder / "varde.db").write_bytes(migrated)
    database = Database(file_address(folder / "varde.db"))
    made = builder.settle(database, folder)
    valley.remember(made.lia)
    yield made
    database.close()


@pytest.fixture(scope="module")
def town(dale: Dale) -> Iterator[Site]:
    with served(dale.lia) as running:
        yield running


@pytest.fixture(scope="module")
def reader(dale: Dale, town: Site, chromium: Browser) -> Iterator[Reader]:
    """`reader("anna")`: her page, one for all tests; no script may fail on it."""
    opened_pages: dict[str | None, Page] = {}

    def page(who: str | None) -> Page:
        if who not in opened_pages:
            context = chromium.new_context(locale="nb-NO", base_url=town.url)
            if who is not None:
                cookie = {"name": "varde_session", "value": dale.secrets[who], "url": town.url}
                context.add_cookies([cookie])  # type: ignore[list-item]
            opened_pages[who] = context.new_page()
            opened_pages[who].on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
        return opened_pages[who]

    yield page
    for each in opened_pages.values():
        each.context.close()


def _sees(page: Page, where: str) -> bool:
    return page.request.get(where, max_redirects=0).status == 200


def test_every_page_of_the_product_is_looked_at(dale: Dale) -> None:
    assert set(dale.pages()) - GONE_ON == set(pages())


@pytest.mark.parametrize("path", pages())
def test_a_page_has_no_violation_in_any_look(dale: Dale, reader: Reader, path: str) -> None:
    where = dale.address(path)
    page = next((reader(who) for who in READERS if _sees(reader(who), where)), None)
    assert page, f"nobody can open {path}"
    page.goto(where)
    check(opened(page), path)


@pytest.mark.parametrize(("who", "path", "patient"), MORE)
def test_nor_has_it_for_somebody_else(dale: Dale, reader: Reader, who: str, path: str, patient: str) -> None:
    page = reader(who)
    page.goto(dale.address(path, patient))
    check(opened(page), (who, path))


@pytest.mark.parametrize(
    ("path", "button"),
    [("/own/measure", "Send"), ("/own/symptoms", "Send"), ("/visits/new", "Registrer og begynn besøket")],
)
def test_nor_has_a_form_that_says_what_is_wrong(reader: Reader, path: str, button: str) -> None:
    page = reader("gunnar" if path.startswith("/own") else "anna")
    page.goto(path)
    page.evaluate("document.querySelectorAll('form').forEach(each => { each.noValidate = true })")  # else not sent
    page.get_by_role("button", name=button).click()
    expect(page.locator("#flash")).to_be_visible()
    check(opened(page), path)


def test_nor_has_a_plan_that_was_tried(dale: Dale, reader: Reader) -> None:
    page = reader("anna")
    page.goto(dale.address("/patients/{patient}/plan/edit", "solveig"))
    page.get_by_label("Høy puls, middels").fill("108")
    page.get_by_role("button", name="Prøv på de siste 30 dagene").click()
    expect(page.get_by_role("img", name="Varsler per uke som søyler")).to_be_visible()
    check(opened(page), "tried")


@pytest.mark.parametrize("path", ["/", "patient", "/login"])
def test_nor_has_a_page_without_what_npm_brings(morning: Site, person: Opener, tmp_path: Path, path: str) -> None:
    static = tmp_path / "static"
    shutil.copytree(STATIC, static, ignore=shutil.ignore_patterns("vendor"))
    where = f"/patients/{morning.lia.patients['gunnar']}" if path == "patient" else path
    with served(morning.lia, static) as plain:
        page = page_of(person(plain), where)
        check(opened(page), path)
        page.context.close()


def test_the_open_menu_has_no_violation(reader: Reader) -> None:
    page = reader("anna")
    page.goto("/patients")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.locator(".me summary").click()
    expect(page.get_by_role("button", name="Nynorsk")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme


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
