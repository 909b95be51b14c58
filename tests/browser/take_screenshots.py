"""Takes the pictures of `docs/screenshots` anew: `python -m tests.browser.take_screenshots`. Look before you sign."""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from tests.browser.conftest import ARGUMENTS, CHROMIUM, DESKTOP, PHONE, serve
from tests.server.web import hamlet

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


def take(folder: Path) -> None:
    """Write every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        home = Path(name)
        database = Database(file_address(home / "varde.db"))
        upgrade_database(database)
        site = serve(hamlet.fill(hamlet.found(database, home)))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        cookie = {"name": "varde_session", "value": site.lia.session("anna"), "url": site.url}
        for shot, path, (width, height), dark, whole in SHOTS:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                locale="nb-NO",
                base_url=site.url,
            )
            page.context.add_cookies([cookie])
            page.goto(path.format(**site.lia.patients))
            page.wait_for_selector("html[data-beat]")
            page.evaluate("document.fonts.ready")
            page.screenshot(path=folder / f"{shot}.png", full_page=whole)
            page.close()
        browser.close()
        site.stop()
        database.close()


if __name__ == "__main__":
    take(FOLDER)
