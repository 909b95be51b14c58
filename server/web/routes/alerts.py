"""The two buttons. A click means the alert as it was shown; if it has become another, that is said and nothing done."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from alerts.command import Action as Signal
from alerts.command import IllegalSignal, Outcome
from server.access import Action, needs
from server.actions import ChangedMeanwhileError, Click, act
from server.care.people import NotFoundError
from server.web.asking import Asking
from server.web.flash import Flash
from server.web.routes import patients, worklist
from server.web.visit import Visit, Visiting, own_path

router = APIRouter(include_in_schema=False)
_PATIENTS = "/patients/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the page showed of the alert when the button was pressed."""

    version: int
    state: str
    priority: str


def seen(text: str) -> Seen:
    """The hidden field of the form: version, state and priority, colons between."""
    version, _, rest = text.partition(":")
    state, _, priority = rest.partition(":")
    return Seen(version=int(version) if version.isdigit() else -1, state=state, priority=priority)


@router.post("/alerts/{alert}/acknowledge")
@needs(Action.ACKNOWLEDGE)
def acknowledge(
    visit: Visiting, alert: str, shown: Annotated[str, Form(alias="seen")], back: Annotated[str, Form()] = "/"
) -> Response:
    """Take the alert on: its ladder stops, and a name stands on it."""
    return _click(visit, Click(alert=alert, signal=Signal.ACKNOWLEDGE), seen(shown), back)


@router.post("/alerts/{alert}/resolve")
@needs(Action.RESOLVE)
def resolve(
    visit: Visiting,
    alert: str,
    shown: Annotated[str, Form(alias="seen")],
    outcome: Annotated[Outcome, Form()],
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Close the alert and say what came of it."""
    return _click(visit, Click(alert=alert, signal=Signal.RESOLVE, outcome=outcome), seen(shown), back)


_DONE = {Signal.ACKNOWLEDGE: "acknowledged", Signal.RESOLVE: "resolved"}


def _click(visit: Visit, click: Click, shown: Seen, back: str) -> Response:
    parts = visit.web.parts
    meant = Click(alert=click.alert, signal=click.signal, outcome=click.outcome, version=_version(visit, click, shown))
    try:
        with parts.database.write() as connection:
            act(connection, visit.actor, meant, parts.clock.now())  # not before the lock: others wrote meanwhile
    except (ChangedMeanwhileError, IllegalSignal):
        with visit.read() as asking:
            flash = _who_was_faster(visit, asking, click.alert)
        return _show(visit, back, flash, 409)
    visit.web.changes.nudge()
    parts.wake_watch.ring()  # when to look at the patient again has changed with the click
    parts.wake_notify.ring()
    done = _DONE[click.signal]
    if visit.is_partial:
        return _show(visit, back, Flash.done(visit.speech, done), 200)
    return RedirectResponse(f"{own_path(back)}?done={done}", status_code=303)


def _version(visit: Visit, click: Click, shown: Seen) -> int:
    """The version that the click is about. One more measurement of the same kind does not change what was meant."""
    with visit.read() as asking:
        row = asking.alert(click.alert)
    if row is None:
        raise NotFoundError("no such alert")
    same = (row.state, row.priority) == (shown.state, shown.priority)
    return row.version if same else shown.version


def _who_was_faster(visit: Visit, asking: Asking, alert: str) -> Flash:
    """Who did what to the alert last, in words; without a name when it was no person."""
    last = asking.last_click(alert)
    if last is None:
        return Flash.faster(visit.speech, None, "", "")
    name = asking.names_of_staff().get(last.by, last.by)
    return Flash.faster(visit.speech, name, last.kind, visit.speech.time(last.at))


def _show(visit: Visit, back: str, flash: Flash | None, status: int) -> Response:
    """The page that the button was on, or its live part."""
    where = own_path(back)
    if where.startswith(_PATIENTS):
        return patients.show(visit, where.removeprefix(_PATIENTS), flash, status, partial=visit.is_partial)
    return worklist.show(visit, flash, status, partial=visit.is_partial)
