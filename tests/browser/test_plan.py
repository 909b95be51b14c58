"""Journeys around a patient's plan in a real browser: an edit tried and approved, a pause, an unlikely weight."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from alerts import rulebook
from server.access import Role
from server.care import approval, people
from server.care.people import Person
from server.db import tables
from tests.browser.conftest import DESKTOP, PHONE, Opener, Site, page_of
from tests.browser.test_accessibility import opened, violations
from tests.server.web.hamlet import NOW

DAY = timedelta(days=1)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run


@pytest.fixture
def signed(site: Site) -> Site:
    """Peder's pulse is above 100 now and then; a clinician has signed his rulebook."""
    lia = site.lia
    lia.measure("peder", "pulse", [88, 103, 88, 88, 104, 88, 88, 103, 88, 88], newest=NOW - DAY, every=DAY)
    with lia.parts.database.write() as connection:
        team = connection.execute(select(tables.team.c.id)).scalar_one()
        lia.staff["kåre"] = people.employ(connection, lia.parts.vault, team, Role.CLINICIAN, Person(name="Kåre Lege"))
        approval.sign_off(connection, lia.municipality, rulebook.load("covid19"), lia.staff["kåre"], NOW)
    return site


@pytest.mark.parametrize(("size", "script"), [(DESKTOP, True), (PHONE, False)], ids=["desktop", "phone without script"])
def test_a_plan_is_tried_proposed_and_approved(
    signed: Site, person: Opener, size: tuple[int, int], script: bool
) -> None:
    peder = f"/patients/{signed.lia.patients['peder']}"
    anna = page_of(person(signed, "anna", size=size, script=script), peder)
    anna.get_by_role("link", name="Planen og hvordan den ble til").click()
    anna.get_by_role("link", name="Endre planen").click()
    limit = anna.get_by_label("Høy puls, middels")
    expect(limit).to_have_value("100")
    limit.fill("130")
    anna.get_by_role("button", name="Prøv på de siste 30 dagene").click()
    expect(anna.get_by_text("Må være mellom 91")).to_be_visible()
    expect(limit).to_have_value("130")  # nothing typed is lost
    limit.fill("108")
    anna.get_by_label("Grønn").fill("Alt som vanlig.")
    anna.get_by_label("Gul").fill("Hvil litt, og mål igjen.")
    anna.get_by_label("Rød").fill("Ring oss nå.")
    anna.get_by_role("button", name="Prøv på de siste 30 dagene").click()
    expect(anna.get_by_role("img", name=re.compile("Varsler per uke som søyler"))).to_be_visible()
    expect(anna.get_by_role("row", name=re.compile("Høy puls")).locator("td").last).to_have_text("0")
    anna.get_by_label("Hvorfor denne endringen?").fill("Høy hvilepuls, avtalt med fastlegen.")
    anna.get_by_role("button", name="Foreslå for en annen person").click()
    expect(anna.get_by_text("Du har foreslått dette. En annen person må godkjenne det.")).to_be_visible()
    expect(anna.get_by_role("button", name="Godkjenn og sett i kraft")).to_have_count(0)
    doctor = page_of(person(signed, "kåre", size=size, script=script), "/plans")
    doctor.get_by_role("link", name="Peder Testhaugen").click()
    expect(doctor.get_by_text("Høy hvilepuls, avtalt med fastlegen.").first).to_be_visible()
    doctor.get_by_label(re.compile("Som i åpningstiden")).check()
    doctor.get_by_role("button", name="Godkjenn og sett i kraft").click()
    expect(doctor.get_by_text("Planen gjelder fra nå av.")).to_be_visible()
    expect(doctor.get_by_text("Hvil litt, og mål igjen.")).to_be_visible()
    anna.goto(f"{peder}/plan/edit")
    expect(limit).to_have_value("108")


@pytest.mark.parametrize(("size", "script"), [(PHONE, True), (DESKTOP, False)], ids=["phone", "desktop without script"])
def test_a_pause_silences_until_it_is_ended(site: Site, person: Opener, size: tuple[int, int], script: bool) -> None:
    gunnar = f"/patients/{site.lia.patients['gunnar']}"
    page = page_of(person(site, size=size, script=script), gunnar)
    page.get_by_role("link", name="Pause").click()
    page.get_by_label("På sykehus").check()
    page.get_by_label("Begynner").fill("2026-11-22T07:00")
    page.get_by_label("Merknad").fill("Lungeavdelingen")
    page.get_by_role("button", name="Sett pausen").click()
    expect(page.get_by_text("Pausen er satt.")).to_be_visible()
    site.lia.hear("gunnar", spo2=80)
    page.goto(gunnar)
    expect(page.get_by_text("På pause: på sykehus")).to_be_visible()
    expect(page.get_by_text("Ingen åpne varsler").or_(page.get_by_text("0 åpne varsler")).first).to_be_visible()
    page.get_by_role("link", name="Endre eller avslutt").click()
    page.get_by_role("button", name="Avslutt pausen nå").click()
    expect(page.get_by_text("Pausen er over.")).to_be_visible()
    page.goto(gunnar)
    expect(page.get_by_text("På pause")).to_have_count(0)


@pytest.mark.parametrize(("size", "script"), [(DESKTOP, True), (PHONE, False)], ids=["desktop", "phone without script"])
def test_an_unlikely_weight_is_taken_out(site: Site, person: Opener, size: tuple[int, int], script: bool) -> None:
    site.lia.hear("aud", weight=82.0, minutes=3000)
    site.lia.hear("aud", weight=8.2)
    aud = f"/patients/{site.lia.patients['aud']}"
    page = page_of(person(site, size=size, script=script), aud)
    chart = page.locator("#chart-weight")
    expect(chart.get_by_text(re.compile("er usannsynlig og teller ikke ennå"))).to_be_visible()
    expect(chart.locator("h3")).to_contain_text("82,0")
    chart.get_by_role("link", name="Nei, ta den ut …").click()
    page.get_by_label("En annen person ble målt").check()
    page.get_by_label(re.compile("pasienten må måle")).check()
    page.get_by_role("button", name=re.compile("Ta ut")).click()
    expect(page.get_by_text("Målingen er tatt ut").first).to_be_visible()
    expect(page.locator("#chart-weight").get_by_role("link", name="Nei, ta den ut …")).to_have_count(0)


def _visits(signed: Site, person: Opener, who: str, **how: object) -> list[Page]:
    peder = f"/patients/{signed.lia.patients['peder']}"
    paths = {
        "anna": ("", "/plan", "/plan/edit", "/pauses", "/follow-up", "/measurements", "/summary"),
        "kåre": ("/plans", "/rulebooks", f"{peder}/plan"),
    }[who]
    context = person(signed, who, **how)
    return [page_of(context, path if who == "kåre" else peder + path) for path in paths]


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["desktop light", "phone dark"])
def test_no_page_of_a_plan_has_a_violation(signed: Site, person: Opener, size: tuple[int, int], dark: bool) -> None:
    peder = f"/patients/{signed.lia.patients['peder']}"
    anna = page_of(person(signed, "anna"), f"{peder}/plan/edit")
    anna.get_by_label("Høy puls, middels").fill("108")
    anna.get_by_role("button", name="Prøv på de siste 30 dagene").click()
    assert violations(opened(anna)) == [], "tried"
    anna.get_by_role("button", name="Foreslå for en annen person").click()
    expect(anna.get_by_text("Du har foreslått dette")).to_be_visible()
    for who in ("anna", "kåre"):
        for page in _visits(signed, person, who, size=size, dark=dark):
            assert violations(opened(page)) == [], page.url
            page.close()
