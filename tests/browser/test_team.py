"""A team's pages in a browser: a patient goes to the night and back, and a form says what is wrong."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from server.db import tables
from tests.browser.conftest import Opener, Site, Way, founded, page_of, served
from tests.browser.looks import check, opened
from tests.server.web import hamlet, valley
from tests.server.web.hamlet import NOW

# One for each way of meeting a page: whom nobody has on loan, and whose service closes at night.
ON_LOAN = (
    ("gunnar", "Gunnar Prøvedal"),
    ("nils", "Nils Øvingsberg"),
    ("olga", "Olga Prøvevik"),
    ("aud", "Aud Eksempelmo"),
)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run


@pytest.fixture(scope="module")
def shift(migrated: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with founded(migrated, tmp_path_factory.mktemp("shift")) as made:
        lia = valley.settle(hamlet.fill(made))
        with lia.parts.database.write() as connection:
            connection.execute(delete(tables.routing))  # nobody is on loan yet
        valley.close_at_night(lia)
        with served(lia) as running:
            yield running


def test_a_form_that_was_wrong_says_so_and_has_no_violation(shift: Site, person: Opener) -> None:
    page = page_of(person(shift, "ingrid"), "/team/channels")
    page.get_by_label("Nummer eller adresse").fill("ring meg")
    page.get_by_role("button", name="Legg til").click()
    expect(page.get_by_role("alert")).to_contain_text("Skriv et telefonnummer")
    expect(page.get_by_label("Nummer eller adresse")).to_have_value("ring meg")
    check(opened(page), "channels")


def test_a_patient_is_handed_over_to_the_night_and_back(shift: Site, person: Opener, way: Way) -> None:
    lia, (_, name) = shift.lia, ON_LOAN[way.place]
    lia.clock.set(NOW + timedelta(days=way.place))  # each on a morning of its own, before the service opens
    first, last = f"Ring {name} klokka elleve.", f"{name} sov godt."
    night = page_of(person(shift, "nina", **way.look))
    expect(night.locator("body")).not_to_contain_text(name)

    evening = page_of(person(shift, "anna", **way.look), "/team")
    leave(evening, "Nattsentralen i dalen", name, first)
    expect(evening.locator("#routed + ul")).to_contain_text(name)

    night.goto("/team")
    note = night.locator("#notes ~ ol > li", has_text=first)
    expect(note).to_be_visible()
    note.get_by_role("button", name="Jeg tar over herfra").click()
    expect(note).to_contain_text("tatt av Nina Nattvoll")
    night.get_by_role("link", name=name).first.click()
    expect(night.get_by_role("heading", name=name)).to_be_visible()
    night.goto("/team")
    leave(night, "Hjemmeoppfølging Lia", name, last)

    lia.clock.advance(timedelta(hours=2))  # the service opens
    night.goto("/")
    expect(night.locator("body")).not_to_contain_text(name)
    night.goto("/team")
    expect(night.locator("body")).not_to_contain_text(last)
    evening.goto("/team")
    expect(evening.locator("#notes ~ ol")).to_contain_text(last)


def leave(page: Page, to: str, about: str, text: str) -> None:
    page.get_by_text("Skriv et vaktnotat").click()
    page.get_by_label("Til", exact=True).select_option(label=to)
    page.get_by_label("Gjelder", exact=True).select_option(label=about)
    page.get_by_label("Hva de trenger å vite").fill(text)
    page.get_by_role("button", name="Lagre notatet").click()
