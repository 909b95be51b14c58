"""The worklist, page by page, whole and as the part that updates bring."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from server.access import Action, needs
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen
from server.web.gathering.worklist import Wanted, worklist
from server.web.views.chosen import CHOICES, from_query

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A word to the reader on top, and with which status; `draft`: a form of one alert that could not be used."""

    flash: Flash | None = None
    status: int = 200
    draft: object | None = None


@router.get("/")
@needs(Action.SEE_WORKLIST)
def worklist_page(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """Who waits, most urgent first."""
    return show(visit, visit.request.url.query, Said(flash=Flash.done(visit.speech, done)))


@router.get("/parts/worklist")
@needs(Action.SEE_WORKLIST)
def worklist_part(visit: Visiting) -> HTMLResponse:
    """The same, without the frame."""
    return show(visit, visit.request.url.query, Said(), partial=True)


def show(visit: Visit, query: str, said: Said, *, partial: bool = False) -> HTMLResponse:
    """The page of the worklist that `query`, the end of an address, asks for: whole or its live part."""
    number = visit.web.changes.number  # taken before the data: a change in between is then fetched once more
    chosen, after = from_query(query)
    with visit.read() as asking:
        shown = worklist(asking, Wanted(chosen=chosen, after=after), visit.speech.now)
        view: dict[str, Any] = {"list": shown, "kept": asking.count_kept(), "number": number, "choices": CHOICES}
        view |= {"flash": said.flash, "draft_of_click": said.draft}
        template = "parts/worklist.html" if partial else "pages/worklist.html"
        address = f"/{chosen.query(after)}"
        answer = visit.page(template, asking, said.status, path=address, back=address, **view)
    if not partial:  # an update shows the same people again
        note_seen(visit, Action.SEE_WORKLIST, [case.patient.id for case in shown.cases])
    return answer
