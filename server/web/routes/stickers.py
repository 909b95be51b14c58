"""Kits and their stickers: put a kit together, print what is glued on it."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from server.access import Action, needs, scope
from server.care import kit_codes
from server.care.kit_codes import LABEL_MAX, NewKit, make_kit
from server.care.people import NotFoundError
from server.db import tables
from server.web.forms.fields import Form, Typed, sent_to, text_of
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting
from server.web.gathering.asking import Asking
from server.web.views.stickers import picture
from server.web.words.terms import N_

router = APIRouter(include_in_schema=False)
_MISSING = N_("Fill this in.")
_TOO_LONG = N_("This is too long. Write it shorter.")
_CHOOSE = N_("Choose one.")
_NONE = N_("Choose at least one device.")
_UNKNOWN = N_("There is no such gateway or device here any more. Choose again.")
_DEVICE = "device-"


@router.get("/kits/stickers")
@needs(Action.CHANGE_KITS)
def stickers(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """Every kit with its sticker, and a form for another one."""
    return _page(visit, Form.fresh(), Flash.done(visit.speech, done))


@router.post("/kits/stickers")
@needs(Action.CHANGE_KITS)
def put_together(visit: Visiting, typed: Typed) -> Response:
    """Make a kit of a gateway and devices."""
    label = text_of(typed, "label", LABEL_MAX)
    devices = tuple(name.removeprefix(_DEVICE) for name in typed if name.startswith(_DEVICE))
    wrong = {} if label else {"label": _TOO_LONG if label is None else _MISSING}
    wrong |= {} if typed.get("gateway") else {"gateway": _CHOOSE}
    wrong |= {} if devices else {"devices": _NONE}
    if wrong or not label:
        return _page(visit, Form.again(typed, wrong), status=422)
    new = NewKit(gateway=typed["gateway"], label=label, devices=devices)
    try:
        with visit.web.parts.database.write() as connection:
            make_kit(connection, visit.actor, new, visit.web.parts.clock.now())
    except NotFoundError:
        return _page(visit, Form.again(typed, {"form": _UNKNOWN}), status=422)
    return sent_to("/kits/stickers", "kit_made")


def _page(visit: Visit, form: Form, flash: Flash | None = None, status: int = 200) -> HTMLResponse:
    base = str(visit.request.base_url)
    with visit.read() as asking:
        kits = kit_codes.all_kits(asking.connection, visit.actor)
        view: dict[str, Any] = {
            "kits": [(kit, f"{base}k/{kit.code}", picture(f"{base}k/{kit.code}")) for kit in kits],
            "gateways": _gateways(asking),
            "devices": _loose_devices(asking),
            "form": form,
            "longest": LABEL_MAX,
        }
        return visit.page("pages/stickers.html", asking, status, flash=flash, here="/kits", **view)


def _gateways(asking: Asking) -> list[str]:
    table = tables.gateway
    statement = select(table.c.id).where(table.c.active).order_by(table.c.id)
    return list(asking.connection.execute(scope(statement, table, asking.actor)).scalars())


def _loose_devices(asking: Asking) -> list[Any]:
    """Devices that are in no kit yet."""
    table = tables.device
    loose = table.c.id.not_in(select(tables.kit_device.c.device_id))
    statement = select(table).where(loose).order_by(table.c.kind, table.c.address)
    return list(asking.connection.execute(scope(statement, table, asking.actor)))
