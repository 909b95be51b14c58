"""A patient's own pages: the day, measuring, answering, what was measured. For somebody close as far as it is shared.

No address names anybody: whose page it is follows from who is logged in.
"""

from typing import Any

import structlog
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from server.access import Action, needs
from server.care.messages import NewMessage
from server.care.messages import write as write_message
from server.care.questions import RED, questions
from server.care.questions import values as values_of
from server.care.reports import Report, report
from server.watch.evaluate import evaluate
from server.web.forms.fields import Form, Typed, sent_to, text_of, token_of
from server.web.forms.measured import enterable, read
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen, note_seen_live
from server.web.gathering.own import Own, day, own, own_courses
from server.web.words.terms import N_

router = APIRouter(include_in_schema=False)
REMARK_MAX = 500
_ANSWERS = {"yes": True, "no": False}
_ANSWER = N_("Choose yes or no.")
_SERIOUS = N_("Received. You answered yes to something serious: do not wait for us, call now.")
_TOO_LONG = N_("This is too long. Write it shorter.")
_OLD_FORM = N_("The form was not complete. Look it over and send it again.")

_log = structlog.get_logger("varde.web")


@router.get("/own")
@needs(Action.SEE_OWN_ZONE)
def own_page(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """How one is, what to do and whom to call now; what to measure today."""
    # Whatever the rules make of it, also in a pause: who has answered so is not to wait for anybody.
    serious = Flash(text=visit.speech(_SERIOUS), colour="warning")
    return _day(visit, serious if done == "serious" else Flash.done(visit.speech, done))


@router.get("/parts/own")
@needs(Action.SEE_OWN_ZONE)
def own_part(visit: Visiting) -> HTMLResponse:
    """The live part of the same."""
    return _day(visit, partial=True)


@router.get("/own/values")
@needs(Action.SEE_OWN_VALUES)
def own_values(visit: Visiting) -> HTMLResponse:
    """What was measured in the last two weeks."""
    with visit.read() as asking:
        whose = own(asking)
        speech = visit.speech.within(whose.timezone)
        courses = own_courses(asking, whose, visit.speech.now)
        answer = visit.page("pages/own_values.html", asking, speech=speech, whose=whose, courses=courses)
    note_seen(visit, Action.SEE_OWN_VALUES, [whose.patient])
    return answer


@router.get("/own/measure")
@needs(Action.REPORT_OWN)
def measure_form(visit: Visiting) -> HTMLResponse:
    """The form for what was measured without a gateway."""
    return _measure(visit, Form.fresh({"when": "now"}))


@router.post("/own/measure")
@needs(Action.REPORT_OWN)
def measure(visit: Visiting, typed: Typed) -> Response:
    """Record it like any other reading, marked as entered by hand, and have it judged at once."""
    whose = _whose(visit)
    now, zone = visit.speech.now, visit.speech.within(whose.timezone).zone
    measured = read(typed, enterable(whose.plan), zone, now)
    token = token_of(typed)
    wrong = dict(measured.wrong) | ({} if token else {"form": _OLD_FORM})
    if wrong or token is None:
        return _measure(visit, Form.again(typed, wrong), 422, asks_twice=measured.is_unlikely)
    new = Report(patient=whose.patient, token=token, taken_at=measured.taken_at, values=measured.values)
    return _send(visit, new, "measured")


@router.get("/own/symptoms")
@needs(Action.REPORT_OWN)
def symptoms_form(visit: Visiting) -> HTMLResponse:
    """The questions about how one is."""
    return _symptoms(visit, Form.fresh())


@router.post("/own/symptoms")
@needs(Action.REPORT_OWN)
def symptoms(visit: Visiting, typed: Typed) -> Response:
    """Record the answers; the zone that they lead to is shown at once."""
    whose = _whose(visit)
    asked = questions(whose.plan)
    answers = {each.key: _ANSWERS[typed[each.key]] for each in asked if typed.get(each.key) in _ANSWERS}
    wrong = {each.key: _ANSWER for each in asked if each.key not in answers}
    may_write = visit.may(Action.WRITE_OWN_MESSAGE)  # not everybody who may answer may write as well
    remark = text_of(typed, "remark", REMARK_MAX) if may_write else ""
    token = token_of(typed)
    if remark is None:
        wrong["remark"] = _TOO_LONG
    if token is None or not asked:
        wrong["form"] = _OLD_FORM
    if wrong or remark is None or token is None:
        return _symptoms(visit, Form.again(typed, wrong), 422)
    values = values_of(asked, answers)
    new = Report(
        patient=whose.patient,
        token=token,
        taken_at=visit.speech.now,
        values=values,
        answers=answers,
    )
    is_serious = any(answers[each.key] for each in asked if each.metric == RED)
    return _send(visit, new, "serious" if is_serious else "answered", remark)


def _send(visit: Visit, new: Report, done: str, remark: str = "") -> Response:
    """Record, then judge: trouble with the rules must not lose what was typed. To the first page then."""
    parts = visit.web.parts
    with parts.database.write() as connection:
        now = parts.clock.now()
        is_new = report(connection, visit.actor, new, now)
        if is_new and remark:
            said = NewMessage(patient=new.patient, text=remark, token=f"{new.token} remark")
            write_message(connection, parts.vault, visit.actor, said, now)
    if not is_new:
        return sent_to("/own", "sent_before")
    try:
        with parts.database.write() as connection:
            evaluate(connection, new.patient, parts.clock.now())
    except Exception:  # noqa: BLE001 - what was typed is kept, and the page says that nobody has judged it
        _log.exception("a patient's own report could not be judged at once")
    parts.wake_watch.ring()
    parts.wake_notify.ring()
    visit.web.changes.nudge()
    return sent_to("/own", done)


def _whose(visit: Visit) -> Own:
    with visit.read() as asking:
        return own(asking)


def _day(visit: Visit, flash: Flash | None = None, *, partial: bool = False) -> HTMLResponse:
    number, now = visit.web.changes.number, visit.speech.now
    with visit.read() as asking:
        whose = own(asking)
        view: dict[str, Any] = {
            "number": number,
            "whose": whose,
            "day": day(asking, whose, now, visit.web.parts.wall.now()),
        }
        template = "parts/own.html" if partial else "pages/own.html"
        speech = visit.speech.within(whose.timezone)
        answer = visit.page(template, asking, speech=speech, flash=flash, here="/own", **view)
    note_seen_live(visit, Action.SEE_OWN_ZONE, whose.patient)
    return answer


def _measure(visit: Visit, form: Form, status: int = 200, *, asks_twice: bool = False) -> HTMLResponse:
    with visit.read() as asking:
        whose = own(asking)
        view: dict[str, Any] = {
            "whose": whose,
            "metrics": enterable(whose.plan),
            "form": form,
            "asks_twice": asks_twice,
        }
        return visit.page("pages/own_measure.html", asking, status, here="/own", **view)


def _symptoms(visit: Visit, form: Form, status: int = 200) -> HTMLResponse:
    with visit.read() as asking:
        whose = own(asking)
        view: dict[str, Any] = {"whose": whose, "questions": questions(whose.plan), "form": form, "longest": REMARK_MAX}
        return visit.page("pages/own_symptoms.html", asking, status, here="/own", **view)
