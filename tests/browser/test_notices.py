"""A notice on its whole way: switched on in a browser, sealed, shown by the real worker, confirmed, and looked at."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import delete, insert, select

from server.db import tables
from server.notify.deliver import deliver
from server.notify.ways import ways_of
from tests.browser.conftest import Opener, Site, founded, page_of, served
from tests.server.notify.browser import Browser, PushService, push_service
from tests.server.web import hamlet, valley
from tests.server.web.hamlet import NOW

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the driver's own pipes at the end of a run

# The maker's service is elsewhere, so that part alone is played: the browser subscribes at ours, with these keys.
_SUBSCRIBES = """([endpoint, keys]) => {
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (e) => e.charCodeAt(0));
  let made = null;
  PushManager.prototype.getSubscription = async () => made;
  PushManager.prototype.subscribe = async (wanted) => {
    sessionStorage.setItem("key", wanted.applicationServerKey.length);
    const unsubscribe = async () => { made = null; return true; };
    made = { endpoint, getKey: (name) => bytes(keys[name]).buffer, unsubscribe };
    return made;
  };
}"""


@pytest.fixture(scope="module")
def shift(migrated: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with founded(migrated, tmp_path_factory.mktemp("notices")) as made:
        lia = valley.settle(hamlet.fill(made))
        with lia.parts.database.write() as connection:
            for table in (tables.attempt, tables.delivery, tables.outbox, tables.browser):
                connection.execute(delete(table))
        with served(lia) as running:
            yield running


def give(context: BrowserContext, page: Page, data: str) -> None:
    """What the browser does when its maker's service brings this for the page's worker."""
    session = context.new_cdp_session(page)
    found: list[dict[str, str]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    session.send("ServiceWorker.enable")
    page.wait_for_function("navigator.serviceWorker.getRegistration('/static/').then((it) => it.active !== null)")
    origin = page.url.partition("/me/")[0]
    assert found[-1]["scopeURL"] == f"{origin}/static/"
    where = {"origin": origin, "registrationId": found[-1]["registrationId"]}
    session.send("ServiceWorker.deliverPushMessage", where | {"data": data})
    session.detach()


def raised(shift: Site) -> None:
    """A red alert of which whoever is on duty is to be told."""
    lia = shift.lia
    whose = {"municipality_id": lia.municipality, "patient_id": lia.patients["gunnar"]}
    whose |= {"alert_id": lia.alerts["gunnar_spo2"]}
    with lia.parts.database.write() as connection:
        fact = whose | {"at": NOW, "kind": "notice", "priority": "high", "to": "primary"}
        number = connection.execute(insert(tables.fact).values(**fact)).inserted_primary_key[0]
        row = whose | {"fact_seq": number, "to": "primary", "state": "waiting", "created_at": NOW}
        connection.execute(insert(tables.outbox).values(**row))


def state(shift: Site) -> str:
    with shift.lia.parts.database.read() as connection:
        return str(connection.execute(select(tables.delivery.c.state)).scalar_one())


def test_a_notice_is_switched_on_shown_and_confirmed_by_the_real_worker(shift: Site, person: Opener) -> None:
    with push_service() as service:
        _run(shift, person(shift, "anna"), service)


def _run(shift: Site, context: BrowserContext, service: PushService) -> None:
    anna, parts = Browser(), shift.lia.parts
    context.grant_permissions(["notifications"])
    context.add_init_script(f"({_SUBSCRIBES})({json.dumps([service.endpoint(), anna.written])})")
    page = page_of(context, "/me/notices")
    page.get_by_role("button", name="Slå på varsler i denne nettleseren").click()
    expect(page.get_by_text("Varsler er på i denne nettleseren. Send en prøve")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('key')") == "65"

    raised(shift)
    settings = parts.settings.model_copy(update={"public_url": shift.url})
    deliver(replace(parts, settings=settings), ways_of(replace(parts, settings=settings)))
    assert state(shift) == "sent"
    ((_, _, body),) = service.taken
    said = anna.opened(body).decode()
    give(context, page, said)
    shown = """() => navigator.serviceWorker.getRegistration('/static/').then((it) => it.getNotifications())
        .then((all) => all.map((each) => [each.title, each.body, each.tag, each.lang]))"""
    # In one look: the browser may take a notice from its centre the moment after.
    seen = page.wait_for_function(f"({shown})().then((all) => all.length ? all : null)")
    ((title, text, tag, language),) = seen.json_value()
    assert (title, tag, language) == ("Varde", "high", "nb")
    assert text.startswith("Nytt rødt varsel, sak ")
    assert "Gunnar" not in said
    _until(page, shift, "delivered")
    context.service_workers[0].evaluate(
        "() => self.registration.getNotifications().then(([one]) => "
        "self.dispatchEvent(new NotificationEvent('notificationclick', { notification: one })))"
    )
    _until(page, shift, "read")
    assert page.evaluate(shown) == []


def _until(page: Page, shift: Site, wanted: str) -> None:
    for _ in range(200):
        if state(shift) == wanted:
            return
        page.wait_for_timeout(25)
    pytest.fail(f"the message is {state(shift)}, not {wanted}")


def test_without_scripts_the_page_says_what_is_missing(shift: Site, person: Opener) -> None:
    page = page_of(person(shift, "henrik", script=False), "/me/notices")
    expect(page.get_by_text("Skript er slått av i denne nettleseren")).to_be_visible()
    expect(page.get_by_role("button", name="Slå på varsler")).to_be_hidden()
