"""The rulebooks and the municipality's sign-off of each, by name and date; and what a team means to handle in a day."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select

from alerts import rulebook
from alerts.rulebook import Rulebook
from server import audit
from server.access import Action, needs, scope
from server.care import approval, budget
from server.care.approval import ApprovalError, digest
from server.db import tables
from server.web.forms.fields import Typed
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting
from server.web.gathering.asking import Asking
from server.web.gathering.plans import book_of
from server.web.views.patient import BookLimit, limits_of_rules
from server.web.views.problem import Problem
from server.web.words.terms import N_

router = APIRouter(include_in_schema=False)
_HERE = "/rulebooks"
_UNREAD = N_("Tick that you have read the limits and answer for them.")
_CHANGED = N_("The rulebook is not what you were shown. Read it again.")
_BUDGET = N_("Write a whole number from 1 to %(most)s.")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A rulebook with its sign-off. `is_other`: an earlier version or content was signed, not this."""

    book: Rulebook
    digest: str
    limits: tuple[tuple[str, tuple[BookLimit, ...]], ...]  # rule -> its limits, the mildest first
    signed_by: str | None
    signed_at: datetime | None
    is_other: bool


@router.get("/rulebooks")
@needs(Action.SIGN_RULEBOOK)
def rulebooks(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """Every rulebook, what it says and who has signed it; and the alert budget of each team."""
    return _show(visit, Flash.done(visit.speech, done))


@router.post("/rulebooks/{name}/sign")
@needs(Action.SIGN_RULEBOOK)
def sign(visit: Visiting, name: str, typed: Typed) -> Response:
    """Sign this rulebook as it was shown."""
    book = book_of(name)
    if typed.get("read") != "yes":
        return _show(visit, None, 422, {f"read-{name}": Problem(text=_UNREAD)})
    if typed.get("digest") != digest(book):
        return _show(visit, None, 422, {f"read-{name}": Problem(text=_CHANGED)})
    now = visit.web.parts.clock.now()
    try:
        with visit.web.parts.database.write() as connection:
            approval.sign_off(connection, visit.actor.municipality or "", book, visit.actor.id, now)
            entry = audit.Entry(action=Action.SIGN_RULEBOOK, subject=f"{book.name} {book.version}")
            audit.write(connection, visit.actor, entry, now)
    except ApprovalError:
        return _show(visit, Flash.not_done(visit.speech, "plan_approved_by"), 422)
    return RedirectResponse(f"{_HERE}?done=signed", status_code=303)


@router.post("/teams/{team}/alert-budget")
@needs(Action.SIGN_RULEBOOK)
def set_budget(visit: Visiting, team: str, typed: Typed) -> Response:
    """How many alerts one nurse of the team should have to handle in a day at most."""
    written = typed.get("alerts", "").strip()
    number = int(written) if written.isascii() and written.isdigit() and len(written) < 5 else 0
    try:
        with visit.web.parts.database.write() as connection:
            budget.set_to(connection, visit.actor, team, number, visit.web.parts.clock.now())
    except ValueError:
        problem = Problem(text=_BUDGET, values={"most": budget.MOST})
        return _show(visit, None, 422, {f"alerts-{team}": problem}, {f"alerts-{team}": written})
    return RedirectResponse(f"{_HERE}?done=budget_set", status_code=303)


def _show(
    visit: Visit,
    flash: Flash | None,
    status: int = 200,
    problems: dict[str, Problem] | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    with visit.read() as asking:
        team = tables.team
        names = {row.id: row.name for row in asking.connection.execute(scope(select(team), team, asking.actor))}
        budgets = budget.of_teams(asking.connection, asking.actor)
        filled = {f"alerts-{each}": str(alerts) for each, alerts in budgets.items()}
        view: dict[str, Any] = {
            "books": [_shown(asking, name) for name in rulebook.shipped()],
            "teams": sorted(names.items(), key=lambda each: each[1]),
            "typed": filled | (typed or {}),
            "problems": problems or {},
        }
        return visit.page("pages/rulebooks.html", asking, status, flash=flash, here="/plans", **view)


def _shown(asking: Asking, name: str) -> Shown:
    book = book_of(name)
    own = digest(book)
    signed = [row for row in approval.sign_offs(asking.connection, asking.actor) if row.rulebook == name]
    same = next((row for row in signed if row.digest == own), None)
    return Shown(
        book=book,
        digest=own,
        limits=limits_of_rules(book.rules),
        signed_by=asking.names_of_staff().get(same.signed_by, "–") if same else None,
        signed_at=same.signed_at if same else None,
        is_other=bool(signed) and same is None,
    )
