"""What a script can ask about one patient: the hand-over text of an urgent alert, and a proposal of limits."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header
from fastapi.responses import PlainTextResponse, Response

from server import audit
from server.access import Action, needs
from server.care.people import NotFoundError
from server.reports.proposals import proposal, to_mapping
from server.web.api.calling import Calling
from server.web.api.lists import as_json
from server.web.api.problems import RESPONSES
from server.web.frame.handing_over import isbar
from server.web.frame.language import Speech, choose
from server.web.frame.rendering import Renderer
from server.web.frame.visit import HOME_ZONE
from server.web.gathering.around import around
from server.web.gathering.asking import Asking
from server.web.gathering.patients import patient_page
from server.web.views.handover import Caller

router = APIRouter(responses=RESPONSES)
AcceptLanguage = Annotated[str | None, Header(description="nb, nn or en; else nb.")]


@router.get(
    "/patients/{patient}/handover",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {}}, "description": "The text, in the language asked for."}},
)
@needs(Action.SEE_PATIENT)
def handover(by: Calling, patient: str, accept_language: AcceptLanguage = None) -> Response:
    """The ISBAR text of a patient with a high or critical alert; 404 where there is none. Noted as seen."""
    renderer: Renderer = by.request.app.state.renderer
    with by.parts.database.write() as connection:
        asking = Asking(connection, by.parts.vault, by.actor)
        page = patient_page(asking, patient, by.now)
        if page is None:
            raise NotFoundError("no such patient")
        language = choose(None, accept_language)
        speech = Speech(language=language, zone=ZoneInfo(HOME_ZONE), now=by.now)
        text = isbar(renderer, speech, page, around(asking, patient, by.now), Caller())
        if text is None:
            raise NotFoundError("no open alert of this patient is high or critical")
        seen = audit.Entry(action=Action.SEE_PATIENT, patient=patient, subject="handover")
        audit.write_seen(connection, by.actor, seen, by.now)
    return PlainTextResponse(text, headers={"Content-Language": language, "Cache-Control": "no-store"})


@router.get("/patients/{patient}/proposal")
@needs(Action.SEE_READINGS)
def proposed(by: Calling, patient: str) -> Response:
    """Individual limits that the start-up period suggests, and why; nothing of it is applied. Noted as seen."""
    with by.parts.database.write() as connection:
        found = proposal(connection, by.actor, patient)
        if found is None:
            raise NotFoundError("no plan of this patient is active")
        seen = audit.Entry(action=Action.SEE_READINGS, patient=patient, subject="proposal")
        audit.write_seen(connection, by.actor, seen, by.now)
    return as_json(by.request, to_mapping(found))
