"""How many alerts the team's patients make, and how soon somebody answers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from server.access import Action, needs
from server.reports.load import SPANS, load
from server.web.frame.visit import Visiting, note_seen
from server.web.views.plot import HEIGHT, WIDTH, by_day, by_rule

router = APIRouter(include_in_schema=False)


@router.get("/team/load")
@needs(Action.SEE_LOAD)
def load_page(visit: Visiting, days: Annotated[str, Query(max_length=8)] = "30") -> HTMLResponse:
    """The alert load of the last 7, 30 or 90 days."""
    chosen = next((each for each in SPANS if str(each) == days), 30)
    with visit.read() as asking:
        found = load(asking.connection, visit.actor, chosen, visit.speech.now, visit.speech.zone)
        worst = [each.patient for each in found.worst]
        view: dict[str, Any] = {
            "load": found,
            "spans_of_days": SPANS,
            "bars": by_day(found.by_day),
            "rows": by_rule(found.by_rule),
            "box": (WIDTH, HEIGHT),
            "names": asking.names_of_patients(worst),
        }
        answer = visit.page("pages/load.html", asking, here="/team", **view)
    note_seen(visit, Action.SEE_LOAD, sorted(set(worst)))
    return answer
