"""Messages between home and team, from both ends. They are not for emergencies, and every page of them says so."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from server.access import Action, needs
from server.care.consents import holding
from server.care.messages import TEXT_MAX, NewMessage, mark_read, thread, unread, write
from server.care.reports import newest_answers
from server.own_rows import Share
from server.web.forms.fields import Form, Typed, sent_to, text_of, token_of
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen
from server.web.gathering.asking import Asking
from server.web.gathering.own import names_around, own
from server.web.words.terms import N_

router = APIRouter(include_in_schema=False)
_EMPTY = N_("Write something first.")
_TOO_LONG = N_("This is too long. Write it shorter.")
_OLD_FORM = N_("The form was not complete. Look it over and send it again.")


@router.get("/own/messages")
@needs(Action.SEE_OWN_MESSAGES)
def own_messages(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """The patient's messages; those of the team count as read."""
    return _own(visit, Form.fresh(), Flash.done(visit.speech, done))


@router.post("/own/messages")
@needs(Action.WRITE_OWN_MESSAGE)
def write_own(visit: Visiting, typed: Typed) -> Response:
    """Write to the team."""
    wrong, new = _read(typed, visit.actor.patient or "")
    if new is None:
        return _own(visit, Form.again(typed, wrong), status=422)
    _write(visit, new)
    return sent_to("/own/messages", "message_sent")


@router.get("/messages")
@needs(Action.SEE_MESSAGES)
def waiting(visit: Visiting) -> HTMLResponse:
    """Whose messages nobody of the team has read."""
    with visit.read() as asking:
        counts = unread(asking.connection, visit.actor)
        names = asking.names_of_patients(list(counts))
        rows = sorted((names[patient], patient, count) for patient, count in counts.items() if patient in names)
        answer = visit.page("pages/messages.html", asking, rows=rows)
    note_seen(visit, Action.SEE_MESSAGES, [patient for _, patient, _ in rows])
    return answer


@router.get("/patients/{patient}/messages")
@needs(Action.SEE_MESSAGES)
def of_patient(visit: Visiting, patient: str, done: str | None = None) -> HTMLResponse:
    """Messages with one patient's home; those from there count as read."""
    return _of(visit, patient, Form.fresh(), Flash.done(visit.speech, done))


@router.post("/patients/{patient}/messages")
@needs(Action.WRITE_MESSAGE)
def write_to(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Write to a patient's home."""
    wrong, new = _read(typed, patient)
    if new is None:
        return _of(visit, patient, Form.again(typed, wrong), status=422)
    _write(visit, new)
    return sent_to(f"/patients/{patient}/messages", "message_sent")


def _read(typed: Typed, patient: str) -> tuple[dict[str, str], NewMessage | None]:
    text, token = text_of(typed, "text", TEXT_MAX), token_of(typed)
    if text is None:
        return {"text": _TOO_LONG}, None
    if not text:
        return {"text": _EMPTY}, None
    return ({"form": _OLD_FORM}, None) if token is None else ({}, NewMessage(patient=patient, text=text, token=token))


def _write(visit: Visit, new: NewMessage) -> None:
    parts = visit.web.parts
    with parts.database.write() as connection:
        write(connection, parts.vault, visit.actor, new, parts.clock.now())
    visit.web.changes.nudge()


def _own(visit: Visit, form: Form, flash: Flash | None = None, status: int = 200) -> HTMLResponse:
    with visit.read() as asking:
        patient, view = _thread(asking, form)
        answer = visit.page("pages/own_messages.html", asking, status, flash=flash, **view)
    _seen(visit, patient, Action.SEE_OWN_MESSAGES)
    return answer


def _of(visit: Visit, patient: str, form: Form, flash: Flash | None = None, status: int = 200) -> HTMLResponse:
    with visit.read() as asking:
        _, view = _thread(asking, form, patient)
        answer = visit.page("pages/patient_messages.html", asking, status, flash=flash, here="/messages", **view)
    _seen(visit, patient, Action.SEE_MESSAGES)
    return answer


def _thread(asking: Asking, form: Form, patient: str | None = None) -> tuple[str, dict[str, Any]]:
    whose = own(asking, patient)
    names = names_around(asking, whose)
    shared = holding(asking.connection, asking.actor, whose.patient)
    view = {
        "readers": sorted(names[each] for each, held in shared.items() if Share.MESSAGES in held.shares),
        "whose": whose,
        "answered": newest_answers(asking.connection, asking.actor, whose.patient),
        "messages": thread(asking.connection, asking.vault, asking.actor, whose.patient),
        "names": names,
        "form": form,
        "longest": TEXT_MAX,
    }
    return whose.patient, view


def _seen(visit: Visit, patient: str, action: Action) -> None:
    with visit.web.parts.database.write() as connection:
        mark_read(connection, visit.actor, patient, visit.web.parts.clock.now())
    note_seen(visit, action, [patient])
