"""The life of a plan: proposed with its back-test, approved by another person, in force, measured, kept or rolled back.

A proposal judges nobody. What it changes was shown against the plan in force at the time; where another change came in
between, it is refused and must be proposed again. Pauses are no such change: they are taken over as they stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, select, update

from alerts.plan import Outside, Plan, from_mapping, to_mapping
from alerts.rulebook import Rulebook
from server import audit
from server.access import Action, Actor, require, scope
from server.care import approval, pauses, plans
from server.care.people import NotFoundError, home_of
from server.care.steps import Done, Step, note
from server.db import tables

MEASURED_AFTER = timedelta(days=30)


class ProposalError(ValueError):
    """What cannot be done with this proposal: `field` says what stands in the way, `reason` why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A plan that somebody wishes for, what it says in each zone, and what the back-test found.

    `base_version`: the version it was compared with, 0 for a first plan. `above_budget`: `reason` must be given.
    """

    patient: str
    plan: Plan
    base_version: int
    texts: Mapping[str, str]
    report: Mapping[str, Any]
    above_budget: bool = False
    reason: str | None = None


def propose(connection: Connection, actor: Actor, wish: Wish, now: datetime) -> str:
    """Keep the wish for a second person to decide on. Returns its id; raises `ProposalError` and `NotFoundError`."""
    require(actor, Action.CHANGE_PLAN)
    municipality = home_of(connection, actor, wish.patient)
    if waiting(connection, actor, wish.patient) is not None:
        raise ProposalError("open", "another proposal for this patient waits for its decision")
    _check_base(connection, wish.patient, wish.base_version)
    if wish.above_budget and not wish.reason:
        raise ProposalError("reason", "the team's alert budget is exceeded: say why this patient needs it")
    identity = str(uuid4())
    row = {
        "id": identity,
        "municipality_id": municipality,
        "patient_id": wish.patient,
        "base_version": wish.base_version,
        "state": "tested",
        "body": to_mapping(wish.plan),
        "texts": dict(wish.texts),
        "report": dict(wish.report),
        "reason": wish.reason,
        "proposed_by": actor.id,
        "proposed_at": now,
    }
    connection.execute(insert(tables.plan_proposal).values(row))
    done = Done(step=Step.PROPOSED, patient=wish.patient, by=actor.id, proposal=identity, said=wish.reason)
    note(connection, done, now)
    note(connection, replace(done, step=Step.BACK_TESTED, said=None), now)
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_PLAN, patient=wish.patient, subject=identity), now)
    return identity


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A second person's yes: under which rulebook, and what they say happens outside service hours."""

    proposal: str
    book: Rulebook
    outside: Outside | None


def approve(connection: Connection, actor: Actor, verdict: Verdict, now: datetime) -> int:
    """Put the proposal in force. Returns the version it became.

    Raises `ProposalError`, `approval.ApprovalError` and `NotFoundError`, and nothing is changed.
    """
    require(actor, Action.APPROVE_PLAN)
    row = _undecided(connection, actor, verdict.proposal)
    _settle(connection, row.id, "active")
    _check_base(connection, row.patient_id, row.base_version)
    resting = tuple(pauses.periods(connection, row.patient_id))
    plan = replace(from_mapping(row.body), pauses=resting)
    said = approval.Approval(by=actor.id, proposed_by=row.proposed_by, book=verdict.book, outside=verdict.outside)
    version = approval.approve(connection, row.patient_id, plan, said, now)
    plans.write_texts(connection, row.patient_id, version, row.texts)
    table = tables.plan_proposal
    connection.execute(update(table).where(table.c.id == row.id).values(version=version))
    done = Done(step=Step.APPROVED, patient=row.patient_id, by=actor.id, proposal=row.id, version=version)
    note(connection, done, now)
    note(connection, replace(done, step=Step.ACTIVATED), now)
    audit.write(connection, actor, audit.Entry(action=Action.APPROVE_PLAN, patient=row.patient_id, subject=row.id), now)
    return version


def give_back(connection: Connection, actor: Actor, proposal: str, said: str, now: datetime) -> None:
    """It will judge nobody; `said` tells whoever proposed it why. The proposer may take it back as well."""
    require(actor, Action.CHANGE_PLAN)
    row = _undecided(connection, actor, proposal)
    if not said:
        raise ProposalError("said", "say why, so that whoever proposed it can learn from it")
    _settle(connection, row.id, "returned")
    note(connection, Done(step=Step.RETURNED, patient=row.patient_id, by=actor.id, proposal=row.id, said=said), now)
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_PLAN, patient=row.patient_id, subject=row.id), now)


def waiting(connection: Connection, actor: Actor, patient: str) -> Row[Any] | None:
    """The patient's proposal that nobody has decided on, if there is one."""
    table = tables.plan_proposal
    statement = select(table).where(table.c.patient_id == patient, table.c.state == "tested")
    return connection.execute(scope(statement, table, actor)).first()


