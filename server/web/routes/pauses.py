"""Pauses on their page: in hospital or away, from when to when, and the end of one."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from server.access import Action, needs
from server.care import pauses
from server.care.pauses import PauseError, Reason, Rest
from server.web.forms.dates import moment_of
from server.web.forms.fields import Typed, text_of
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen
from server.web.gathering.plans import who
from server.web.views.problem import Problem
from server.web.words.terms import N_

router = APIRouter(include_in_schema=False)
_REMARK_MAX = 300
_NO_TIME = N_("Write a date and a time.")
_NO_REASON = N_("Choose why.")
_TOO_LONG = N_("Too long: at most %(most)s characters.")
_PROBLEMS: Mapping[str, Mapping[str, str]] = {
    "starts_at": {
        "must": N_("A pause can begin at most 14 days ago and within a year."),
        "there": N_("There is a pause at that time already."),
    },
    "ends_at": {
        "must": N_("The pause must end after it begins, within a year."),
        "is": N_("The end has passed already: the pause would be over."),
    },
}


@router.get("/patients/{patient}/pauses")
@needs(Action.PAUSE)
def pauses_page(visit: Visiting, patient: str, done: str | None = None) -> HTMLResponse:
    """The patient's pauses and a form for another one."""
    now = visit.speech.now
    with visit.read() as asking:
        _, timezone = who(asking, patient, now)
    begin = visit.speech.within(timezone).now.astimezone(visit.speech.within(timezone).zone)
    return _show(visit, patient, ({"starts_at": f"{begin:%Y-%m-%dT%H:%M}"}, {}), Flash.done(visit.speech, done))


@router.post("/patients/{patient}/pauses")
@needs(Action.PAUSE)
def pause(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Let the plan rest."""
    with visit.read() as asking:
        _, timezone = who(asking, patient, visit.speech.now)
    zone = visit.speech.within(timezone).zone
    problems: dict[str, Problem] = {}
    starts_at = moment_of(typed.get("starts_at", ""), zone)
    ends_at = moment_of(typed.get("ends_at", ""), zone) if typed.get("ends_at") else None
    if starts_at is None:
        problems["starts_at"] = Problem(text=_NO_TIME)
    if typed.get("ends_at") and ends_at is None:
        problems["ends_at"] = Problem(text=_NO_TIME)
    if typed.get("reason") not in tuple(Reason):
        problems["reason"] = Problem(text=_NO_REASON)
    remark = text_of(typed, "remark", _REMARK_MAX)
    if remark is None:
        problems["remark"] = Problem(text=_TOO_LONG, values={"most": _REMARK_MAX})
    if problems or starts_at is None:
        return _show(visit, patient, (typed, problems), status=422)
    rest = Rest(
        patient=patient, starts_at=starts_at, ends_at=ends_at, reason=Reason(typed["reason"]), remark=remark or None
    )
    try:
        with visit.web.parts.database.write() as connection:
            pauses.pause(connection, visit.actor, rest, visit.web.parts.clock.now())
    except PauseError as refusal:
        words = _PROBLEMS[refusal.field]
        text = words.get(refusal.reason.split()[0], next(iter(words.values())))
        return _show(visit, patient, (typed, {refusal.field: Problem(text=text)}), status=422)
    return _done(visit, patient, "paused")


@router.post("/patients/{patient}/pauses/{identity}/end")
@needs(Action.PAUSE)
def end(visit: Visiting, patient: str, identity: str) -> Response:
    """The pause is over now."""
    try:
        with visit.web.parts.database.write() as connection:
            pauses.end(connection, visit.actor, identity, visit.web.parts.clock.now())
    except PauseError:
        return _show(visit, patient, ({}, {}), Flash.not_done(visit.speech, "plan_decided"), 422)
    return _done(visit, patient, "resumed")


def _done(visit: Visit, patient: str, done: str) -> Response:
    visit.web.changes.nudge()
    visit.web.parts.wake_watch.ring()
    return RedirectResponse(f"/patients/{patient}/pauses?done={done}", status_code=303)


def _show(
    visit: Visit,
    patient: str,
    form: tuple[Mapping[str, str], Mapping[str, Problem]],
    flash: Flash | None = None,
    status: int = 200,
) -> HTMLResponse:
    """`form`: what stands in its fields, and what is wrong with them."""
    typed, problems = form
    with visit.read() as asking:
        line, timezone = who(asking, patient, visit.speech.now)
        view: dict[str, Any] = {
            "line": line,
            "pauses": pauses.of(asking.connection, asking.actor, patient),
            "staff": asking.names_of_staff(),
            "typed": typed,
            "problems": problems,
            "reasons": tuple(Reason),
        }
        speech = visit.speech.within(timezone)
        answer = visit.page("pages/pauses.html", asking, status, speech=speech, flash=flash, here="/patients", **view)
    note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer
