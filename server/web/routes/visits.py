"""The home visit: enrol, hand out a kit by its sticker, pair, see the first measurement come, tick what was done."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from server.access import Action, needs, scope
from server.care import kit_codes
from server.care.home_visit import (
    BY_HAND,
    NewFollowUp,
    Step,
    Tick,
    begin,
    is_followed_already,
    is_national_id,
    progress,
    tick,
)
from server.care.kit_codes import held_now
from server.care.kits import AssignmentError
from server.care.people import NotFoundError, Person
from server.db import tables
from server.web.forms.fields import Form, Typed, sent_to, text_of
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen, note_seen_live
from server.web.gathering.asking import Asking
from server.web.gathering.own import Own, own, own_courses
from server.web.words.terms import N_

router = APIRouter(include_in_schema=False)
# What may be written into each field, and how much of it; all but the last must be.
_FIELDS = {"name": 120, "national_id": 14, "reference": 64, "purpose": 500, "replaces": 120, "decided_by": 120}
_FREE = {"matters": 500}
_MISSING = N_("Fill this in.")
_TOO_LONG = N_("This is too long. Write it shorter.")
_NO_ID = N_("This is not a national id of eleven digits. Look once more.")
_KNOWN = N_("Somebody with this national id is followed up in the municipality already. Ask a coordinator.")
_NO_TEAM = N_("You belong to no team, so nobody can be enrolled here.")
_NO_KIT = N_("There is no kit with this code. Look at the sticker once more.")
_TAKEN = N_("Somebody has a device of this kit. Whoever has it must give it back first.")
_WHO = N_("Choose who is to have it.")


@router.get("/visits/new")
@needs(Action.VISIT_HOME)
def new_form(visit: Visiting) -> HTMLResponse:
    """The form for somebody who is to be followed up."""
    return _new(visit, Form.fresh())


@router.post("/visits/new")
@needs(Action.VISIT_HOME)
def enrol(visit: Visiting, typed: Typed) -> Response:
    """Enrol them with the decision, and go to the visit's page."""
    texts = {name: text_of(typed, name, longest) for name, longest in (_FIELDS | _FREE).items()}
    wrong = {name: _TOO_LONG for name, text in texts.items() if text is None}
    wrong |= {name: _MISSING for name in _FIELDS if texts[name] == ""}
    national_id = (texts["national_id"] or "").replace(" ", "")
    if "national_id" not in wrong and not is_national_id(national_id):
        wrong["national_id"] = _NO_ID
    actor, parts = visit.actor, visit.web.parts
    if actor.team is None or actor.municipality is None:
        wrong["form"] = _NO_TEAM
    said = {name: text for name, text in texts.items() if text is not None}
    if wrong or actor.municipality is None:
        return _new(visit, Form.again(typed, wrong), 422)
    new = NewFollowUp(
        person=Person(name=said["name"], national_id=national_id),
        reference=said["reference"],
        purpose=said["purpose"],
        replaces=said["replaces"],
        decided_by=said["decided_by"],
        matters=said["matters"] or None,
    )
    with parts.database.write() as connection:
        if is_followed_already(connection, parts.vault, actor.municipality, national_id):
            return _new(visit, Form.again(typed, {"national_id": _KNOWN}), 422)
        patient = begin(connection, parts.vault, actor, new, parts.clock.now())
    visit.web.changes.nudge()
    return sent_to(f"/patients/{patient}/visit", "enrolled")


@router.get("/patients/{patient}/visit")
@needs(Action.VISIT_HOME)
def visit_page(visit: Visiting, patient: str, done: str | None = None) -> HTMLResponse:
    """What is done and what is left; it follows what arrives from the home."""
    return show(visit, patient, Flash.done(visit.speech, done))


@router.get("/parts/patients/{patient}/visit")
@needs(Action.VISIT_HOME)
def visit_part(visit: Visiting, patient: str) -> HTMLResponse:
    """The live part of the same."""
    return show(visit, patient, partial=True)


