"""A patient's page and the list of patients. A name is searched for by POST, so that it stands in no address."""

import json
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from server.access import Action, needs
from server.care.people import NotFoundError
from server.reports.proposals import START_UP, proposal
from server.web.frame.flash import Flash
from server.web.frame.handing_over import isbar
from server.web.frame.visit import Visit, Visiting, note_seen, note_seen_live
from server.web.gathering.around import around
from server.web.gathering.asking import Asking
from server.web.gathering.patients import lines, patient_page
from server.web.views.chosen import ZONE_ORDER
from server.web.views.handover import Caller
from server.web.views.patient import Chart, chart_data

router = APIRouter(include_in_schema=False)


@router.get("/patients")
@needs(Action.SEE_PATIENT)
def patients(visit: Visiting) -> HTMLResponse:
    """Everybody who is followed up by the reader's team, most urgent zone first."""
    return _list(visit, "")


@router.post("/patients")
@needs(Action.SEE_PATIENT)
def search(visit: Visiting, name: Annotated[str, Form()] = "") -> HTMLResponse:
    """Those whose name holds every word of what was typed."""
    return _list(visit, name.strip()[:100])


@router.get("/patients/{patient}")
@needs(Action.SEE_PATIENT)
def one_patient(visit: Visiting, patient: str, done: str | None = None) -> HTMLResponse:
    """One patient's page, noted as seen; a patient whom the reader may not know of is not found."""
    return show(visit, patient, Flash.done(visit.speech, done))


@router.get("/parts/patients/{patient}")
@needs(Action.SEE_PATIENT)
def patient_part(visit: Visiting, patient: str) -> HTMLResponse:
    """The live part of the same."""
    return show(visit, patient, partial=True)


@router.get("/patients/{patient}/proposal")
@needs(Action.SEE_PATIENT)
def proposed(visit: Visiting, patient: str) -> HTMLResponse:
    """Individual limits that the start-up period suggests, beside those in force; nothing here applies them."""
    with visit.read() as asking:
        everyone = lines(asking, visit.speech.now, patient)
        if patient not in everyone:
            raise NotFoundError("no such patient")
        found = proposal(asking.connection, visit.actor, patient)
        speech = visit.speech.within(found.plan.timezone) if found else visit.speech
        shown = {"line": everyone[patient], "found": found, "weeks": START_UP.days // 7}
        answer = visit.page("pages/proposal.html", asking, 200, speech=speech, here="/patients", **shown)
    note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer


def show(
    visit: Visit,
    patient: str,
    flash: Flash | None = None,
    status: int = 200,
    *,
    partial: bool = False,
    **more: Mapping[str, str],
) -> HTMLResponse:
    """A patient's page or its live part, noted as seen; `typed`: what stood in its form. Raises `NotFoundError`."""
    number = visit.web.changes.number
    with visit.read() as asking:
        page = patient_page(asking, patient, visit.speech.now)
        if page is None:
            raise NotFoundError("no such patient")
        speech = visit.speech.within(page.timezone)

        def chart_json(chart: Chart) -> str:
            words = {"now": speech("now"), **{each: speech.word("priority", each) for each in ("critical", "high")}}
            return json.dumps(chart_data(chart, words))

        beside = around(asking, patient, visit.speech.now)
        view = {
            "patient": page,
            "number": number,
            "waiting": asking.count_waiting(visit.speech.now),
            "kept": asking.count_kept(),
            "chart_json": chart_json,
            "around": beside,
            "typed": more.get("typed", {}),
            "handover": isbar(visit.web.renderer, speech, page, beside, _caller(visit, asking)),
        }
        template = "parts/patient.html" if partial else "pages/patient.html"
        answer = visit.page(template, asking, status, speech=speech, flash=flash, here="/patients", **view)
    if partial:
        note_seen_live(visit, Action.SEE_PATIENT, patient)
    else:
        note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer


def _caller(visit: Visit, asking: Asking) -> Caller:
    name = asking.names_of_staff().get(visit.actor.id)
    return Caller(name=name, role=visit.actor.role.value, team=asking.frame().team)


def _list(visit: Visit, searched: str) -> HTMLResponse:
    with visit.read() as asking:
        people = list(lines(asking, visit.speech.now).values())
        wanted = searched.casefold().split()
        found = [each for each in people if all(word in each.name.casefold() for word in wanted)]
        found.sort(key=lambda each: (ZONE_ORDER.index(each.zone), each.name))
        answer = visit.page("pages/patients.html", asking, people=found, searched=searched)
    note_seen(visit, Action.SEE_PATIENT, [each.id for each in found])
    return answer
