"""The worklist, whole and as the part that updates bring."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from server.access import Action, needs
from server.web.flash import Flash
from server.web.gathering import worklist
from server.web.visit import Visit, Visiting, note_seen

router = APIRouter(include_in_schema=False)


@router.get("/")
@needs(Action.SEE_WORKLIST)
def worklist_page(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """Who waits, most urgent first."""
    return show(visit, Flash.done(visit.speech, done))


@router.get("/parts/worklist")
@needs(Action.SEE_WORKLIST)
def worklist_part(visit: Visiting) -> HTMLResponse:
    """The same, without the frame."""
    return show(visit, partial=True)


def show(visit: Visit, flash: Flash | None = None, status: int = 200, *, partial: bool = False) -> HTMLResponse:
    """The worklist as a page or as its live part, with a word to the reader on top."""
    number = visit.web.changes.number  # taken before the data: a change in between is then fetched once more
    with visit.read() as asking:
        shown = worklist(asking, visit.speech.now)
        view = {"list": shown, "kept": asking.count_kept(), "number": number}
        template = "parts/worklist.html" if partial else "pages/worklist.html"
        answer = visit.page(template, asking, status, flash=flash, **view)
    if not partial:  # an update shows the same people again
        note_seen(visit, Action.SEE_WORKLIST, [case.patient.id for case in (*shown.waiting, *shown.taken)])
    return answer
