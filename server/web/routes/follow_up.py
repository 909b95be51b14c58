"""Why a patient is followed up and whom to call: the decision, the contacts, and the end of the follow-up."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from server.access import Action, needs
from server.care import enrolment
from server.care.enrolment import NEXT_OF_KIN, PRIMARY, Contact, Decision, EnrolmentError
from server.web.forms.dates import day_of
from server.web.forms.fields import Typed, text_of
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen
from server.web.gathering.asking import Asking
from server.web.gathering.plans import who
from server.web.views.problem import Problem
from server.web.words.terms import N_

router = APIRouter(include_in_schema=False)
KIN_MOST = 4
_SHORT, _LONG = 60, 500
_PHONE = re.compile(r"\+?[0-9 ]{3,20}")
_NEEDED = N_("This must be filled in.")
_TOO_LONG = N_("Too long: at most %(most)s characters.")
_NO_DATE = N_("Write a date.")
_AFTER = N_("Must be after the first day.")
_NO_PHONE = N_("Write a telephone number: digits and spaces.")
_NO_NAME = N_("Whose number is it? Write the name.")
_OPEN_ALERTS = N_("There are open alerts. Close them first.")
_SAY_WHY = N_("Say why it ends.")
_SHARED = N_("Something has been shared with this contact. Withdraw that, and keep the name.")


@router.get("/patients/{patient}/follow-up")
@needs(Action.CHANGE_PATIENT)
def follow_up(visit: Visiting, patient: str, done: str | None = None) -> HTMLResponse:
    """The forms with what is known."""
    return _show(visit, patient, None, {}, Flash.done(visit.speech, done))


@router.post("/patients/{patient}/follow-up/decision")
@needs(Action.CHANGE_PATIENT)
def decide(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Another decision from now on."""
    zone, problems = _zone(visit, patient), dict[str, Problem]()
    said = {name: _text(typed, name, most, problems) for name, most in _OF_DECISION.items()}
    for name in ("reference", "purpose", "decided_by"):
        if not said[name] and name not in problems:
            problems[name] = Problem(text=_NEEDED)
    days: dict[str, datetime | None] = {}
    for name, ends in (("starts_at", False), ("ends_at", True), ("start_up_until", True)):
        days[name] = day_of(typed.get(name, ""), zone, ends=ends) if typed.get(name) else None
        if days[name] is None and (typed.get(name) or name == "starts_at"):
            problems[name] = Problem(text=_NO_DATE)
    if problems or (starts_at := days.pop("starts_at")) is None:
        return _show(visit, patient, typed, problems, status=422)
    decision = Decision(
        reference=said["reference"],
        purpose=said["purpose"],
        replaces=said["replaces"],
        decided_by=said["decided_by"],
        starts_at=starts_at,
        ends_at=days["ends_at"],
        start_up_until=days["start_up_until"],
    )
    try:
        with visit.web.parts.database.write() as connection:
            vault, now = visit.web.parts.vault, visit.web.parts.clock.now()
            enrolment.record_decision(connection, vault, visit.actor, (patient, decision), now)
    except EnrolmentError as refusal:
        return _show(visit, patient, typed, {refusal.field: Problem(text=_AFTER)}, status=422)
    return RedirectResponse(f"/patients/{patient}/follow-up?done=follow_up_saved", status_code=303)