@router.post("/patients/{patient}/visit")
@needs(Action.VISIT_HOME)
def tick_step(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Note that a step is done, or that it is not."""
    step = typed.get("step", "")
    if step not in {each.value for each in BY_HAND}:
        raise NotFoundError("no such step")
    said = Tick(patient=patient, step=Step(step), done=typed.get("done") == "yes")
    with visit.web.parts.database.write() as connection:
        tick(connection, visit.actor, said, visit.web.parts.clock.now())
    visit.web.changes.nudge()
    return sent_to(f"/patients/{patient}/visit", "step_noted")


@router.post("/patients/{patient}/kit")
@needs(Action.VISIT_HOME)
def hand_out(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Give the patient the kit with the code that was typed."""
    wrong = _hand_out(visit, typed.get("code", ""), patient)
    if wrong:
        return show(visit, patient, form=Form.again(typed, {"code": wrong}))
    return sent_to(f"/patients/{patient}/visit", "kit_handed_out")


@router.post("/patients/{patient}/kit/back")
@needs(Action.VISIT_HOME)
def take_back(visit: Visiting, patient: str, typed: Typed) -> Response:
    """The kit is not the patient's any more."""
    parts = visit.web.parts
    try:
        with parts.database.write() as connection:
            kit = kit_codes.find(connection, visit.actor, typed.get("code", ""))
            kit_codes.take_back(connection, visit.actor, kit, patient, parts.clock.now())
    except AssignmentError:
        raise NotFoundError("no such kit") from None
    visit.web.changes.nudge()
    return sent_to(f"/patients/{patient}/visit", "kit_taken_back")


@router.get("/k/{code}")
@needs(Action.VISIT_HOME)
def scanned(visit: Visiting, code: str) -> HTMLResponse:
    """Where a sticker leads: the kit, and who is to have it."""
    return _scanned(visit, code, Form.fresh())


@router.post("/k/{code}")
@needs(Action.VISIT_HOME)
def give_scanned(visit: Visiting, code: str, typed: Typed) -> Response:
    """Give the kit to the patient who was chosen."""
    patient = typed.get("patient", "")
    wrong = _hand_out(visit, code, patient) if patient else _WHO
    if wrong:
        return _scanned(visit, code, Form.again(typed, {"patient": wrong}), 422)
    return sent_to(f"/patients/{patient}/visit", "kit_handed_out")


def show(
    visit: Visit,
    patient: str,
    flash: Flash | None = None,
    *,
    partial: bool = False,
    form: Form | None = None,
) -> HTMLResponse:
    """The visit's page or its live part, noted as seen; raises `NotFoundError`."""
    number = visit.web.changes.number
    is_wrong = bool(form and form.wrong) or (flash is not None and flash.colour == "warning")
    with visit.read() as asking:
        whose = own(asking, patient)
        view = _view(asking, whose, visit) | {"form": form or Form.fresh(), "number": number}
        template = "parts/visit.html" if partial else "pages/visit.html"
        speech = visit.speech.within(whose.timezone)
        status = 422 if is_wrong else 200
        answer = visit.page(template, asking, status, speech=speech, flash=flash, here="/patients", **view)
    if partial:
        note_seen_live(visit, Action.SEE_PATIENT, patient)
    else:
        note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer


def _view(asking: Asking, whose: Own, visit: Visit) -> dict[str, Any]:
    now = visit.speech.now
    held = held_now(asking.connection, visit.actor, whose.patient, now)
    own_devices = {row.device_id for row in held}
    kits = kit_codes.all_kits(asking.connection, visit.actor)
    return {
        "whose": whose,
        "steps": tuple(Step),
        "by_hand": BY_HAND,
        "done": progress(asking.connection, visit.actor, whose.patient),
        "staff": asking.names_of_staff(),
        "held": held,
        "kits": [kit for kit in kits if own_devices & {each.id for each in kit.devices}],
        "newest": [course for course in own_courses(asking, whose, now) if course.rows],
    }


def _new(visit: Visit, form: Form, status: int = 200) -> HTMLResponse:
    with visit.read() as asking:
        longest = _FIELDS | _FREE
        return visit.page("pages/visit_new.html", asking, status, here="/patients", form=form, longest=longest)


def _hand_out(visit: Visit, code: str, patient: str) -> str | None:
    """Hand the kit out; why that cannot be, in words for the field."""
    parts = visit.web.parts
    try:
        with parts.database.write() as connection:
            kit = kit_codes.find(connection, visit.actor, code)
            kit_codes.hand_out(connection, visit.actor, kit, patient, parts.clock.now())
    except AssignmentError:
        return _TAKEN
    except NotFoundError as error:
        if "kit" in str(error):
            return _NO_KIT
        raise
    visit.web.changes.nudge()
    return None


def _scanned(visit: Visit, code: str, form: Form, status: int = 200) -> HTMLResponse:
    with visit.read() as asking:
        kit = kit_codes.find(asking.connection, visit.actor, code)
        names = _without_kit(asking)
        view: dict[str, Any] = {"kit": kit, "patients": names, "form": form}
        answer = visit.page("pages/kit_scanned.html", asking, status, here="/kits", **view)
    note_seen(visit, Action.SEE_PATIENT, [patient for patient, _ in names])
    return answer


def _without_kit(asking: Asking) -> list[tuple[str, str]]:
    """Patients who are followed up and have no device: whom a kit may be for."""
    enrolment, held = tables.enrolment, tables.assignment
    statement = select(enrolment.c.patient_id).where(
        enrolment.c.state != "ended",
        enrolment.c.patient_id.not_in(select(held.c.patient_id).where(held.c.ends_at.is_(None))),
    )
    found = list(asking.connection.execute(scope(statement, enrolment, asking.actor)).scalars())
    return sorted(asking.names_of_patients(found).items(), key=lambda each: each[1])
