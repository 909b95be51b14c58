"""Patients, those close to them and a nurse on a home visit, in a real browser, with and without script."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from alerts import rulebook
from server.care import plans
from server.db import tables
from server.own_rows import Share
from server.watch.beat import Pulse
from server.watch.silence import Part
from tests.browser.conftest import PHONE, Opener, Site, Way, page_of
from tests.server.web.hamlet import NOW, Hamlet

IN_RELIEF = ("olga", "solveig", "nils", "aud")  # one for each way of meeting a page
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run
YELLOW = "Ta smertemedisinen som avtalt, og hvil. Vi ringer deg i dag."


def ease(lia: Hamlet, patient: str) -> None:
    """A plan for relief, in which any symptom is answered with yellow."""
    book = rulebook.load("palliative")
    with lia.parts.database.write() as connection:
        before = plans.active(connection, lia.patients[patient])
        assert before
        plan = replace(before, rulebook=book.name, rulebook_version=book.version, table=book.table)
        version = plans.activate(connection, lia.patients[patient], plan, "lege", NOW - timedelta(days=1))
        texts = {"green": "Alt er som avtalt.", "yellow": YELLOW, "red": "Ring oss nå."}
        plans.write_texts(connection, lia.patients[patient], version, texts)
        connection.execute(delete(tables.due))  # no watch runs here


@pytest.fixture
def home(village: Site) -> Site:
    """The hamlet with a watch that has just been heard of."""
    Pulse(village.lia.parts, Part.WATCH).beat()
    return village


def test_a_patient_answers_and_reads_the_yellow_text_at_once(home: Site, person: Opener, way: Way) -> None:
    who = IN_RELIEF[way.place]
    ease(home.lia, who)
    page = page_of(person(home, who, **way.look), "/own")
    page.get_by_role("link", name="Hvordan har du det i dag?").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".wrong").first).to_have_text("Velg ja eller nei.")
    for question in page.locator(".question").all():
        question.get_by_label("Nei").check()
    page.get_by_role("group", name="Har du mer smerter enn vanlig?").get_by_label("Ja").check()
    page.get_by_label(re.compile("^Er det mer")).fill("Det begynte i natt.")
    page.get_by_role("button", name="Send").click()
    zone = page.locator(".own-zone")
    expect(zone).to_have_attribute("data-zone", "yellow")
    expect(zone).to_contain_text(YELLOW)
    expect(page.get_by_text("Takk. Svarene er mottatt.")).to_be_visible()
    expect(page.locator(".own-calls a").first).to_have_attribute("href", re.compile(r"^tel:\d+$"))


def test_a_typed_measurement_and_one_from_the_kit_change_the_page(home: Site, person: Opener) -> None:
    page = page_of(person(home, "gunnar", size=PHONE), "/own")
    expect(page.locator(".own-zone")).to_have_attribute("data-zone", "unknown")
    page.get_by_role("link", name="Skriv inn en måling").click()
    page.get_by_label("Oksygenmetning").fill("9")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#wrong-spo2")).to_be_visible()
    expect(page.get_by_label("Oksygenmetning")).to_have_value("9")
    page.get_by_label("Oksygenmetning").fill("96")
    page.get_by_label("Puls", exact=True).fill("72")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".own-zone")).to_have_attribute("data-zone", "green")
    page.evaluate("window.before = 'still here'")
    home.lia.hear("gunnar", spo2=87, pulse=80)
    expect(page.locator(".own-zone")).to_have_attribute("data-zone", "red")
    assert page.evaluate("window.before") == "still here"  # not loaded anew


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_somebody_close_sees_what_is_shared_and_is_out_at_once(home: Site, person: Opener, script: bool) -> None:
    home.lia.hear("peder", spo2=96, pulse=72)
    home.lia.share("berit", "peder", Share.ZONE)
    page = person(home, "berit", script=script, size=PHONE).new_page()
    page.goto("/own")
    expect(page.locator(".own-zone")).to_have_attribute("data-zone", "green")
    expect(page.locator("main")).not_to_contain_text("96")
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(1)
    patient = person(home, "peder", script=script).new_page()
    patient.goto("/own/sharing")
    patient.get_by_label("Se sonen min").uncheck()
    patient.get_by_role("button", name="La dette gjelde fra nå").click()
    expect(patient.get_by_text("Ser ingenting.")).to_be_visible()
    page.goto("/own")
    expect(page).to_have_url(re.compile("/login"))


def test_the_first_value_comes_while_the_nurse_looks(home: Site, person: Opener) -> None:
    page = page_of(person(home), f"/patients/{home.lia.patients['ella']}/visit")
    step = page.locator("#step-first_measurement")
    expect(step).to_contain_text("Mål sammen nå")
    home.lia.hear("ella", weight=80)
    expect(step).to_contain_text("80")
    page.locator("#step-numbers").get_by_role("button").click()
    page.reload()
    expect(page.locator("#step-numbers")).to_contain_text("Anna Solbakk")
