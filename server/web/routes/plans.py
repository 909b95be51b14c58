"""A patient's plan: what is in force and how it came to be, the editor with its back-test, the second person's yes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from alerts.plan import Outside, Plan
from alerts.proposal import limits_of
from alerts.rulebook import shipped
from server.access import Action, needs
from server.care import plans, proposing
from server.care.approval import ApprovalError
from server.care.proposing import Judgement, ProposalError, Verdict, Wish
from server.reports import inputs
from server.reports.proposals import proposal
from server.reports.tryout import tryout
from server.web.forms.fields import Typed, text_of
from server.web.forms.plan import Editor, editor, filled, limit_field, read
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting, note_seen
from server.web.gathering.asking import Asking
from server.web.gathering.plans import above_budget, book_of, first_draft, hours_of, plan_page, who
from server.web.views.plan import differences, picture
from server.web.views.problem import Problem
from server.web.words.terms import N_

router = APIRouter(include_in_schema=False)
_SAID_MAX = 500
_TOO_LONG = N_("Too long: at most %(most)s characters.")
_OVER_BUDGET = N_("Above the team's alert budget: say why this patient needs it.")


@router.get("/plans")
@needs(Action.CHANGE_PLAN)
def waiting(visit: Visiting) -> HTMLResponse:
    """The proposals that wait for a second person."""
    with visit.read() as asking:
        rows = proposing.all_waiting(asking.connection, visit.actor)
        patients = [row.patient_id for row in rows]
        view: dict[str, Any] = {
            "rows": rows,
            "names": asking.names_of_patients(patients),
            "staff": asking.names_of_staff(),
        }
        answer = visit.page("pages/plans.html", asking, **view)
    note_seen(visit, Action.SEE_PATIENT, patients)
    return answer


@router.get("/patients/{patient}/plan")
@needs(Action.SEE_PATIENT)
def one_plan(visit: Visiting, patient: str, done: str | None = None) -> HTMLResponse:
    """The plan in force, the proposal that waits, what came of the last change, and who did what."""
    return _show(visit, patient, Flash.done(visit.speech, done))


@router.get("/patients/{patient}/plan/edit")
@needs(Action.CHANGE_PLAN)
def edit(
    visit: Visiting,
    patient: str,
    begin: Annotated[str, Query(max_length=16)] = "",
    rulebook: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    """The editor; `begin=start-up`: with what the start-up period suggests. A first plan needs a rulebook."""
    with visit.read() as asking:
        edited = _edited(asking, patient, rulebook, visit.speech.now)
        if edited is None:
            return _choose_rulebook(visit, asking, patient)
        limits = None
        if begin == "start-up" and (found := proposal(asking.connection, visit.actor, patient)) is not None:
            limits = limits_of(found.plan, found.rules)
        answer = _editor(visit, asking, edited, _Filled(typed=filled(edited.shown, limits)))
    note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer


@router.post("/patients/{patient}/plan/edit")
@needs(Action.CHANGE_PLAN)
def try_or_propose(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Try what was typed on the last 30 days; with `do=propose` also keep it for a second person to decide on."""
    now = visit.speech.now
    with visit.read() as asking:
        edited = _edited(asking, patient, typed.get("rulebook", ""), now)
        if edited is None:
            return _choose_rulebook(visit, asking, patient)
        got = read(edited.shown, typed)
        filling = _Filled(typed={**filled(edited.shown), **typed}, problems=dict(got.problems))
        if got.plan is None:
            return _editor(visit, asking, edited, filling, 422)
        report = _report(asking, edited, got.plan, now)
        budget = above_budget(asking, patient, report)
        filling = replace(filling, report=report, budget=budget)
        changes = differences(edited.in_force, got.plan, (edited.shown.texts, got.texts))
        if typed.get("do") != "propose" or not changes:
            return _editor(visit, asking, edited, replace(filling, unchanged=not changes))
        reason = text_of(typed, "reason", _SAID_MAX)
        if reason is None or (budget is not None and not reason):
            wrong = Problem(text=_OVER_BUDGET) if reason is not None else Problem(text=_TOO_LONG, values=_MOST)
            return _editor(visit, asking, edited, filling.wrong("reason", wrong), 422)
    wish = Wish(
        patient=patient,
        plan=got.plan,
        base_version=edited.base_version,
        texts=got.texts,
        report=report,
        above_budget=budget is not None,
        reason=reason or None,
    )
    return _do(visit, patient, "proposed", lambda connection: proposing.propose(connection, visit.actor, wish, now))


