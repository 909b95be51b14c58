"""Journeys around a patient's plan in a real browser: an edit tried and approved, a pause, an unlikely weight."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from alerts import rulebook
from server.access import Role
from server.care import approval, people
from server.care.people import Person
from server.db import tables
from tests.browser.conftest import Opener, Site, Way, page_of
from tests.server.web.hamlet import NOW

DAY = timedelta(days=1)
# One for each way of meeting a page.
AT_PLANS = (
    ("peder", "Peder Testhaugen"),
    ("solveig", "Solveig Testnes"),
    ("nils", "Nils Øvingsberg"),
    ("olga", "Olga Prøvevik"),
)
AT_PAUSES = ("gunnar", "solveig", "nils", "olga")
AT_SCALES = ("aud", "ella", "aud", "ella")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run


@pytest.fixture(scope="module")
def signed(village: Site) -> Site:
    """A clinician has signed the rulebook of those whose pulse is above 100 now and then."""
    lia = village.lia
    for key, _ in AT_PLANS:
        lia.measure(key, "pulse", [88, 103, 88, 88, 104, 88, 88, 103, 88, 88], newest=NOW - DAY, every=DAY)
    with lia.parts.database.write() as connection:
        team = connection.execute(select(tables.team.c.id)).scalar_one()
        lia.staff["kåre"] = people.employ(connection, lia.parts.vault, team, Role.CLINICIAN, Person(name="Kåre Lege"))
        approval.sign_off(connection, lia.municipality, rulebook.load("covid19"), lia.staff["kåre"], NOW)
    return village


def test_a_plan_is_tried_proposed_and_approved(signed: Site, person: Opener, way: Way) -> None:
    key, name = AT_PLANS[way.place]
    whose = f"/patients/{signed.lia.patients[key]}"
    anna = page_of(person(signed, "anna", **way.look), whose)
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
    doctor = page_of(person(signed, "kåre", **way.look), "/plans")
    doctor.get_by_role("link", name=name).click()
    expect(doctor.get_by_text("Høy hvilepuls, avtalt med fastlegen.").first).to_be_visible()
    doctor.get_by_label(re.compile("Som i åpningstiden")).check()
    doctor.get_by_role("button", name="Godkjenn og sett i kraft").click()
    expect(doctor.get_by_text("Planen gjelder fra nå av.")).to_be_visible()
    expect(doctor.get_by_text("Hvil litt, og mål igjen.")).to_be_visible()
    anna.goto(f"{whose}/plan/edit")
    expect(limit).to_have_value("108")


def test_a_pause_silences_until_it_is_ended(village: Site, person: Opener, way: Way) -> None:
    key = AT_PAUSES[way.place]
    whose = f"/patients/{village.lia.patients[key]}"
    page = page_of(person(village, **way.look), whose)
    page.get_by_role("link", name="Pause").click()
    page.get_by_label("På sykehus").check()
    page.get_by_label("Begynner").fill("2026-11-22T07:00")
    page.get_by_label("Merknad").fill("Lungeavdelingen")
    page.get_by_role("button", name="Sett pausen").click()
    expect(page.get_by_text("Pausen er satt.")).to_be_visible()
    village.lia.hear(key, spo2=80)
    page.goto(whose)
    expect(page.get_by_text("På pause: på sykehus")).to_be_visible()
    expect(page.get_by_text("Ingen åpne varsler").or_(page.get_by_text("0 åpne varsler")).first).to_be_visible()
    page.get_by_role("link", name="Endre eller avslutt").click()
    page.get_by_role("button", name="Avslutt pausen nå").click()
    expect(page.get_by_text("Pausen er over.")).to_be_visible()
    page.goto(whose)
    expect(page.get_by_text("På pause")).to_have_count(0)


def test_an_unlikely_weight_is_taken_out(village: Site, person: Opener, way: Way) -> None:
    key, minutes = AT_SCALES[way.place], 10 * way.place  # each is weighed twice, the second time before the first
    if way.place < len(set(AT_SCALES)):
        village.lia.hear(key, weight=82.0, minutes=3000)
    village.lia.hear(key, weight=8.2, minutes=minutes)
    page = page_of(person(village, **way.look), f"/patients/{village.lia.patients[key]}")
    chart = page.locator("#chart-weight")
    expect(chart.get_by_text(re.compile("er usannsynlig og teller ikke ennå"))).to_be_visible()
    expect(chart.locator("h3")).to_contain_text("82,0")
    chart.get_by_role("link", name="Nei, ta den ut …").click()
    page.get_by_label("En annen person ble målt").check()
    page.get_by_label(re.compile("pasienten må måle")).check()
    page.get_by_role("button", name=re.compile("Ta ut")).click()
    expect(page.get_by_text("Målingen er tatt ut").first).to_be_visible()
    expect(page.locator("#chart-weight").get_by_role("link", name="Nei, ta den ut …")).to_have_count(0)
