"""What a script can ask of gateways, and what became of it."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from server import audit
from server.access import Action, needs, scope
from server.care.commands import PASSKEY_MAX, WINDOW_MAX_S, WINDOW_S, Kind, Wish, WishError, ask
from server.db import tables
from server.web.api.calling import Calling
from server.web.api.items import command_item
from server.web.api.lists import LIMIT, Limit, answer, as_json
from server.web.api.problems import RESPONSES, ProblemError
from server.web.api.schemas import CommandItem, Listed

router = APIRouter(responses=RESPONSES)
_ANSWERS: dict[int | str, dict[str, Any]] = {202: {"model": CommandItem}}


class Wanted(BaseModel):
    """What a gateway is asked; `device` is an address, needed for everything but `configuration`."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind
    device: Annotated[str | None, Field(max_length=64)] = None
    seconds: Annotated[int, Field(ge=1, le=WINDOW_MAX_S)] = WINDOW_S
    passkey: Annotated[int | None, Field(ge=0, le=PASSKEY_MAX)] = None


@router.post("/gateways/{gateway}/commands", status_code=202, responses=_ANSWERS)
@needs(Action.COMMAND_KIT)
def command(by: Calling, gateway: str, wanted: Wanted) -> Response:
    """Ask a gateway to open a pairing window, to prompt for a new measurement, or to take its list of devices.

    It is sent until the gateway says what became of it, or until it is too late.
    """
    table = tables.gateway_command
    wish = Wish(gateway=gateway, **wanted.model_dump())
    try:
        with by.parts.database.write() as connection:
            known = ask(connection, by.parts.vault, by.actor, wish, by.now)
            row = connection.execute(select(table).where(table.c.id == known)).one()
    except WishError as refusal:
        raise ProblemError(422, str(refusal)) from None
    by.parts.changed.ring()
    made = as_json(by.request, command_item(row))
    made.status_code = 202
    return made


@router.get("/gateways/{gateway}/commands", responses={200: {"model": Listed[CommandItem]}})
@needs(Action.SEE_KITS)
def asked(by: Calling, gateway: str, limit: Limit = LIMIT) -> Response:
    """What was asked of a gateway, newest first, and what became of it; empty for one that the caller may not see."""
    table = tables.gateway_command
    statement = select(table).where(table.c.gateway_id == gateway).order_by(table.c.asked_at.desc(), table.c.id)
    with by.parts.database.write() as connection:
        rows = connection.execute(scope(statement.limit(limit), table, by.actor)).all()
        audit.write_seen(connection, by.actor, audit.Entry(action=Action.SEE_KITS, subject=gateway), by.now)
    return answer(by.request, [command_item(row) for row in rows], None)