@router.post("/patients/{patient}/plan/proposals/{proposal_id}/approve")
@needs(Action.APPROVE_PLAN)
def approve(visit: Visiting, patient: str, proposal_id: str, typed: Typed) -> Response:
    """The second person's yes, and what happens outside service hours."""
    outside = Outside(typed["outside"]) if typed.get("outside") in tuple(Outside) else None
    with visit.read() as asking:
        page = plan_page(asking, patient, visit.speech.now)
        book = book_of(page.proposed.plan.rulebook if page.proposed else page.plan.rulebook if page.plan else "")
    verdict = Verdict(proposal=proposal_id, book=book, outside=outside)
    now = visit.web.parts.clock.now()
    return _do(visit, patient, "approved", lambda connection: proposing.approve(connection, visit.actor, verdict, now))


@router.post("/patients/{patient}/plan/proposals/{proposal_id}/return")
@needs(Action.CHANGE_PLAN)
def give_back(visit: Visiting, patient: str, proposal_id: str, typed: Typed) -> Response:
    """The proposal is given back, with the reason."""
    said, now = text_of(typed, "said", _SAID_MAX), visit.web.parts.clock.now()
    if said is None:
        return _too_long(visit, patient, typed, "said")
    return _do(
        visit,
        patient,
        "returned",
        lambda connection: proposing.give_back(connection, visit.actor, proposal_id, said, now),
        typed,
    )


@router.post("/patients/{patient}/plan/changes/{version}")
@needs(Action.APPROVE_PLAN)
def keep_or_roll_back(visit: Visiting, patient: str, version: int, typed: Typed) -> Response:
    """What becomes of a change that was measured."""
    now, said = visit.web.parts.clock.now(), text_of(typed, "reason", _SAID_MAX)
    if said is None:
        return _too_long(visit, patient, typed, "reason")
    with visit.read() as asking:
        page = plan_page(asking, patient, now)
    found = page.measured
    counts = (sum(found.effect.before.values()), sum(found.effect.after.values())) if found else (0, 0)
    days = found.effect.days if found else 0
    judged = Judgement(
        patient=patient, version=version, effect=f"{counts[0]} -> {counts[1]} ({days} + {days})", said=said
    )
    if typed.get("do") == "keep":
        return _do(
            visit, patient, "kept", lambda connection: proposing.keep(connection, visit.actor, judged, now), typed
        )
    book = book_of(page.plan.rulebook if page.plan else "")
    return _do(
        visit,
        patient,
        "rolled_back",
        lambda connection: proposing.roll_back(connection, visit.actor, judged, book, now),
        typed,
    )


_MOST = {"most": _SAID_MAX}


@dataclass(frozen=True, kw_only=True)
class _Edited:
    """Whose plan is edited, from which version, and what the editor shows of it."""

    patient: str
    in_force: Plan | None
    base_version: int
    shown: Editor
    first: str = ""  # the rulebook of a first plan


@dataclass(frozen=True, kw_only=True)
class _Filled:
    """What stands in the editor's fields, what is wrong, and what the back-test said."""

    typed: Mapping[str, str]
    problems: Mapping[str, Problem] | None = None
    report: Mapping[str, Any] | None = None
    budget: int | None = None
    unchanged: bool = False

    def wrong(self, name: str, problem: Problem) -> "_Filled":
        return replace(self, problems={**(self.problems or {}), name: problem})