@router.post("/patients/{patient}/follow-up/contacts")
@needs(Action.CHANGE_PATIENT)
def keep_contacts(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Whom to call from now on."""
    problems: dict[str, Problem] = {}
    contacts: list[Contact] = []
    for place in range(KIN_MOST + 1):
        parts = {name: _text(typed, f"{name}.{place}", _SHORT, problems) for name in ("name", "phone", "relation")}
        if parts["phone"] and not _PHONE.fullmatch(parts["phone"]):
            problems[f"phone.{place}"] = Problem(text=_NO_PHONE)
        if not parts["name"] and (parts["phone"] or parts["relation"]):
            problems[f"name.{place}"] = Problem(text=_NO_NAME)
        kind = PRIMARY if place == 0 else NEXT_OF_KIN
        known = typed.get(f"id.{place}") or None
        contacts.append(Contact(id=known, kind=kind, **parts))
    if problems:
        return _show(visit, patient, typed, problems, status=422)
    try:
        with visit.web.parts.database.write() as connection:
            vault, now = visit.web.parts.vault, visit.web.parts.clock.now()
            enrolment.save_contacts(connection, vault, visit.actor, (patient, contacts), now)
    except EnrolmentError:
        empty = next(at for at, each in enumerate(contacts) if each.id and not each.name)
        return _show(visit, patient, typed, {f"name.{empty}": Problem(text=_SHARED)}, status=422)
    return RedirectResponse(f"/patients/{patient}/follow-up?done=follow_up_saved", status_code=303)


@router.post("/patients/{patient}/follow-up/end")
@needs(Action.CHANGE_PATIENT)
def end(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Nobody follows the patient up from now on."""
    said = text_of(typed, "said", _LONG)
    try:
        with visit.web.parts.database.write() as connection:
            enrolment.end(connection, visit.actor, patient, said or "", visit.web.parts.clock.now())
    except EnrolmentError as refusal:
        text = _SAY_WHY if refusal.field == "said" else _OPEN_ALERTS
        return _show(visit, patient, typed, {"said": Problem(text=text)}, status=422)
    visit.web.changes.nudge()
    return RedirectResponse("/patients", status_code=303)


_OF_DECISION = {"reference": _SHORT, "purpose": _LONG, "replaces": _LONG, "decided_by": _SHORT}


def _text(typed: Mapping[str, str], name: str, most: int, problems: dict[str, Problem]) -> str:
    text = text_of(typed, name, most)
    if text is None:
        problems[name] = Problem(text=_TOO_LONG, values={"most": most})
    return text or ""


def _places(values: Mapping[str, str]) -> int:
    """How many contacts the form has room for: those that are known, and one more."""
    used = [place for place in range(KIN_MOST + 1) if values.get(f"name.{place}") or values.get(f"id.{place}")]
    return min(KIN_MOST + 1, max(used, default=0) + 2)


def _zone(visit: Visit, patient: str) -> ZoneInfo:
    with visit.read() as asking:
        return ZoneInfo(who(asking, patient, visit.speech.now)[1])


def _known(asking: Asking, patient: str, zone: ZoneInfo) -> dict[str, str]:
    """Field -> what stands in it before anybody typed."""
    actor, vault = asking.actor, asking.vault
    known: dict[str, str] = {}
    if (decision := enrolment.decision_of(asking.connection, vault, actor, patient)) is not None:
        known |= {name: getattr(decision, name) for name in _OF_DECISION}
        known["starts_at"] = decision.starts_at.astimezone(zone).date().isoformat()
        for name in ("ends_at", "start_up_until"):
            if (at := getattr(decision, name)) is not None:
                known[name] = (at.astimezone(zone) - timedelta(hours=1)).date().isoformat()
    contacts = enrolment.contacts_of(asking.connection, vault, actor, patient)
    kin = [each for each in contacts if each.kind == NEXT_OF_KIN][:KIN_MOST]
    primary = next((each for each in contacts if each.kind == PRIMARY), None)
    for place, each in enumerate([primary, *kin]):
        if each is not None:
            known |= {f"id.{place}": each.id or "", f"name.{place}": each.name}
            known |= {f"phone.{place}": each.phone or "", f"relation.{place}": each.relation or ""}
    return known


def _show(
    visit: Visit,
    patient: str,
    typed: Mapping[str, str] | None,
    problems: Mapping[str, Problem],
    flash: Flash | None = None,
    **more: int,
) -> HTMLResponse:
    with visit.read() as asking:
        line, timezone = who(asking, patient, visit.speech.now)
        known = _known(asking, patient, ZoneInfo(timezone))
        view: dict[str, Any] = {
            "line": line,
            "typed": known | dict(typed or {}),
            "problems": problems,
            "places": range(_places({**known, **(typed or {})})),
        }
        speech, status = visit.speech.within(timezone), more.get("status", 200)
        answer = visit.page(
            "pages/follow_up.html", asking, status, speech=speech, flash=flash, here="/patients", **view
        )
    note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer
