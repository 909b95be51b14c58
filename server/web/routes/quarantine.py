"""What came and could not be used."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from server.access import Action, allowed, needs
from server.web.frame.visit import Visit, Visiting
from server.web.views import kept

router = APIRouter(include_in_schema=False)


@router.get("/quarantine")
@needs(Action.SEE_QUARANTINE)
def quarantine_page(visit: Visiting) -> HTMLResponse:
    """Messages in quarantine and readings that belong to nobody."""
    return _show(visit, "pages/quarantine.html")


@router.get("/parts/quarantine")
@needs(Action.SEE_QUARANTINE)
def quarantine_part(visit: Visiting) -> HTMLResponse:
    """The live part of the same."""
    return _show(visit, "parts/quarantine.html")


def _show(visit: Visit, template: str) -> HTMLResponse:
    number = visit.web.changes.number
    with visit.read() as asking:
        view: dict[str, Any] = {
            "number": number,
            "messages": [kept.message(row) for row in asking.kept()],
            "unclaimed": kept.unclaimed(asking.unclaimed()) if allowed(asking.actor, Action.SEE_UNCLAIMED) else None,
            "waiting": asking.count_waiting(visit.speech.now),
            "kept_count": asking.count_kept(),
        }
        return visit.page(template, asking, **view)
