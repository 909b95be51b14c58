"""Who was told by what; the way from a notice to its alert; and what channels say of their messages."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from server.access import Action, needs, scope
from server.care.people import NotFoundError
from server.db import tables
from server.notify.receipts import Word, hear
from server.web.frame.visit import Visiting
from server.web.gathering.shift import TOLD_MAX, told

router = APIRouter(include_in_schema=False)
_NUMBER_MAX = 2**62


class Said(BaseModel):
    """What a channel says of a message."""

    model_config = ConfigDict(extra="ignore")

    secret: str = Field(min_length=1, max_length=200)
    event: Word


@router.get("/team/told")
@needs(Action.SEE_TEAM)
def told_page(visit: Visiting, before: Annotated[int | None, Query(ge=1, le=_NUMBER_MAX)] = None) -> HTMLResponse:
    """The channels log: the newest notices, or those before a number."""
    with visit.read() as asking:
        found = told(asking, before)
        view: dict[str, Any] = {"told": found, "older": found[-1].number if len(found) == TOLD_MAX else None}
        return visit.page("pages/told.html", asking, here="/team", **view)


@router.get("/cases/{number}")
@needs(Action.SEE_ALERTS)
def case(visit: Visiting, number: str) -> Response:
    """Where a notice leads: to the patient, for who may know of them at that moment."""
    if not (number.isascii() and number.isdigit()) or int(number) > _NUMBER_MAX:
        raise NotFoundError("no such case")
    outbox = tables.outbox
    statement = select(outbox.c.patient_id).where(outbox.c.seq == int(number))
    with visit.web.parts.database.read() as connection:
        patient = connection.execute(scope(statement, outbox, visit.actor)).scalar()
    if patient is None:
        raise NotFoundError("no such case")
    return visit.go(f"/patients/{patient}")


@router.post("/notices/receipts")
@needs(Action.ENTER)
def receipt(visit: Visiting, said: Annotated[Said, Body()]) -> Response:
    """What became of a message, by its own secret; who has none is told nothing."""
    parts = visit.web.parts
    with parts.database.write() as connection:
        known = hear(connection, said.secret, said.event, parts.clock.now())
    if known and said.event is Word.REFUSED:
        parts.wake_notify.ring()
    return Response(status_code=204 if known else 404)
