"""The worklist as two nurses use it, with and without script."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Opener, Site, page_of
from tests.server.world import an_id

LOW = "Oksygenmetning 87"
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run


def _mark(page: Page) -> None:
    """Something that a reload would forget."""
    page.evaluate("window.before = 'still here'")


def _was_not_reloaded(page: Page) -> bool:
    return bool(page.evaluate("window.before === 'still here'"))


def test_a_new_alert_appears_without_reload(site: Site, person: Opener) -> None:
    page = page_of(person(site))
    expect(page.get_by_text("Ingen venter på svar")).to_be_visible()
    _mark(page)
    site.lia.hear("gunnar", spo2=87, pulse=80)
    expect(page.locator("#live")).to_contain_text(LOW)
    expect(page.locator("#count-worklist")).to_have_text("1")
    expect(page).to_have_title("(1) Arbeidsliste – Varde")
    expect(page.locator("#announce")).to_contain_text("Nytt varsel: Lav oksygenmetning. Gunnar Prøvedal")
    assert _was_not_reloaded(page)


def test_acknowledging_and_closing_with_script(site: Site, person: Opener) -> None:
    site.lia.hear("gunnar", spo2=87, pulse=80)
    page = page_of(person(site))
    _mark(page)
    page.get_by_role("button", name=re.compile("^Kvittér")).click()
    expect(page.locator("#flash")).to_have_text(re.compile("Du har kvittert varselet"))
    expect(page.locator("#flash")).to_be_focused()
    expect(page.locator("#live")).to_contain_text("Anna Solbakk har det")
    page.locator(".close:not(.more) summary").click()
    page.get_by_label("Fulgt opp: besøk, samtale eller behandling").check()
    page.get_by_role("button", name="Lukk varselet").click()
    expect(page.locator("#flash")).to_have_text("Varselet er lukket.")
    expect(page.locator("[data-alert]")).to_have_count(0)
    assert _was_not_reloaded(page)


@pytest.mark.parametrize("size", [(1280, 800), PHONE])
def test_acknowledging_and_closing_without_script(site: Site, person: Opener, size: tuple[int, int]) -> None:
    site.lia.hear("gunnar", spo2=87, pulse=80)
    page = person(site, script=False, size=size).new_page()
    page.goto("/")
    expect(page.locator("#live")).to_contain_text(LOW)
    page.get_by_role("button", name=re.compile("^Kvittér")).click()
    expect(page.locator("#live")).to_contain_text("Du har kvittert varselet")
    page.locator(".close:not(.more) summary").click()
    page.get_by_label("Følges videre").check()
    page.get_by_role("button", name="Lukk varselet").click()
    expect(page.locator("#live")).to_contain_text("Varselet er lukket.")
    expect(page.locator("[data-alert]")).to_have_count(0)


def test_a_group_is_acknowledged_put_off_and_closed_as_one(site: Site, person: Opener) -> None:
    site.lia.hear("gunnar", spo2=87, pulse=155)
    page = page_of(person(site))
    expect(page.locator("[data-alert]")).to_have_count(2)
    expect(page.locator("#count-worklist")).to_have_text("1")
    page.get_by_role("button", name=re.compile("^Kvittér alle 2")).click()
    expect(page.locator("#count-worklist")).to_have_text("0")
    page.locator(".more summary").click()
    page.get_by_label("2 t", exact=True).check()
    page.get_by_role("button", name=re.compile("^Utsett")).click()
    expect(page.locator("#flash")).to_have_text("Varselet er utsatt.")
    expect(page.get_by_text("Utsatt til kl. 09:40 i dag")).to_have_count(2)
    page.locator("summary", has_text="Lukk alle 2").click()
    page.get_by_label("Følges videre").check()
    page.get_by_role("button", name="Lukk alle 2").click()
    expect(page.locator("[data-alert]")).to_have_count(0)
    site.lia.hear("solveig", spo2=86, pulse=80)
    expect(page.locator("[data-alert]")).to_have_count(1)
    expect(page.locator("#flash")).to_have_text("Varselet er lukket.")  # an update does not take the answer away


def test_the_second_nurse_is_told_who_was_faster(site: Site, person: Opener) -> None:
    site.lia.hear("gunnar", spo2=87, pulse=80)
    hers, his = page_of(person(site, "anna")), page_of(person(site, "henrik"))
    his.route("**/parts/**", lambda route: route.abort())  # his page has not heard of it yet
    hers.get_by_role("button", name=re.compile("^Kvittér")).click()
    expect(hers.locator("#flash")).to_be_visible()
    his.get_by_role("button", name=re.compile("^Kvittér")).click()
    expect(his.locator("#flash")).to_have_text(re.compile("Anna Solbakk var raskere: kvittert kl. 07:40"))
    expect(his.locator("#live")).to_contain_text("Anna Solbakk har det")


def test_the_other_nurses_page_follows(site: Site, person: Opener) -> None:
    site.lia.hear("gunnar", spo2=87, pulse=80)
    hers, his = page_of(person(site, "anna")), page_of(person(site, "henrik"))
    hers.get_by_role("button", name=re.compile("^Kvittér")).click()
    expect(his.locator("#live")).to_contain_text("Anna Solbakk har det")


def test_a_form_that_is_being_filled_in_survives_an_update(site: Site, person: Opener) -> None:
    site.lia.hear("gunnar", spo2=87, pulse=80)
    page = page_of(person(site))
    page.locator(".close:not(.more) summary").click()
    choice = page.locator(f"#case-{site.lia.patients['gunnar']}").get_by_label("Feilmåling")
    choice.check()
    site.lia.hear("solveig", spo2=86, pulse=80)
    expect(page.locator("[data-alert]")).to_have_count(2)
    expect(choice).to_be_visible()
    expect(choice).to_be_checked()


def test_two_tabs_share_one_stream(site: Site, person: Opener) -> None:
    context = person(site)
    first, second = page_of(context), page_of(context, "/quarantine")
    streams: list[str] = []
    third = context.new_page()
    third.on("request", lambda request: streams.append(request.url) if request.url.endswith("/live") else None)
    third.goto("/")
    site.lia.hear("gunnar", spo2=87, pulse=80)
    for page in (first, third):
        expect(page.locator("#live")).to_contain_text(LOW)
    expect(second.locator("#count-worklist")).to_have_text("1")
    assert streams == []
    first.close()  # the listener goes: another tab takes over
    site.lia.hear("solveig", spo2=86, pulse=80)
    expect(third.locator("[data-alert]")).to_have_count(2)


def test_a_page_that_cannot_hear_calls_itself_stale(site: Site, person: Opener) -> None:
    context = person(site)
    context.clock.install()  # the page's own time can be moved on; until then it runs as usual
    page = page_of(context)
    expect(page.locator("html")).to_have_attribute("data-beat", re.compile(r"\d+"))
    page.clock.fast_forward(5_000)
    expect(page.locator(".stale")).to_be_hidden()
    expect(page.locator(".age-warning")).to_be_hidden()
    site.stop()
    page.clock.fast_forward(9_000)
    stale = page.locator(".stale")
    expect(stale).to_be_visible()
    expect(stale).to_contain_text("Siden blir ikke oppdatert. Det du ser, er fra kl. 07:40:12")


def test_without_script_the_style_sheet_says_that_the_page_is_old(site: Site, person: Opener) -> None:
    page = person(site, script=False).new_page()
    page.goto("/")
    warning = page.locator(".age-warning")
    assert warning.evaluate("each => getComputedStyle(each).visibility") == "hidden"
    assert warning.evaluate("each => each.getAnimations()[0].effect.getTiming().delay") == 60_000
    warning.evaluate("each => each.getAnimations()[0].finish()")
    expect(warning).to_be_visible()
    expect(warning).to_contain_text("Siden viser hvordan det var kl. 07:40:12")


def test_the_keyboard_reaches_the_button_and_presses_it(site: Site, person: Opener) -> None:
    site.lia.hear("gunnar", spo2=87, pulse=80)
    page = page_of(person(site))
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('[data-alert] form button')"):
            break
    else:
        pytest.fail("twenty tabs did not reach the button")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"  # whoever uses the keyboard sees where it is
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_contain_text("Anna Solbakk har det")


def test_the_alerts_fill_a_phones_first_screen(morning: Site, person: Opener) -> None:
    page = page_of(person(morning, size=PHONE))
    button = page.get_by_role("button", name=re.compile("^Kvittér")).first
    box = button.bounding_box()
    assert box
    assert box["y"] + box["height"] < PHONE[1]
    assert box["height"] >= 44  # a thumb in a glove
    zones = page.locator(".zones").bounding_box()
    assert zones
    assert zones["y"] > PHONE[1]


@pytest.mark.parametrize("width", [1280, 768, 390, 320])
def test_no_page_scrolls_sideways(morning: Site, person: Opener, width: int) -> None:
    context = person(morning, size=(width, 800))
    gunnar = f"/patients/{morning.lia.patients['gunnar']}"
    out = f"{gunnar}/readings/{an_id(10)}/invalidate"
    for path in ("/", gunnar, out, "/patients", "/quarantine", "/login"):
        page = page_of(context, path)
        page.evaluate("document.querySelectorAll('details:not(.me)').forEach(each => { each.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.close()
