"""What a script can do to an alert and to a reading: every click of the pages, by the same rules.

A click on an alert names the version that was seen (`If-Match`); it answers with the alert as it then is. What the
rules refuse is a problem: 409 where the alert is not in such a state, 422 with `field` where a word of the request is
wrong.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row, select

from alerts.command import Action as Signal
from alerts.command import Mistake, Outcome
from server.access import Action, Actor, needs, scope
from server.actions import Click, ReadingClick, act, act_on_reading
from server.care.people import NotFoundError
from server.db import tables
from server.web.api.calling import Call, Calling
from server.web.api.items import alert_item
from server.web.api.lists import as_json
from server.web.api.problems import RESPONSES, ProblemError
from server.web.api.schemas import AlertItem, ReadingClicked

router = APIRouter(responses=RESPONSES)
IfMatch = Annotated[str | None, Header(description="The ETag of the alert as it was seen.")]
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"model": AlertItem}}
_CHANGED: dict[int | str, dict[str, Any]] = {200: {"model": ReadingClicked}}


class Resolution(BaseModel):
    """What came of an alert; the rules say of which alerts it must be said."""

    model_config = ConfigDict(extra="forbid")
    outcome: Outcome | None = None


class Rest(BaseModel):
    """Until when an alert is put off."""

    model_config = ConfigDict(extra="forbid")
    until: AwareDatetime = Field(description="After now and within 12 hours.")


class Removal(BaseModel):
    """Why a reading is taken out, and whether the slot that it fulfilled is open again or counts as measured."""

    model_config = ConfigDict(extra="forbid")
    reason: Mistake
    slot: Literal["open", "fulfilled"] = "open"


@router.post("/alerts/{alert}/acknowledge", responses=_ANSWERS)
@needs(Action.ACKNOWLEDGE)
def acknowledge(by: Calling, alert: str, if_match: IfMatch = None) -> Response:
    """Take the alert on; it must still be what `If-Match` names."""
    return _click(by, Click(alert=alert, signal=Signal.ACKNOWLEDGE, version=_version(if_match)))


@router.post("/alerts/{alert}/take_over", responses=_ANSWERS)
@needs(Action.TAKE_OVER)
def take_over(by: Calling, alert: str, if_match: IfMatch = None) -> Response:
    """Take an acknowledged alert from whoever has it."""
    return _click(by, Click(alert=alert, signal=Signal.TAKE_OVER, version=_version(if_match)))


@router.post("/alerts/{alert}/release", responses=_ANSWERS)
@needs(Action.RELEASE)
def release(by: Calling, alert: str, if_match: IfMatch = None) -> Response:
    """Give an acknowledged alert back: nobody has it, and its ladder starts again."""
    return _click(by, Click(alert=alert, signal=Signal.RELEASE, version=_version(if_match)))


@router.post("/alerts/{alert}/resolve", responses=_ANSWERS)
@needs(Action.RESOLVE)
def resolve(by: Calling, alert: str, body: Resolution, if_match: IfMatch = None) -> Response:
    """Close the alert with its outcome; it must still be what `If-Match` names."""
    click = Click(alert=alert, signal=Signal.RESOLVE, outcome=body.outcome, version=_version(if_match))
    return _click(by, click)


@router.post("/alerts/{alert}/snooze", responses=_ANSWERS)
@needs(Action.SNOOZE)
def snooze(by: Calling, alert: str, body: Rest, if_match: IfMatch = None) -> Response:
    """Put the alert off; high and critical only once acknowledged. Worsening breaks it."""
    return _click(by, Click(alert=alert, signal=Signal.SNOOZE, until=body.until, version=_version(if_match)))


@router.post("/alerts/{alert}/dispatch", responses=_ANSWERS)
@needs(Action.DISPATCH)
def dispatch(by: Calling, alert: str, if_match: IfMatch = None) -> Response:
    """Note that a home team was asked to go."""
    return _click(by, Click(alert=alert, signal=Signal.DISPATCH, version=_version(if_match)))


@router.post("/alerts/{alert}/dispatch_accept", responses=_ANSWERS)
@needs(Action.DISPATCH_ACCEPT)
def dispatch_accept(by: Calling, alert: str, if_match: IfMatch = None) -> Response:
    """The home team is on its way: the owner is reminded no more."""
    return _click(by, Click(alert=alert, signal=Signal.DISPATCH_ACCEPT, version=_version(if_match)))


@router.post("/alerts/{alert}/dispatch_refuse", responses=_ANSWERS)
@needs(Action.DISPATCH_REFUSE)
def dispatch_refuse(by: Calling, alert: str, if_match: IfMatch = None) -> Response:
    """The home team cannot come: the owner is told at once."""
    return _click(by, Click(alert=alert, signal=Signal.DISPATCH_REFUSE, version=_version(if_match)))


@router.post("/patients/{patient}/readings/{reading}/invalidate", responses=_CHANGED)
@needs(Action.INVALIDATE)
def invalidate(by: Calling, patient: str, reading: str, body: Removal) -> Response:
    """Take a whole reading out: for every rule it is as if it had never been measured."""
    click = ReadingClick(
        patient=patient,
        reading=reading,
        signal=Signal.INVALIDATE,
        slot_fulfilled=body.slot == "fulfilled",
        reason=body.reason,
    )
    return _click_on_reading(by, click)


@router.post("/patients/{patient}/readings/{reading}/accept", responses=_CHANGED)
@needs(Action.ACCEPT)
def accept(by: Calling, patient: str, reading: str) -> Response:
    """Believe a value that was held back; to leave all of them unused, resolve the alert `quarantined`."""
    return _click_on_reading(by, ReadingClick(patient=patient, reading=reading, signal=Signal.ACCEPT))


def alert_row(connection: Connection, actor: Actor, alert: str) -> Row[Any]:
    """The alert, if the caller may know of it; raises `NotFoundError`."""
    table = tables.alert
    row = connection.execute(scope(select(table).where(table.c.id == alert), table, actor)).first()
    if row is None:
        raise NotFoundError("no such alert")
    return row


def alert_answer(request: Request, row: Row[Any]) -> Response:
    """An alert with its ETag."""
    return as_json(request, alert_item(row), f'"{row.version}"')


def _click(by: Call, click: Click) -> Response:
    with by.parts.database.write() as connection:
        act(connection, by.actor, click, by.parts.clock.now())  # not before the lock: others wrote meanwhile
        row = alert_row(connection, by.actor, click.alert)
    _ring(by)
    return alert_answer(by.request, row)


def _click_on_reading(by: Call, click: ReadingClick) -> Response:
    with by.parts.database.write() as connection:
        step = act_on_reading(connection, by.actor, click, by.parts.clock.now())
    _ring(by)
    said = {"patient": click.patient, "reading": click.reading, "done": click.signal.value, "zone": step.zone.value}
    return as_json(by.request, said)


def _ring(by: Call) -> None:
    by.parts.wake_watch.ring()  # when to ask about the patient again has changed
    by.parts.wake_notify.ring()
    by.parts.changed.ring()


def _version(if_match: str | None) -> int:
    if if_match is None:
        raise ProblemError(428, "If-Match is needed: the ETag of the alert as you saw it")
    text = if_match.strip().removeprefix("W/").strip('"')
    return int(text) if text.isascii() and text.isdigit() else -1  # -1: a version that no alert ever has
