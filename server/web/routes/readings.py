"""What a person can say about one measurement: that it must not count, or that it is right after all."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from alerts.command import Action as Signal
from alerts.command import IllegalSignal, Mistake
from server.access import Action, needs
from server.actions import ReadingClick, act_on_reading
from server.care.people import NotFoundError
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen
from server.web.gathering.patients import lines
from server.web.routes.alerts import done_with, show

router = APIRouter(include_in_schema=False)
_REASONS = tuple(each.value for each in Mistake)


@router.get("/patients/{patient}/readings/{reading}/invalidate")
@needs(Action.INVALIDATE)
def ask(visit: Visiting, patient: str, reading: str) -> HTMLResponse:
    """The question before a measurement is taken out: which it is, why, and whether it counts as measured."""
    with visit.read() as asking:
        values, line = asking.reading(patient, reading), lines(asking, visit.speech.now, patient).get(patient)
        if not values or line is None:
            raise NotFoundError("no such reading")
        view: dict[str, Any] = {
            "patient": line,
            "reading": reading,
            "values": values,
            "is_out": reading in asking.taken_out([patient]),
            "reasons": _REASONS,
        }
        speech = visit.speech.within(asking.patients(patient)[0].timezone)
        answer = visit.page("pages/invalidate.html", asking, speech=speech, here="/patients", **view)
    note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer


@router.post("/patients/{patient}/readings/{reading}/invalidate")
@needs(Action.INVALIDATE)
def invalidate(
    visit: Visiting,
    patient: str,
    reading: str,
    reason: Annotated[Mistake, Form()],
    slot: Annotated[Literal["open", "fulfilled"], Form()],
) -> Response:
    """Take the whole reading out."""
    click = ReadingClick(
        patient=patient,
        reading=reading,
        signal=Signal.INVALIDATE,
        reason=reason,
        slot_fulfilled=slot == "fulfilled",
    )
    return _click(visit, click, f"/patients/{patient}", "invalidated")


@router.post("/patients/{patient}/readings/{reading}/accept")
@needs(Action.ACCEPT)
def accept(visit: Visiting, patient: str, reading: str, back: Annotated[str, Form()] = "/") -> Response:
    """Believe the values of a reading that were held back."""
    return _click(visit, ReadingClick(patient=patient, reading=reading, signal=Signal.ACCEPT), back, "accepted")


def _click(visit: Visit, click: ReadingClick, back: str, done: str) -> Response:
    parts = visit.web.parts
    try:
        with parts.database.write() as connection:
            act_on_reading(connection, visit.actor, click, parts.clock.now())
    except IllegalSignal as refusal:
        return show(visit, back, Flash.not_done(visit.speech, refusal.field or ""), 409)
    return done_with(visit, back, done)
