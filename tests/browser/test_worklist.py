"""The worklist as two nurses use it, with and without script."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Opener, Site, Way, page_of

LOW = "Oksygenmetning 87"
ILL = ("gunnar", "solveig", "nils", "olga")  # one for each way of meeting a page
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


def test_an_alert_is_acknowledged_and_closed(village: Site, person: Opener, way: Way) -> None:
    key = ILL[way.place]
    village.lia.hear(key, minutes=10, spo2=87, pulse=80)
    page = page_of(person(village, **way.look))
    _mark(page)
    case = page.locator(f"#case-{village.lia.patients[key]}")
    expect(case).to_contain_text(LOW)
    case.get_by_role("button", name=re.compile("^Kvittér")).click()
    expect(page.locator("#flash")).to_contain_text("Du har kvittert varselet")
    expect(case).to_contain_text("Anna Solbakk har det")
    if way.script:
        expect(page.locator("#flash")).to_be_focused()
    case.locator(".close:not(.more) summary").click()
    case.get_by_label("Fulgt opp: besøk, samtale eller behandling").check()
    case.get_by_role("button", name="Lukk varselet").click()
    expect(page.locator("#flash")).to_have_text("Varselet er lukket.")
    expect(case).to_have_count(0)
    assert _was_not_reloaded(page) == way.script


def test_a_yellow_alert_that_was_put_off_comes_back_red(village: Site, person: Opener, way: Way) -> None:
    key = ILL[way.place]
    village.lia.hear(key, minutes=5, spo2=97, pulse=104)
    page = page_of(person(village, **way.look))
    case = page.locator(f"#case-{village.lia.patients[key]}")
    expect(case.locator("[data-alert=medium]")).to_contain_text("Puls 104")
    case.locator(".more summary").click()
    case.get_by_label("2 t", exact=True).check()
    case.get_by_role("button", name=re.compile("^Utsett")).click()
    expect(page.locator("#flash")).to_have_text("Varselet er utsatt.")
    expect(page.locator("section[aria-labelledby=taken]").locator(case)).to_contain_text("Utsatt til kl. 09:40 i dag")
    village.lia.hear(key, spo2=97, pulse=155)
    if not way.script:
        page.goto("/")
    red = page.locator("section[aria-labelledby=waiting]").locator(case).locator("[data-alert=high]")
    expect(red).to_contain_text("Puls 155")
    expect(case.get_by_text("Utsatt til")).to_have_count(0)
    red.get_by_role("button", name=re.compile("^Kvittér")).click()
    expect(case).to_contain_text("Anna Solbakk har det")


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


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_from_login_to_a_closed_alert_by_keyboard_alone(site: Site, person: Opener, script: bool) -> None:
    site.lia.hear("gunnar", spo2=87, pulse=80)
    page = page_of(person(site, None, script=script))
    _tab_to(page.get_by_role("button", name="Anna Solbakk"))
    page.keyboard.press("Enter")
    expect(page.locator("[data-alert]")).to_contain_text(LOW)
    _tab_to(page.get_by_role("button", name=re.compile("^Kvittér")))
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_contain_text("Anna Solbakk har det")
    _tab_to(page.locator(".close:not(.more) summary"))
    page.keyboard.press("Enter")
    _tab_to(page.get_by_role("radio").first)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Følges videre")).to_be_checked()
    _tab_to(page.get_by_role("button", name="Lukk varselet"))
    page.keyboard.press("Enter")
    expect(page.locator("#flash")).to_have_text("Varselet er lukket.")
    expect(page.locator("[data-alert]")).to_have_count(0)


def _tab_to(wanted: Locator) -> None:
    """Press the tab key until the focus is there; whoever uses the keyboard sees where it is at every stop."""
    for _ in range(40):
        wanted.page.keyboard.press("Tab")
        outline, place = wanted.page.evaluate(
            "[getComputedStyle(document.activeElement).outlineStyle, document.activeElement.outerHTML.slice(0, 90)]"
        )
        assert outline != "none", place
        if wanted.evaluate("each => each === document.activeElement"):
            return
    pytest.fail(f"forty tabs did not reach {wanted}")


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
