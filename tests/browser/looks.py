"""The four looks of a page, wide and narrow, light and dark: nothing that axe objects to, nothing too wide."""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import DESKTOP, PHONE

_WIDTHS = (768, 320)  # between the two, and the narrowest that WCAG 1.4.10 asks for
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_AXE = Axe().axe_script
# What stands out to the right of a page that is too wide; charts are drawn anew a moment after the window has changed.
_OUTSIDE = """async () => {
    const page = document.documentElement;
    for (let look = 0; look < 60 && page.scrollWidth > page.clientWidth; look += 1) {
        await new Promise(done => { setTimeout(done, 50); });
    }
    return page.scrollWidth <= page.clientWidth ? [] : [...document.querySelectorAll("main *")]
        .filter(each => each.getBoundingClientRect().right > page.clientWidth)
        .map(each => each.outerHTML.slice(0, 120));
}"""
_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


def violations(page: Page) -> list[str]:
    """What axe objects to, with the first place of each. Axe is brought in once for a page, which costs most of it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    found = page.evaluate("rules => axe.run(rules).then(all => all.violations)", _RULES)
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]} {each['nodes'][0]['any'][:1]}" for each in found]


def opened(page: Page) -> Page:
    """The page with everything unfolded but the menu, which would cover what lies under it."""
    page.evaluate("document.querySelectorAll('details:not(.me)').forEach(each => { each.open = true })")
    return page


def check_width(page: Page, width: int, height: int, about: object) -> None:
    """Fails when the page is wider than a window of that size."""
    page.set_viewport_size({"width": width, "height": height})
    assert page.evaluate(_OUTSIDE) == [], (about, width)


def check(page: Page, about: object) -> None:
    """The page as it stands, in all four looks, without loading it again. Fails with what is wrong, and `about`."""
    for width, height in (DESKTOP, PHONE):
        check_width(page, width, height, about)
        for scheme in _SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == [], (about, width, scheme)
    for width in _WIDTHS:
        check_width(page, width, 800, about)