def _edited(asking: Asking, patient: str, rulebook: str, now: datetime) -> _Edited | None:
    """What can be edited; None: nothing judges the patient and no rulebook was chosen. Raises `NotFoundError`."""
    who(asking, patient, now)
    plan, texts = plans.stored(asking.connection, patient), plans.texts(asking.connection, patient)
    if plan is not None:
        shown = editor(plan, book_of(plan.rulebook), texts)
        return _Edited(patient=patient, in_force=plan, base_version=plan.version, shown=shown)
    if not rulebook:
        return None
    draft = first_draft(asking, patient, rulebook, now)
    return _Edited(
        patient=patient, in_force=None, base_version=0, shown=editor(draft, book_of(rulebook), texts), first=rulebook
    )


def _report(asking: Asking, edited: _Edited, plan: Plan, now: datetime) -> dict[str, Any]:
    if edited.in_force is None:
        return {"days": 0}
    in_force = inputs.plan_in_force(asking.connection, edited.patient) or edited.in_force
    tried = replace(plan, offline=in_force.offline, pauses=in_force.pauses)
    return tryout(asking.connection, edited.patient, (in_force, tried), now)


def _editor(visit: Visit, asking: Asking, edited: _Edited, filling: _Filled, status: int = 200) -> HTMLResponse:
    line, timezone = who(asking, edited.patient, visit.speech.now)
    weeks = (filling.report or {}).get("weeks")
    view: dict[str, Any] = {
        "line": line,
        "shown": edited.shown,
        "first": edited.first,
        "typed": filling.typed,
        "problems": filling.problems or {},
        "report": filling.report,
        "budget": filling.budget,
        "unchanged": filling.unchanged,
        "picture": picture(weeks) if weeks else None,
        "limit_field": limit_field,
        "outsides": tuple(Outside),
        "hours": hours_of(edited.shown.plan),
    }
    speech = visit.speech.within(timezone)
    return visit.page("pages/plan_edit.html", asking, status, speech=speech, here="/patients", **view)


def _choose_rulebook(visit: Visit, asking: Asking, patient: str) -> HTMLResponse:
    line, _ = who(asking, patient, visit.speech.now)
    return visit.page("pages/plan_first.html", asking, here="/patients", line=line, books=shipped())


def _too_long(visit: Visit, patient: str, typed: Mapping[str, str], field: str) -> HTMLResponse:
    """The plan with the reason as it was typed, and what is wrong with it; nothing was done."""
    filling = _Filled(typed=typed).wrong(field, Problem(text=_TOO_LONG, values=_MOST))
    return _show(visit, patient, None, 422, filling)


def _show(
    visit: Visit, patient: str, flash: Flash | None = None, status: int = 200, filling: _Filled | None = None
) -> HTMLResponse:
    with visit.read() as asking:
        page = plan_page(asking, patient, visit.speech.now)
        view: dict[str, Any] = {"page": page, "outsides": tuple(Outside), "hours_of": hours_of, "me_id": visit.actor.id}
        view |= (
            {"typed": filling.typed, "problems": filling.problems or {}} if filling else {"typed": {}, "problems": {}}
        )
        speech = visit.speech.within(page.timezone)
        answer = visit.page("pages/plan.html", asking, status, speech=speech, flash=flash, here="/patients", **view)
    note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer


def _do(
    visit: Visit,
    patient: str,
    done: str,
    act: Callable[[Connection], object],
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Do it in one transaction and show the plan; what is refused says why, changes nothing and loses no word."""
    try:
        with visit.web.parts.database.write() as connection:
            act(connection)
    except (ProposalError, ApprovalError) as refusal:
        field = refusal.field.partition(".")[0]
        return _show(visit, patient, Flash.not_done(visit.speech, f"plan_{field}"), 422, _Filled(typed=typed or {}))
    visit.web.changes.nudge()
    visit.web.parts.wake_watch.ring()
    return RedirectResponse(f"/patients/{patient}/plan?done=plan_{done}", status_code=303)
