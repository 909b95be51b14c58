"""A team's first page: who is on duty, what was left, what is quiet on purpose; and the notes from shift to shift."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from server.access import Action, needs
from server.care import handover_notes
from server.care.handover_notes import NewNote, NoteError
from server.web.forms.fields import Typed, sent_to, text_of
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen
from server.web.gathering.asking import Asking
from server.web.gathering.shift import agreements, aside, notes, on_duty, team_can_be_reached

router = APIRouter(include_in_schema=False)
_CHOICES_MAX = 200  # patients that a note can be about: those with something open


@router.get("/team")
@needs(Action.SEE_TEAM)
def team_page(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """The shift, now."""
    return _show(visit, flash=Flash.done(visit.speech, done))


@router.get("/parts/team")
@needs(Action.SEE_TEAM)
def team_part(visit: Visiting) -> HTMLResponse:
    """The live part of the same."""
    with visit.read() as asking:
        return visit.page("parts/team.html", asking, here="/team", **_shift(visit, asking))


@router.post("/team/notes")
@needs(Action.HAND_OVER)
def leave_note(visit: Visiting, typed: Typed) -> Response:
    """Leave a note to the next shift, or to a team that one shares patients with."""
    parts = visit.web.parts
    text = text_of(typed, "text", handover_notes.TEXT_MAX)
    if text is None:
        return _show(visit, typed, {"text": "too_long"}, 422)
    new = NewNote(to_team=typed.get("to_team", ""), text=text, patient=typed.get("patient") or None)
    try:
        with parts.database.write() as connection:
            handover_notes.write(connection, parts.vault, visit.actor, new, parts.clock.now())
    except NoteError as refusal:
        return _show(visit, typed, {refusal.field: refusal.reason}, 422)
    visit.web.changes.nudge()
    return sent_to("/team", "left")


@router.post("/team/notes/take")
@needs(Action.HAND_OVER)
def take_note(visit: Visiting, note: Annotated[str, Form(max_length=64)]) -> Response:
    """Go on from where the note ends."""
    parts = visit.web.parts
    with parts.database.write() as connection:
        handover_notes.take(connection, visit.actor, note, parts.clock.now())
    visit.web.changes.nudge()
    return sent_to("/team", "taken_note")


def _show(
    visit: Visit,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
    flash: Flash | None = None,
) -> HTMLResponse:
    with visit.read() as asking:
        choices = _choices(asking, visit.speech.now)
        view = _shift(visit, asking) | {
            "choices": choices,
            "partners": handover_notes.partners(asking.connection, visit.actor),
            "typed": typed or {},
            "wrong": wrong or {},
        }
        answer = visit.page("pages/team.html", asking, status, flash=flash, here="/team", **view)
    about = {each.patient_id for each in view["notes"] if each.patient_id} | set(view["aside"].patients) | set(choices)
    note_seen(visit, Action.SEE_TEAM, sorted(about))  # an update shows the same people again
    return answer


def _shift(visit: Visit, asking: Asking) -> dict[str, Any]:
    """What the live part shows."""
    now, number = visit.speech.now, visit.web.changes.number
    return {
        "number": number,
        "posts": on_duty(asking, now),
        "team_reached": team_can_be_reached(asking),
        "agreements": agreements(asking, now, visit.speech.zone),
        "notes": notes(asking, now),
        "aside": aside(asking, now),
        "waiting": asking.count_waiting(now),
        "kept": asking.count_kept(),
    }


def _choices(asking: Asking, now: datetime) -> dict[str, str]:
    """Patient id -> name, of those with an open alert, by name."""
    open_ones = sorted(row.patient for row in asking.board(now).rows)[:_CHOICES_MAX]
    return dict(sorted(asking.names_of_patients(open_ones).items(), key=lambda item: item[1]))
