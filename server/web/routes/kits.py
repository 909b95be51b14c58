"""The page of kits, and what people ask of gateways on it or on a patient's page."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from server.access import Action, needs
from server.care.commands import Kind, Wish, WishError, ask
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, own_path
from server.web.gathering.kits import gateways
from server.web.routes import alerts, visits

router = APIRouter(include_in_schema=False)
_HERE = "/kits"
_AT_VISIT = re.compile(r"/patients/([^/]+)/visit")


@router.get("/kits")
@needs(Action.SEE_KITS)
def kits_page(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """Every gateway with its devices: who is silent, what is wrong, what was asked."""
    return _show(visit, Flash.done(visit.speech, done))


@router.get("/parts/kits")
@needs(Action.SEE_KITS)
def kits_part(visit: Visiting) -> HTMLResponse:
    """The live part of the same."""
    return _show(visit, partial=True)


def wished(
    gateway: str,
    kind: Annotated[Kind, Form()],
    device: Annotated[str, Form(max_length=64)] = "",
    passkey: Annotated[str, Form(max_length=12)] = "",
) -> Wish:
    """What was asked, from the fields of its form."""
    return Wish(gateway=gateway, kind=kind, device=device or None, passkey=_number(passkey))


@router.post("/gateways/{gateway}/commands")
@needs(Action.COMMAND_KIT)
def command(visit: Visiting, wish: Annotated[Wish, Depends(wished)], back: Annotated[str, Form()] = _HERE) -> Response:
    """Ask a gateway for something; it is on its way within a second."""
    parts = visit.web.parts
    try:
        with parts.database.write() as connection:
            ask(connection, parts.vault, visit.actor, wish, parts.clock.now())
    except WishError as refusal:
        return _back(visit, back, Flash.not_done(visit.speech, refusal.field), 422)
    visit.web.changes.nudge()
    if visit.is_partial:
        return _back(visit, back, Flash.done(visit.speech, "asked_gateway"), 200)
    return alerts.done_with(visit, back, "asked_gateway")


def _number(typed: str) -> int | None:
    """What was read off a device, None for nothing; what is no number at all is one that no device shows."""
    digits = typed.replace(" ", "")
    if not digits:
        return None
    return int(digits) if digits.isascii() and digits.isdigit() else -1


def _back(visit: Visit, back: str, flash: Flash | None, status: int) -> HTMLResponse | Response:
    at_visit = _AT_VISIT.fullmatch(own_path(back))
    if at_visit:
        return visits.show(visit, at_visit[1], flash)
    if own_path(back) != _HERE:
        return alerts.show(visit, back, flash, status)
    return _show(visit, flash, status, partial=visit.is_partial)


def _show(visit: Visit, flash: Flash | None = None, status: int = 200, *, partial: bool = False) -> HTMLResponse:
    number = visit.web.changes.number
    with visit.read() as asking:
        view: dict[str, Any] = {
            "number": number,
            "gateways": gateways(asking, visit.speech.now),
            "waiting": asking.count_waiting(visit.speech.now),
            "kept": asking.count_kept(),
        }
        template = "parts/kits.html" if partial else "pages/kits.html"
        return visit.page(template, asking, status, flash=flash, here=_HERE, **view)
