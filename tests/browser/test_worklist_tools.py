"""Sound, title and shortcut keys of the worklist: only for what is urgent, only when switched on, and remembered."""

import re

import pytest
from playwright.sync_api import Page, expect

from alerts.priority import Priority
from tests.browser.conftest import Opener, Site, page_of

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run


def _rings(page: Page) -> int:
    return int(page.evaluate("Number(document.documentElement.dataset.rang ?? 0)"))


def test_sound_and_title_are_for_what_is_urgent_and_nobody_has(site: Site, person: Opener) -> None:
    context = person(site)
    page = page_of(context)
    sound = page.get_by_role("button", name="Lyd når det haster")
    expect(sound).to_have_attribute("aria-pressed", "false")
    site.lia.hear("gunnar", spo2=87, pulse=80)
    expect(page).to_have_title("▲ Haster – Varde")  # the title needs no switch
    assert _rings(page) == 0
    sound.click()
    expect(page.locator("html")).to_have_attribute("data-rang", "1")
    page.get_by_role("button", name=re.compile("^Kvittér")).click()
    expect(page.locator("#flash")).to_be_visible()
    expect(page.locator("#live")).to_have_attribute("data-urgent", "0")
    expect(page).to_have_title("Arbeidsliste – Varde")
    site.lia.hear("solveig", spo2=86, pulse=80)
    expect(page.locator("html")).to_have_attribute("data-rang", "2")
    again = page_of(context)  # the choice is remembered
    expect(again.get_by_role("button", name="Lyd når det haster")).to_have_attribute("aria-pressed", "true")


def test_what_is_mild_neither_sounds_nor_flashes(site: Site, person: Opener) -> None:
    context = person(site)
    context.clock.install()  # the page's own time can be moved on; until then it runs as usual
    page = page_of(context)
    page.get_by_role("button", name="Lyd når det haster").click()
    expect(page.locator("html")).to_have_attribute("data-rang", "1")  # so that the reader hears what it will be
    site.lia.raise_alert("mild", "aud", "weight_gain_3d", priority=Priority.MEDIUM, why={"metric": "weight"})
    expect(page.locator("[data-alert]")).to_have_count(1)
    expect(page).to_have_title("(1) Arbeidsliste – Varde")
    page.clock.fast_forward(3_000)
    assert page.title() == "(1) Arbeidsliste – Varde"
    assert _rings(page) == 1


def test_the_whole_day_by_keyboard(site: Site, person: Opener) -> None:
    site.lia.hear("gunnar", spo2=87, pulse=80)
    site.lia.hear("solveig", spo2=86, pulse=80)
    context = person(site)
    page = page_of(context)
    expect(page.locator("[data-alert]")).to_have_count(2)
    page.keyboard.press("j")
    expect(page.locator(".alert:focus")).to_have_count(0)  # off until switched on: a word spoken to a computer is keys
    keys = page.get_by_role("button", name="Hurtigtaster")
    keys.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("neste varsel")).to_be_visible()
    page.keyboard.press("j")
    first = page.locator(".alert").first
    expect(first).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(".alert").nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator("#flash")).to_be_focused()
    expect(page.locator("#live")).to_contain_text("Anna Solbakk har det")
    page.keyboard.press("j")
    page.keyboard.press("j")  # what waits stands first, what she has below
    page.keyboard.press("c")
    expect(page.locator(":focus")).to_have_attribute("name", "outcome")
    page.keyboard.press("Escape")
    expect(page.locator(".alert").nth(1)).to_be_focused()
    page.keyboard.press("c")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#flash")).to_have_text("Varselet er lukket.")
    page.keyboard.press("/")
    expect(page.get_by_label("Finn pasient med navn")).to_be_focused()
    page.keyboard.type("jak")  # letters are letters in a field
    expect(page.get_by_label("Finn pasient med navn")).to_have_value("jak")
    again = page_of(context)
    expect(again.get_by_role("button", name="Hurtigtaster")).to_have_attribute("aria-pressed", "true")
