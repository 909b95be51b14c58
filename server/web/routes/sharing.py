"""What a patient shares with somebody close: decided by the patient, or noted by staff on the patient's word."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from server.access import Action, needs, scope
from server.care.consents import NEXT_OF_KIN, Wish, holding, share
from server.db import tables
from server.own_rows import Share
from server.web.forms.fields import Typed, sent_to
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen
from server.web.gathering.asking import Asking
from server.web.gathering.own import looks, names_around, own

router = APIRouter(include_in_schema=False)


@router.get("/own/sharing")
@needs(Action.SHARE_OWN)
def own_sharing(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """Who may see what."""
    return _page(visit, "pages/own_sharing.html", Flash.done(visit.speech, done))


@router.post("/own/sharing")
@needs(Action.SHARE_OWN)
def share_own(visit: Visiting, typed: Typed) -> Response:
    """Let this hold from now on."""
    _share(visit, visit.actor.patient or "", typed)
    return sent_to("/own/sharing", "shared")


@router.get("/own/log")
@needs(Action.SEE_OWN_LOG)
def own_log(visit: Visiting) -> HTMLResponse:
    """Who looked at the patient's data, and did what with them."""
    with visit.read() as asking:
        whose = own(asking)
        speech = visit.speech.within(whose.timezone)
        seen = looks(asking, whose, names_around(asking, whose))
        return visit.page("pages/own_log.html", asking, speech=speech, here="/own", whose=whose, looks=seen)


@router.get("/patients/{patient}/sharing")
@needs(Action.SHARE_FOR)
def sharing_of(visit: Visiting, patient: str, done: str | None = None) -> HTMLResponse:
    """What a patient shares, with a form for what the patient says."""
    answer = _page(visit, "pages/patient_sharing.html", Flash.done(visit.speech, done), patient)
    note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer


@router.post("/patients/{patient}/sharing")
@needs(Action.SHARE_FOR)
def share_for(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Note what the patient said."""
    _share(visit, patient, typed)
    return sent_to(f"/patients/{patient}/sharing", "shared")


def _share(visit: Visit, patient: str, typed: Typed) -> None:
    parts = visit.web.parts
    given = frozenset(each for each in Share if typed.get(each.value) == "yes")
    wish = Wish(patient=patient, contact=typed.get("contact", ""), shares=given)
    with parts.database.write() as connection:
        share(connection, visit.actor, wish, parts.clock.now())
    visit.web.changes.nudge()


def _page(visit: Visit, template: str, flash: Flash | None, patient: str | None = None) -> HTMLResponse:
    with visit.read() as asking:
        whose = own(asking, patient)
        view: dict[str, Any] = {"whose": whose, "close": _close(asking, whose.patient), "shares": tuple(Share)}
        speech = visit.speech.within(whose.timezone)
        return visit.page(template, asking, speech=speech, flash=flash, **view)


def _close(asking: Asking, patient: str) -> list[dict[str, Any]]:
    """The patient's next of kin, each with the consent that holds."""
    table = tables.contact
    statement = select(table).where(table.c.patient_id == patient, table.c.kind == NEXT_OF_KIN)
    held = holding(asking.connection, asking.actor, patient)
    rows = asking.connection.execute(scope(statement, table, asking.actor)).all()
    found = [
        {"id": row.id, "name": asking.vault.open(row.name), "relation": row.relation, "consent": held.get(row.id)}
        for row in rows
    ]
    return sorted(found, key=lambda each: str(each["name"]))
