"""One visit: who asks, in which language, and the answer's frame. Every page route takes a `Visit`.

The dependency holds the order of things: who is it, may the role do what the route declared, only then the route.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from server import audit
from server.access import Action, Actor, action_of, allowed, require
from server.care.credentials import actor_of_session
from server.care.people import NotFoundError
from server.parts import Parts
from server.settings import is_loopback
from server.watch.silence import rules_stand_still
from server.web.frame.changes import Changes
from server.web.frame.language import Speech, choose
from server.web.frame.menu import me
from server.web.frame.rendering import Renderer
from server.web.frame.silence import kinds
from server.web.gathering.asking import Asking
from server.web.views.chosen import from_query

SESSION_COOKIE = "varde_session"
LANGUAGE_COOKIE = "varde_language"
_PARTS = "parts/"  # of templates: what an update brings
HOME_ZONE = "Europe/Oslo"  # the wall clock of pages that show more than one patient
_LIVE_SPELL = timedelta(hours=1)  # of one reader's look at a page that stays open


class LoginNeededError(Exception):
    """Nobody is logged in, and the route is not for strangers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """What all routes share."""

    parts: Parts
    renderer: Renderer
    changes: Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request together with who made it. `reader` is None only on routes that are open to strangers."""

    web: Web
    request: Request
    reader: Actor | None
    speech: Speech

    @property
    def actor(self) -> Actor:
        """Who asks; only where somebody must be logged in."""
        assert self.reader
        return self.reader

    @property
    def is_partial(self) -> bool:
        """Whether the page's own script asks for a fragment."""
        return self.request.headers.get("hx-request") == "true"

    def may(self, action: str) -> bool:
        """Whether the reader's role may do this, by its word in `access`."""
        return allowed(self.reader, Action(action))

    @contextmanager
    def read(self) -> Iterator[Asking]:
        """One consistent view of the data, as this reader may see it."""
        with self.web.parts.database.read() as connection:
            yield Asking(connection, self.web.parts.vault, self.actor)

    def page(self, template: str, asking: Asking | None = None, status: int = 200, **view: Any) -> HTMLResponse:
        """The template filled with the view; given `asking`, also with the reader's menu."""
        path = self.request.url.path
        frame: dict[str, Any] = {"path": path, "here": path, "may": self.may}
        if asking and self.reader:
            wall = self.web.parts.wall.now()
            silence = rules_stand_still(asking.beat_of_watch(), wall)
            frame |= {"watch_silence": silence}
            if not template.startswith(_PARTS):  # an update has no menu
                frame |= {"me": me(asking, self.speech.now)}
            frame["silent"] = kinds(
                self.web.parts.findings, rules_still=silence is not None, beats=asking.beats(), wall=wall
            )
        speech = view.pop("speech", self.speech)
        return HTMLResponse(self.web.renderer.page(template, speech, **{**frame, **view}), status_code=status)

    def go(self, where: str) -> Response:
        """Send the browser to a page of ours."""
        if self.is_partial:
            return Response(status_code=204, headers={"HX-Redirect": own_path(where)})
        return RedirectResponse(own_path(where), status_code=303)


def session_cookie(parts: Parts) -> str:
    """The name of the session's cookie; outside this machine it is bound to the host and to TLS."""
    return SESSION_COOKIE if is_loopback(parts.settings.web_host) else f"__Host-{SESSION_COOKIE}"


def visit(request: Request) -> Visit:
    """The visit of this request; raises `LoginNeededError` or `RefusedError` before the route is entered."""
    web: Web = request.app.state.web
    if any("\0" in str(part) for part in request.path_params.values()):
        raise NotFoundError("nothing has such a name")  # and the database would not even look
    action = action_of(request.scope["endpoint"])
    assert action, "a route without an action; `check_actions` should have found it at start"
    reader = _reader(web.parts, request.cookies.get(session_cookie(web.parts)))
    if action is not Action.ENTER:
        if reader is None:
            raise LoginNeededError
        require(reader, action)
    return Visit(web=web, request=request, reader=reader, speech=speech_of(request))


Visiting = Annotated[Visit, Depends(visit)]


def logged_in(visit: Visiting) -> Visit:
    """The visit of somebody who is logged in, whoever it is; raises `LoginNeededError`."""
    if visit.reader is None:
        raise LoginNeededError
    return visit


LoggedIn = Annotated[Visit, Depends(logged_in)]


def note_seen(visit: Visit, action: Action, patients: Sequence[str]) -> None:
    """Write down that the reader has seen something of these patients; they can ask who did."""
    if not patients:
        return
    entries = [audit.Entry(action=action, patient=patient) for patient in patients]
    with visit.web.parts.database.write() as connection:
        audit.write_all(connection, visit.actor, entries, visit.speech.now)


def note_seen_live(visit: Visit, action: Action, patient: str) -> None:
    """The same for a page that brings itself up to date: once an hour, and mostly without waiting for a writer."""
    entry, now = audit.Entry(action=action, patient=patient), visit.speech.now
    with visit.web.parts.database.read() as connection:
        if audit.was_seen(connection, visit.actor, entry, now - _LIVE_SPELL):
            return
    note_seen(visit, action, [patient])


def speech_of(request: Request) -> Speech:
    """The reader's language, and now."""
    web: Web = request.app.state.web
    language = choose(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
    return Speech(language=language, zone=ZoneInfo(HOME_ZONE), now=web.parts.clock.now())


def own_path(where: str | None) -> str:
    """`where` when it is a plain path on this server, else the front page: nobody is sent elsewhere."""
    return own_address(where).partition("?")[0]


def own_address(where: str | None) -> str:
    """The same with what was chosen on that page: of the worklist, the choice and the place in the list."""
    if not where or not where.startswith("/") or where.startswith(("//", "/\\")):
        return "/"
    parts = urlsplit(where)
    if parts.scheme or parts.netloc or not where.isprintable():
        return "/"
    chosen, after = from_query(parts.query)
    return parts.path + (chosen.query(after) if parts.path == "/" else "")


def _reader(parts: Parts, secret: str | None) -> Actor | None:
    if not secret:
        return None
    with parts.database.glance() as connection:
        actor = actor_of_session(connection, secret, parts.wall.now())
    return None if actor is None else replace(actor, at=parts.clock.now())
