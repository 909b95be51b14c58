"""The numbers that a team's patients are told to call, inside its hours and outside."""

import re

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from server.access import Action, needs
from server.care.whom_to_call import Numbers, numbers_of, publish
from server.web.forms.fields import Form, Typed, sent_to
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting
from server.web.words.terms import N_

router = APIRouter(include_in_schema=False)
_NUMBER = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
_WRONG = N_("Write a telephone number, from three to fifteen digits, or leave it empty.")
_FIELDS = ("phone", "phone_after_hours")


@router.get("/numbers")
@needs(Action.CHANGE_ROSTER)
def numbers_page(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """The numbers as they are, with a form for others."""
    with visit.read() as asking:
        now = numbers_of(asking.connection, visit.actor)
    values = {"phone": now.phone or "", "phone_after_hours": now.after_hours or ""}
    return _page(visit, Form.fresh(values), Flash.done(visit.speech, done))


@router.post("/numbers")
@needs(Action.CHANGE_ROSTER)
def change_numbers(visit: Visiting, typed: Typed) -> Response:
    """Tell patients these from now on."""
    said = {name: re.sub(r"[ \-]", "", typed.get(name, "")) for name in _FIELDS}
    wrong = {name: _WRONG for name, number in said.items() if number and not _NUMBER.fullmatch(number)}
    if wrong:
        return _page(visit, Form.again(typed, wrong), status=422)
    new = Numbers(phone=said["phone"] or None, after_hours=said["phone_after_hours"] or None)
    with visit.web.parts.database.write() as connection:
        publish(connection, visit.actor, new, visit.web.parts.clock.now())
    visit.web.changes.nudge()
    return sent_to("/numbers", "shared")


def _page(visit: Visit, form: Form, flash: Flash | None = None, status: int = 200) -> HTMLResponse:
    with visit.read() as asking:
        return visit.page("pages/numbers.html", asking, status, flash=flash, here="/team", form=form)