def all_waiting(connection: Connection, actor: Actor) -> list[Row[Any]]:
    """Every undecided proposal that the actor may know of, the oldest first."""
    table = tables.plan_proposal
    statement = select(table).where(table.c.state == "tested").order_by(table.c.proposed_at, table.c.id)
    return list(connection.execute(scope(statement, table, actor)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The proposal that made the plan in force what it is: since when, from which version, and what was said of it."""

    proposal: str
    base_version: int
    version: int
    since: datetime
    decided: Step | None  # kept | rolled back; None: nobody has said yet


def last_change(connection: Connection, actor: Actor, patient: str) -> Change | None:
    """The newest change of the patient's plan that two persons made; None: there was none."""
    table, step = tables.plan_proposal, tables.plan_step
    statement = select(table).where(table.c.patient_id == patient, table.c.state == "active")
    row = connection.execute(scope(statement, table, actor).order_by(table.c.version.desc()).limit(1)).first()
    if row is None:
        return None
    noted = connection.execute(select(step.c.step, step.c.at).where(step.c.plan_proposal_id == row.id)).all()
    decided = [Step(each.step) for each in noted if each.step in (Step.KEPT, Step.ROLLED_BACK)]
    return Change(
        proposal=row.id,
        base_version=row.base_version,
        version=row.version,
        since=next(each.at for each in noted if each.step == Step.ACTIVATED),
        decided=decided[-1] if decided else None,
    )


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a person makes of a change that was measured: its effect in words, and why it stays or goes."""

    patient: str
    version: int  # of the change, as it was shown
    effect: str
    said: str


def keep(connection: Connection, actor: Actor, judgement: Judgement, now: datetime) -> None:
    """The change stays. Raises `ProposalError`: it is not measured yet, or somebody has decided."""
    require(actor, Action.APPROVE_PLAN)
    change = _open_change(connection, actor, judgement)
    if now < change.since + MEASURED_AFTER:
        raise ProposalError("early", "a change is measured after 30 days")
    _note_decision(connection, _judged(actor, change, judgement, change.version), judgement, Step.KEPT, now)
    _audited(connection, actor, change, judgement, now)


def roll_back(connection: Connection, actor: Actor, judgement: Judgement, book: Rulebook, now: datetime) -> int:
    """Put the version before the change in force again, at any time. Returns its new number.

    Two persons agreed on it before, so one may do it. Raises as `keep` does, and `approval.ApprovalError`.
    """
    require(actor, Action.APPROVE_PLAN)
    change = _open_change(connection, actor, judgement)
    if not judgement.said:
        raise ProposalError("said", "say why the limits before are wanted back")
    table = tables.plan_version
    of_base = (table.c.patient_id == judgement.patient, table.c.version == change.base_version)
    body = connection.execute(select(table.c.body).where(*of_base)).scalar()
    if body is None:
        raise ProposalError("first", "this is the first plan: there is none to go back to")
    plan = replace(from_mapping(body), pauses=tuple(pauses.periods(connection, judgement.patient)))
    said = approval.Approval(by=actor.id, proposed_by=None, book=book, outside=plan.outside)
    version = approval.approve(connection, judgement.patient, plan, said, now)
    texts = tables.plan_text
    before = select(texts).where(texts.c.patient_id == judgement.patient, texts.c.version == change.base_version)
    if (row := connection.execute(before).mappings().first()) is not None:
        plans.write_texts(connection, judgement.patient, version, {zone: row[zone] for zone in plans.ZONES_WITH_TEXT})
    _note_decision(connection, _judged(actor, change, judgement, version), judgement, Step.ROLLED_BACK, now)
    _audited(connection, actor, change, judgement, now)
    return version


def _note_decision(connection: Connection, judged: Done, judgement: Judgement, step: Step, now: datetime) -> None:
    """`judged`: whose change it was, who decided and what is in force now."""
    note(connection, replace(judged, step=Step.MEASURED, said=judgement.effect), now)
    note(connection, replace(judged, step=step, said=judgement.said or None), now)


def _judged(actor: Actor, change: Change, judgement: Judgement, version: int) -> Done:
    return Done(step=Step.MEASURED, patient=judgement.patient, by=actor.id, proposal=change.proposal, version=version)


def _audited(connection: Connection, actor: Actor, change: Change, judgement: Judgement, now: datetime) -> None:
    entry = audit.Entry(action=Action.APPROVE_PLAN, patient=judgement.patient, subject=change.proposal)
    audit.write(connection, actor, entry, now)


def _open_change(connection: Connection, actor: Actor, judgement: Judgement) -> Change:
    change = last_change(connection, actor, judgement.patient)
    if change is None or change.version != judgement.version or change.decided is not None:
        raise ProposalError("decided", "the plan is not what was shown any more, or somebody has decided already")
    return change


def _undecided(connection: Connection, actor: Actor, proposal: str) -> Row[Any]:
    table = tables.plan_proposal
    row = connection.execute(scope(select(table).where(table.c.id == proposal), table, actor)).first()
    if row is None:
        raise NotFoundError("no such proposal")
    if row.state != "tested":
        raise ProposalError("decided", "somebody has decided on this proposal already")
    return row


def _settle(connection: Connection, proposal: str, state: str) -> None:
    """Of two who decide at the same moment the second one waits here, and is told."""
    table = tables.plan_proposal
    undecided = (table.c.id == proposal, table.c.state == "tested")
    if connection.execute(update(table).where(*undecided).values(state=state)).rowcount != 1:
        raise ProposalError("decided", "somebody has decided on this proposal already")


def _check_base(connection: Connection, patient: str, base_version: int) -> None:
    """What is in force is still what the proposal was compared with, pauses aside."""
    table = tables.plan_version
    now = plans.stored(connection, patient)
    of_base = (table.c.patient_id == patient, table.c.version == base_version)
    body = connection.execute(select(table.c.body).where(*of_base)).scalar()
    before = None if body is None else from_mapping(body)
    if _judging(now) != _judging(before):
        raise ProposalError("base", "the plan in force has changed since: look at it and propose again")


def _judging(plan: Plan | None) -> Mapping[str, Any] | None:
    return None if plan is None else to_mapping(replace(plan, version=0, pauses=()))
