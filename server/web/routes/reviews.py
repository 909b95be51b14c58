"""Everybody who is green and has measured since somebody looked: seen on one page, acknowledged with one click."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from server.access import Action, needs
from server.care import reviewing
from server.care.reviewing import Reviewed
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen
from server.web.gathering.patients import by_metric, lines_of
from server.web.views.green import green
from vitals.metrics import METRICS

router = APIRouter(include_in_schema=False)
_SPELL = timedelta(days=3)  # how far back a newest value is shown


@router.get("/green")
@needs(Action.REVIEW)
def green_page(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """Who is green and waits to be looked at, with the newest values."""
    return _show(visit, Flash.done(visit.speech, done))


@router.post("/green")
@needs(Action.REVIEW)
def acknowledge(
    visit: Visiting, as_of: Annotated[str, Form()] = "", patient: Annotated[list[str] | None, Form()] = None
) -> Response:
    """All who were shown, but whoever sent something since or is no longer green."""
    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not patient:
        return _show(visit, Flash.not_done(visit.speech, "green"), 422)
    parts = visit.web.parts
    with parts.database.write() as connection:
        now = parts.clock.now()
        done = reviewing.review(connection, visit.actor, Reviewed(patients=patient, as_of=min(moment, now)), now)
    left_out = len(done) < len(set(patient))
    return RedirectResponse(f"/green?done={'reviewed_some' if left_out else 'reviewed'}", status_code=303)


def _show(visit: Visit, flash: Flash | None = None, status: int = 200) -> HTMLResponse:
    now = visit.speech.now
    with visit.read() as asking:
        rows = reviewing.unreviewed(asking.connection, asking.actor, now)
        people = lines_of(asking, [row.id for row in rows], now)
        wanted = {(patient, metric) for patient in people for metric in METRICS}
        values = by_metric(asking.newest_values(wanted, now - _SPELL, 1)) if people else {}
        shown = tuple(green(people[row.id], row, values) for row in rows if row.id in people)
        answer = visit.page("pages/green.html", asking, status, flash=flash, here="/", people=shown)
    note_seen(visit, Action.SEE_PATIENT, [each.line.id for each in shown])
    return answer
