"""A team's pages in a browser: axe finds nothing, and a patient goes to the night and back without a script."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from server.db import tables
from tests.browser.conftest import DESKTOP, PHONE, Opener, Site, page_of, serve
from tests.browser.test_accessibility import opened, violations
from tests.server.web import hamlet, valley
from tests.server.web.hamlet import Hamlet

PAGES = ("/team", "/team/roster", "/team/channels", "/team/told", "/team/load")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run


@pytest.fixture
def shift(lia: Hamlet) -> Iterator[Site]:
    running = serve(valley.settle(hamlet.fill(lia)))
    yield running
    running.stop()


def test_no_page_of_a_team_has_a_violation(shift: Site, person: Opener) -> None:
    for dark, size in ((False, PHONE), (True, DESKTOP)):  # the rest differs in the styles alone
        page = page_of(person(shift, "ingrid", dark=dark, size=size), PAGES[0])
        for path in PAGES:
            page.goto(path)
            assert violations(opened(page)) == [], (path, dark, size)
            width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert width <= 0, f"{path} is {width} px too wide"
        page.close()


def test_a_form_that_was_wrong_says_so_and_has_no_violation(shift: Site, person: Opener) -> None:
    page = page_of(person(shift, "ingrid"), "/team/channels")
    page.get_by_label("Nummer eller adresse").fill("ring meg")
    page.get_by_role("button", name="Legg til").click()
    expect(page.get_by_role("alert")).to_contain_text("Skriv et telefonnummer")
    expect(page.get_by_label("Nummer eller adresse")).to_have_value("ring meg")
    assert violations(opened(page)) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_patient_is_handed_over_to_the_night_and_back_without_a_script(
    shift: Site, person: Opener, size: tuple[int, int]
) -> None:
    lia = shift.lia
    with lia.parts.database.write() as connection:
        connection.execute(delete(tables.routing))  # nobody is on loan yet
    valley.close_at_night(lia)
    night = page_of(person(shift, "nina", script=False, size=size))
    expect(night.locator("body")).not_to_contain_text("Gunnar")

    evening = page_of(person(shift, "anna", script=False, size=size), "/team")
    leave(evening, "Nattsentralen i dalen", "Gunnar Prøvedal", "Ring ham klokka elleve.")
    expect(evening.locator("#routed + ul")).to_contain_text("Gunnar Prøvedal")

    night.goto("/team")
    expect(night.locator("#notes ~ ol")).to_contain_text("Ring ham klokka elleve.")
    night.get_by_role("button", name="Jeg tar over herfra").click()
    expect(night.locator("#notes ~ ol")).to_contain_text("tatt av Nina Nattvoll")
    night.get_by_role("link", name="Gunnar Prøvedal").first.click()
    expect(night.get_by_role("heading", name="Gunnar Prøvedal")).to_be_visible()
    night.goto("/team")
    leave(night, "Hjemmeoppfølging Lia", "Gunnar Prøvedal", "Han sov godt.")

    lia.clock.advance(timedelta(hours=2))  # the service opens
    night.goto("/")
    expect(night.locator("body")).not_to_contain_text("Gunnar")
    night.goto("/team")
    expect(night.locator("body")).not_to_contain_text("Han sov godt")
    evening.goto("/team")
    expect(evening.locator("#notes ~ ol")).to_contain_text("Han sov godt.")


def leave(page: Page, to: str, about: str, text: str) -> None:
    page.get_by_text("Skriv et vaktnotat").click()
    page.get_by_label("Til", exact=True).select_option(label=to)
    page.get_by_label("Gjelder", exact=True).select_option(label=about)
    page.get_by_label("Hva de trenger å vite").fill(text)
    page.get_by_role("button", name="Lagre notatet").click()
