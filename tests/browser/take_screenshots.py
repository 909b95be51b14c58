"""Takes the pictures of `docs/screenshots` anew: `python -m tests.browser.take_screenshots`. Look before you sign."""

import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import select

from server.care import messages, plans
from server.care.messages import NewMessage
from server.care.whom_to_call import publish_numbers
from server.db import tables
from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from server.watch.beat import Pulse
from server.watch.silence import Part
from tests.browser.conftest import ARGUMENTS, CHROMIUM, DESKTOP, PHONE, Site, serve
from tests.server.web import hamlet, valley
from tests.server.web.hamlet import NOW, boss, home_of

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
# name, path, window, dark, the whole page
SHOTS = (
    ("worklist", "/", DESKTOP, False, False),
    ("worklist-dark", "/", DESKTOP, True, False),
    ("worklist-phone", "/", PHONE, False, False),
    ("patient", "/patients/{gunnar}", (1280, 1300), False, False),
    ("patient-phone", "/patients/{gunnar}", PHONE, False, False),
    ("quarantine", "/quarantine", DESKTOP, False, False),
)
# The same for those at home, and for the visit there: who it is comes second.
AT_HOME = (
    ("own", "olga", "/own", DESKTOP),
    ("own-phone", "gunnar", "/own", PHONE),
    ("own-symptoms-phone", "gunnar", "/own/symptoms", PHONE),
    ("own-values", "gunnar", "/own/values", DESKTOP),
    ("own-messages-phone", "gunnar", "/own/messages", PHONE),
    ("home-visit", "anna", "/patients/{gunnar}/visit", (1280, 1300)),
)
# A team's pages, on the same morning.
OF_TEAM = (
    ("team", "ingrid", "/team", DESKTOP),
    ("team-phone", "ingrid", "/team", PHONE),
    ("roster", "ingrid", "/team/roster", DESKTOP),
    ("told", "ingrid", "/team/told", DESKTOP),
    ("load", "ingrid", "/team/load", DESKTOP),
)


def take(folder: Path) -> None:
    """Write every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        home = Path(name)
        database = Database(file_address(home / "varde.db"))
        upgrade_database(database)
        site = serve(hamlet.fill(hamlet.found(database, home)))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        secret = site.lia.session("anna")
        for shot, path, (width, height), dark, whole in SHOTS:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                locale="nb-NO",
                base_url=site.url,
            )
            page.context.add_cookies([{"name": "varde_session", "value": secret, "url": site.url}])
            page.goto(path.format(**site.lia.patients))
            page.wait_for_selector("html[data-beat]")
            page.evaluate("document.fonts.ready")
            page.screenshot(path=folder / f"{shot}.png", full_page=whole)
            page.close()
        take_at_home(site, browser, folder)
        take_plan(site, browser, folder)
        valley.remember(valley.settle(site.lia))
        take_of(OF_TEAM, site, browser, folder)
        browser.close()
        site.stop()
        database.close()


def take_at_home(site: Site, browser: Browser, folder: Path) -> None:
    """The pictures of patients' own pages, with what stands on them on an ordinary day."""
    lia = site.lia
    texts = {
        "green": "Du er i grønn sone. Mål som avtalt, drikk nok og hvil når du trenger det.",
        "yellow": "Du er i gul sone. Sitt ned, hvil i 15 minutter og mål på nytt. Vi ser målingene dine og ringer deg.",
        "red": "Du er i rød sone. Sett deg oppreist og ring oss nå. Får du vondt i brystet: ring 113.",
    }
    with lia.parts.database.write() as connection:
        for team in connection.execute(select(tables.team.c.id)).scalars().all():
            publish_numbers(connection, team, "75990000", "75990001")
        for who in ("gunnar", "olga"):
            plans.write_texts(connection, lia.patients[who], 1, texts)
        for actor, text in (
            (home_of(lia, "gunnar"), "Hei! Klypen på pulsoksymeteret sitter litt løst. Kan dere ta med en ny?"),
            (boss(lia), "Hei Gunnar. Ja, vi tar den med på tirsdag. Mål gjerne som vanlig til da."),
        ):
            new = NewMessage(patient=lia.patients["gunnar"], text=text, token=text[:20])
            messages.write(connection, lia.parts.vault, actor, new, lia.clock.now())
    take_of(AT_HOME, site, browser, folder)


def take_plan(site: Site, browser: Browser, folder: Path) -> None:
    """The editor of a plan after its back-test, and the same plan as a second person sees it."""
    lia, day = site.lia, timedelta(days=1)
    pulses = [88, 103, 88, 88, 104, 88, 88, 103, 88, 88, 104, 88]
    lia.measure("peder", "pulse", pulses, newest=NOW - day, every=day)
    where = f"/patients/{lia.patients['peder']}/plan"
    width, height = DESKTOP
    page = browser.new_page(viewport={"width": width, "height": height}, locale="nb-NO", base_url=site.url)
    page.context.add_cookies([{"name": "varde_session", "value": lia.session("anna"), "url": site.url}])
    page.goto(f"{where}/edit")
    page.fill('[name="limit.pulse_high.0"]', "108")
    for zone, text in (("green", "Alt som vanlig."), ("yellow", "Hvil litt, og mål igjen."), ("red", "Ring oss nå.")):
        page.fill(f'[name="text.{zone}"]', text)
    page.click("button[value=try]")
    page.wait_for_selector("#result")
    page.screenshot(path=folder / "plan-editor.png", full_page=True)
    page.fill("[name=reason]", "Høy hvilepuls, stabil i tre uker. Avtalt med fastlegen.")
    page.click("button[value=propose]")
    page.wait_for_selector("#proposed")
    page.close()
    take_of((("plan", "ingrid", where, DESKTOP), ("plan-phone", "ingrid", where, PHONE)), site, browser, folder)


def take_of(shots: Iterable[tuple[str, str, str, tuple[int, int]]], site: Site, browser: Browser, folder: Path) -> None:
    """These pictures, each of a whole page as that person sees it."""
    lia = site.lia
    for shot, who, path, (width, height) in shots:
        Pulse(lia.parts, Part.WATCH).beat()
        page = browser.new_page(viewport={"width": width, "height": height}, locale="nb-NO", base_url=site.url)
        page.context.add_cookies([{"name": "varde_session", "value": lia.session(who), "url": site.url}])
        page.goto(path.format(**lia.patients))
        page.evaluate("document.fonts.ready")
        page.screenshot(path=folder / f"{shot}.png", full_page=True)
        page.close()


if __name__ == "__main__":
    take(FOLDER)
