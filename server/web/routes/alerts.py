"""The buttons of an alert and its group. A click means what was shown; what has changed is said, and not done."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response

from alerts.command import Action as Signal
from alerts.command import IllegalSignal, Outcome
from server.access import Action, needs
from server.actions import ChangedMeanwhileError, Click, Seen, act_together
from server.care import notes
from server.care.notes import LONGEST, Note
from server.care.people import NotFoundError
from server.web.frame.flash import Flash
from server.web.frame.language import Speech
from server.web.frame.visit import Visit, Visiting, own_address, own_path
from server.web.gathering.asking import Asking
from server.web.routes import patients, worklist
from server.web.routes.worklist import Said

router = APIRouter(include_in_schema=False)
_PATIENTS = "/patients/"
_OUTCOMES = frozenset(each.value for each in Outcome)
_MINUTES = re.compile(r"[0-9]{1,4}", re.ASCII)
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """The hidden fields of every button: what was shown of each alert of the group, and where the button stood."""

    shown: tuple[tuple[str, Seen], ...]  # alert and what was seen of it
    back: str
    at: str = ""  # a time of day that was typed beside it


def pressed(
    alert: str,
    seen: Annotated[str, Form()],
    also: Annotated[list[str] | None, Form()] = None,
    back: Annotated[str, Form()] = "/",
    at: Annotated[str, Form()] = "",
) -> Pressed:
    """The lead by its address, the others of its group by themselves."""
    return Pressed(shown=tuple(_shown(each) for each in (f"{alert}:{seen}", *(also or ()))), back=back, at=at)


def _shown(text: str) -> tuple[str, Seen]:
    """Of the alert, its state, priority and owner, colons between."""
    alert, state, priority, owner = (*text.split(":"), "", "", "")[:4]
    return alert, Seen(state=state, priority=priority, owner=owner or None)


Pressing = Annotated[Pressed, Depends(pressed)]
_DONE = {
    Signal.ACKNOWLEDGE: "acknowledged",
    Signal.TAKE_OVER: "taken_over",
    Signal.RELEASE: "released",
    Signal.DISPATCH: "dispatched",
    Signal.DISPATCH_ACCEPT: "dispatch_accepted",
    Signal.DISPATCH_REFUSE: "dispatch_refused",
}  # those that need no more words


def _plain(signal: Signal) -> Callable[..., Response]:
    @needs(Action(signal.value))
    def press(visit: Visiting, sent: Pressing) -> Response:
        return _click(visit, Click(alert="", signal=signal), sent, _DONE[signal])

    press.__name__ = signal.value
    return press


for _signal in _DONE:
    router.post(f"/alerts/{{alert}}/{_signal.value}")(_plain(_signal))


@router.post("/alerts/{alert}/resolve")
@needs(Action.RESOLVE)
def resolve(visit: Visiting, sent: Pressing, outcome: Annotated[str, Form()] = "") -> Response:
    """Close what is shown as one, and say what came of it."""
    if outcome not in _OUTCOMES:
        return _again(visit, sent, "outcome", "no_outcome")
    return _click(visit, Click(alert="", signal=Signal.RESOLVE, outcome=Outcome(outcome)), sent, "resolved")


@router.post("/alerts/{alert}/snooze")
@needs(Action.SNOOZE)
def snooze(
    visit: Visiting,
    sent: Pressing,
    span: Annotated[str, Form()] = "",
) -> Response:
    """Put off what is shown as one, for so many minutes or until a time of day on the reader's clock."""
    try:
        until = _until(visit.speech, span, sent.at)
    except ValueError:
        return _again(visit, sent, "until", "no_time")
    return _click(visit, Click(alert="", signal=Signal.SNOOZE, until=until), sent, "snoozed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A form that could not be used: nothing of it is lost, and what is wrong stands beside its field.

    `field`: outcome, until or note.
    """

    alert: str
    field: str
    wrong: str
    text: str = ""


@router.post("/alerts/{alert}/note")
@needs(Action.WRITE_NOTE)
def write_note(
    visit: Visiting, alert: str, text: Annotated[str, Form()] = "", back: Annotated[str, Form()] = "/"
) -> Response:
    """Keep a note about the alert's patient."""
    with visit.read() as asking:
        row = asking.alert(alert)
    if row is None:
        raise NotFoundError("no such alert")
    said = text.strip().replace("\x00", "")
    if not 0 < len(said) <= LONGEST:
        wrong = Flash.not_done(visit.speech, "note")
        draft = Draft(alert=alert, field="note", text=text.replace("\x00", ""), wrong=wrong.text)
        return show(visit, back, wrong, 422, draft)
    note = Note(patient=row.patient_id, text=said, alert=alert)
    with visit.web.parts.database.write() as connection:
        notes.write(connection, visit.actor, note, visit.web.parts.clock.now())
    return done_with(visit, back, "noted")


def _until(speech: Speech, span: str, at: str) -> datetime:
    if span != "at":
        if not _MINUTES.fullmatch(span):
            raise ValueError(span)
        return speech.now + timedelta(minutes=int(span))
    if not _TIME.fullmatch(at):
        raise ValueError(at)
    hour, minute = (int(each) for each in at.split(":")[:2])
    here = speech.now.astimezone(speech.zone).replace(tzinfo=None)
    there = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if there <= here:
        there += timedelta(days=1)
    return there.replace(tzinfo=speech.zone)


def _click(visit: Visit, click: Click, sent: Pressed, done: str) -> Response:
    parts = visit.web.parts
    meant = [replace(click, alert=alert, seen=seen) for alert, seen in sent.shown]
    try:
        with parts.database.write() as connection:
            act_together(connection, visit.actor, meant, parts.clock.now())  # not before the lock: others wrote
    except ChangedMeanwhileError as change:
        with visit.read() as asking:
            flash = _who_was_faster(visit, asking, change.alert)
        return show(visit, sent.back, flash, 409)
    except IllegalSignal as refusal:
        if refusal.field:
            return _again(visit, sent, refusal.field, refusal.field)
        with visit.read() as asking:
            flash = _who_was_faster(visit, asking, sent.shown[0][0])
        return show(visit, sent.back, flash, 409)
    return done_with(visit, sent.back, done)


def _again(visit: Visit, sent: Pressed, field: str, what: str) -> Response:
    """The page that the button was on, with what is wrong beside its field."""
    wrong = Flash.not_done(visit.speech, what)
    draft = Draft(alert=sent.shown[0][0], field=field, wrong=wrong.text, text=sent.at)
    return show(visit, sent.back, wrong, 422, draft)


def done_with(visit: Visit, back: str, done: str) -> Response:
    """After a click that was done: wake who must know, and show the page that the button was on."""
    parts = visit.web.parts
    visit.web.changes.nudge()
    parts.wake_watch.ring()  # when to look at the patient again has changed with the click
    parts.wake_notify.ring()
    if visit.is_partial:
        return show(visit, back, Flash.done(visit.speech, done), 200)
    where = own_address(back)
    return RedirectResponse(f"{where}{'&' if '?' in where else '?'}done={done}", status_code=303)


def _who_was_faster(visit: Visit, asking: Asking, alert: str) -> Flash:
    """Who did what to the alert last, in words; without a name when it was no person."""
    last = asking.last_click(alert)
    if last is None:
        return Flash.faster(visit.speech, None, "", "")
    name = asking.names_of_staff().get(last.by, last.by)
    return Flash.faster(visit.speech, name, last.kind, visit.speech.time(last.at))


def show(visit: Visit, back: str, flash: Flash | None, status: int, draft: Draft | None = None) -> Response:
    """The page that the button was on, or its live part."""
    where = own_path(back)
    if where.startswith(_PATIENTS):
        return patients.show(visit, where.removeprefix(_PATIENTS), flash, status, partial=visit.is_partial)
    _, _, query = own_address(back).partition("?")
    said = Said(flash=flash, status=status, draft=draft)
    return worklist.show(visit, query, said, partial=visit.is_partial)
