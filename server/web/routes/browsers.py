"""How a member of staff is told in the own browsers: switched on and off here, by nobody else."""

import re
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from server.access import Action, needs
from server.care import browsers
from server.care.browsers import BrowserError, NewBrowser, Subscription
from server.notify.channels import ChannelError, Notice
from server.notify.push import is_known
from server.notify.push_seal import keys_of, sender_of
from server.notify.texts import LANGUAGES, trial
from server.notify.ways import ways_of
from server.web.forms.fields import Typed, sent_to
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting

router = APIRouter(include_in_schema=False)
PAGE = "/me/notices"
_ENDPOINT_MAX = 1000
# What browsers and systems call themselves, the more special ones first.
_BROWSERS = (
    *(("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox")),
    *(("Chrome", "Chrome"), ("Safari", "Safari")),
)
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("CrOS", "ChromeOS"), ("Macintosh", "Mac"), ("Linux", "Linux")),
)


@router.get(PAGE)
@needs(Action.BE_TOLD)
def notices_page(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """The reader's own browsers, and the button for this one."""
    return _show(visit, Flash.done(visit.speech, done))


@router.post(PAGE)
@needs(Action.BE_TOLD)
def switch_on(visit: Visiting, typed: Typed) -> Response:
    """Tell the reader in the browser that sent this, in the language that it is read in."""
    parts = visit.web.parts
    new = NewBrowser(
        subscription=Subscription(**{name: typed.get(name, "") for name in ("endpoint", "p256dh", "auth")}),
        language=visit.speech.language,
        label=label_of(visit.request.headers.get("user-agent", "")),
    )
    try:
        _check(visit, new.subscription)
        with parts.database.write() as connection:
            browsers.add(connection, parts.vault, visit.actor, new, parts.clock.now())
    except BrowserError as refusal:
        return _show(visit, Flash.not_done(visit.speech, str(refusal)), 422)
    return sent_to(PAGE, "browser_on")


@router.post(f"{PAGE}/off")
@needs(Action.BE_TOLD)
def switch_off(visit: Visiting, typed: Typed) -> Response:
    """No longer in this one of the reader's browsers."""
    parts = visit.web.parts
    with parts.database.write() as connection:
        browsers.remove(connection, visit.actor, typed.get("browser", "")[:64], parts.clock.now())
    return sent_to(PAGE, "browser_off")


@router.post(f"{PAGE}/try")
@needs(Action.BE_TOLD)
def try_it(visit: Visiting) -> Response:
    """Send a notice that says that it is a trial to all of the reader's browsers, now."""
    parts = visit.web.parts
    channel = ways_of(parts).of("push")
    with parts.database.read() as connection:
        told = browsers.told(connection, parts.vault, visit.actor.id)
    if channel is None or not told:
        return _show(visit, Flash.not_done(visit.speech, "no_browser"), 422)
    notice = Notice(
        id=str(uuid4()),
        number=0,
        to="trial",
        text=trial(parts.settings.notice_language),
        texts={each: trial(each) for each in LANGUAGES},
        topic="trial",
        browsers=told,
        page=PAGE,
        at=parts.wall.now(),
    )
    try:
        channel.send(notice)
    except ChannelError:
        return _show(visit, Flash.not_done(visit.speech, "browser_not_reached"), 422)
    return sent_to(PAGE, "browser_tried")


def label_of(user_agent: str) -> str:
    """ "Firefox, Android", as far as a browser says it; empty where it says nothing that we know."""
    found = [next((ours for sign, ours in table if re.search(rf"\b{sign}\b", user_agent)), "") for table in _KNOWN]
    return ", ".join(each for each in found if each)


_KNOWN = (_BROWSERS, _SYSTEMS)


def _check(visit: Visit, given: Subscription) -> None:
    """Raise `BrowserError` for an address that nobody may be told at."""
    settings = visit.web.parts.settings
    if settings.push_contact is None:
        raise BrowserError("push_is_off")
    plain = given.endpoint.isascii() and given.endpoint.isprintable() and len(given.endpoint) <= _ENDPOINT_MAX
    try:
        keys_of(given.p256dh, given.auth)
    except ValueError:
        raise BrowserError("browser_unknown") from None
    if not plain or not is_known(given.endpoint, settings.known_push_services):
        raise BrowserError("browser_unknown")


def _show(visit: Visit, flash: Flash | None = None, status: int = 200) -> HTMLResponse:
    parts = visit.web.parts
    contact = parts.settings.push_contact
    with visit.read() as asking:
        view: dict[str, Any] = {
            "browsers": browsers.own(asking.connection, visit.actor),
            "key": None if contact is None else sender_of(parts.vault, contact).public,
        }
        return visit.page("pages/browsers.html", asking, status, flash=flash, **view)
