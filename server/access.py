"""Who may do what, and see whose: one table of actions and one function that every query passes.

A route declares its action with `needs`; `require` refuses before anything is read, and `scope` narrows what is read.
Refusing is the rule, allowing the exception: what is not in the table is not allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Delete,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    false,
    or_,
    select,
    union,
)

from server.db import tables
from server.db.asking import Within
from server.own_rows import Share, own_rows


class Role(StrEnum):
    """What a person, a token or the machine is trusted with."""

    NURSE = "nurse"  # follows up the patients of a team
    COORDINATOR = "coordinator"  # all patients of a municipality, and who follows them up
    CLINICIAN = "clinician"  # answers for plans and rulebooks, for all patients of a municipality
    TECHNICIAN = "technician"  # kits and quarantine; no patient
    PATIENT = "patient"  # sees and says what is their own
    KIN = "kin"  # somebody close to a patient, as far as the patient shares
    SYSTEM = "system"  # the server's own loops, on behalf of nobody


class Action(StrEnum):
    """Everything that a route can let somebody do."""

    ENTER = "enter"  # pages and answers that show nobody's data: login, health, own session
    SEE_WORKLIST = "see_worklist"
    SEE_PATIENT = "see_patient"
    SEE_ALERTS = "see_alerts"
    SEE_READINGS = "see_readings"
    SEE_QUARANTINE = "see_quarantine"
    RESOLVE_QUARANTINE = "resolve_quarantine"
    SEE_UNCLAIMED = "see_unclaimed"
    ACKNOWLEDGE = "acknowledge"
    TAKE_OVER = "take_over"
    RELEASE = "release"
    RESOLVE = "resolve"
    SNOOZE = "snooze"
    DISPATCH = "dispatch"
    DISPATCH_ACCEPT = "dispatch_accept"
    DISPATCH_REFUSE = "dispatch_refuse"
    REVIEW = "review"  # say that green measurements have been looked at
    INVALIDATE = "invalidate"
    ACCEPT = "accept"
    WRITE_NOTE = "write_note"
    SEE_KITS = "see_kits"
    CHANGE_KITS = "change_kits"
    COMMAND_KIT = "command_kit"  # ask something of a gateway at home
    CHANGE_PLAN = "change_plan"  # propose one; that puts nothing in force
    APPROVE_PLAN = "approve_plan"  # put in force what somebody else proposed, keep it or roll it back
    SIGN_RULEBOOK = "sign_rulebook"
    PAUSE = "pause"
    CHANGE_PATIENT = "change_patient"  # decision, contacts, the end of the follow-up
    SEE_TEAM = "see_team"  # who is on duty, what waits, what was handed over, who was told
    HAND_OVER = "hand_over"  # notes from shift to shift, patients to the team that answers at night
    BE_TOLD = "be_told"  # in the own browsers
    CHANGE_ROSTER = "change_roster"  # who is on duty when, and how people are reached
    SEE_LOAD = "see_load"  # how many alerts, how soon answered
    VISIT_HOME = "visit_home"  # enrol a patient, hand out a kit, tick what was done
    SEE_MESSAGES = "see_messages"
    WRITE_MESSAGE = "write_message"
    SHARE_FOR = "share_for"  # what a patient shares with somebody close, on the patient's word
    SEE_OWN_ZONE = "see_own_zone"
    SEE_OWN_VALUES = "see_own_values"
    REPORT_OWN = "report_own"  # measured or answered by oneself
    SEE_OWN_MESSAGES = "see_own_messages"
    WRITE_OWN_MESSAGE = "write_own_message"
    SEE_OWN_LOG = "see_own_log"  # who looked at one's data
    SHARE_OWN = "share_own"


_CARE = frozenset(
    {
        Action.SEE_WORKLIST,
        Action.SEE_PATIENT,
        Action.SEE_ALERTS,
        Action.SEE_READINGS,
        Action.SEE_QUARANTINE,
        Action.SEE_UNCLAIMED,
        Action.WRITE_NOTE,
        Action.SEE_KITS,
        Action.COMMAND_KIT,
        Action.VISIT_HOME,
        Action.SEE_MESSAGES,
        Action.WRITE_MESSAGE,
        Action.SHARE_FOR,
        Action.CHANGE_PLAN,
        Action.PAUSE,
        Action.CHANGE_PATIENT,
    }
)
_CLICKS = frozenset(
    {
        Action.ACKNOWLEDGE,
        Action.TAKE_OVER,
        Action.RELEASE,
        Action.RESOLVE,
        Action.SNOOZE,
        Action.DISPATCH,
        Action.DISPATCH_ACCEPT,
        Action.DISPATCH_REFUSE,
        Action.REVIEW,
        Action.INVALIDATE,
        Action.ACCEPT,
    }
)
_KITS = frozenset(
    {
        Action.SEE_QUARANTINE,
        Action.RESOLVE_QUARANTINE,
        Action.SEE_KITS,
        Action.CHANGE_KITS,
        Action.COMMAND_KIT,
    }
)

_SHIFT = frozenset({Action.SEE_TEAM, Action.HAND_OVER, Action.BE_TOLD})
_LEADS = frozenset({Action.CHANGE_ROSTER, Action.SEE_LOAD})
_ANSWERS_FOR_PLANS = frozenset({Action.APPROVE_PLAN, Action.SIGN_RULEBOOK})

_SHARED: dict[Share, frozenset[Action]] = {
    Share.ZONE: frozenset({Action.SEE_OWN_ZONE}),
    Share.VALUES: frozenset({Action.SEE_OWN_VALUES}),
    Share.MESSAGES: frozenset({Action.SEE_OWN_MESSAGES, Action.WRITE_OWN_MESSAGE}),
    Share.REPORT: frozenset({Action.REPORT_OWN}),
}

_ALLOWED: dict[Role, frozenset[Action]] = {
    Role.NURSE: _CARE | _CLICKS | _SHIFT,
    Role.COORDINATOR: _CARE | _CLICKS | _SHIFT | _KITS | _LEADS | _ANSWERS_FOR_PLANS,
    Role.CLINICIAN: _CARE | _CLICKS | _SHIFT | _ANSWERS_FOR_PLANS,
    Role.TECHNICIAN: _KITS,
    Role.PATIENT: frozenset[Action]().union(*_SHARED.values(), {Action.SEE_OWN_LOG, Action.SHARE_OWN}),
    Role.KIN: frozenset(),  # what is shared, see `allowed`
    Role.SYSTEM: frozenset(Action),
}

AT_HOME = frozenset({Role.PATIENT, Role.KIN})  # see one patient, nobody else
_TEAM_ONLY = frozenset({Role.NURSE})  # sees patients enrolled with its own team, nobody else's


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks: `id` is a staff member's, a patient's, a contact's or a token's; `municipality` and `team` are theirs.

    `patient`: the one patient of the roles patient and kin; `shares`: what kin were given.
    `at`: when they ask, by the installation's clock. Without it nobody is seen who is routed to the team for a while.
    """

    id: str
    role: Role
    municipality: str | None
    team: str | None = None
    at: datetime | None = None
    patient: str | None = None
    shares: frozenset[Share] = frozenset()


class RefusedError(Exception):
    """The actor may not do this. The text names role and action, never a person."""

    def __init__(self, actor: Actor, action: Action) -> None:
        super().__init__(f"role {actor.role} may not {action}")
        self.actor = actor
        self.action = action


def system() -> Actor:
    """The server itself: its loops see every row."""
    return Actor(id="system", role=Role.SYSTEM, municipality=None)


def allowed(actor: Actor | None, action: Action) -> bool:
    """Whether the role may do this at all; whose rows it then sees is for `scope`."""
    if action is Action.ENTER:
        return True
    if actor is not None and actor.role is Role.KIN:
        return any(action in _SHARED[share] for share in actor.shares)
    return actor is not None and action in _ALLOWED[actor.role]


def require(actor: Actor, action: Action) -> None:
    """Raise `RefusedError` unless the actor may do this."""
    if not allowed(actor, action):
        raise RefusedError(actor, action)


_Statement = TypeVar("_Statement", Select[Any], Update, Delete)


def scope(statement: _Statement, table: Table, actor: Actor, among: Within | None = None) -> _Statement:
    """`statement` narrowed to the rows of `table` that the actor may know of; call once for each table joined.

    `among`: the few patients that it is about, so that whom the actor knows is looked up for those alone.
    """
    if actor.role is Role.SYSTEM:
        return statement
    return statement.where(_visible_of_all(table, actor) if among is None else _visible(table, actor, among))


@lru_cache(maxsize=64)  # a page asks a dozen questions for one actor, and putting this together takes a millisecond
def _visible_of_all(table: Table, actor: Actor) -> ColumnElement[bool]:
    return _visible(table, actor, None)


def _visible(table: Table, actor: Actor, among: Within | None) -> ColumnElement[bool]:
    home = table.c.municipality_id
    if actor.role in AT_HOME:
        shares = actor.shares if actor.role is Role.KIN else None
        return and_(home == actor.municipality, own_rows(table, actor.patient or "", shares))
    if table is tables.handover_note:
        return _written_for(table, actor)
    if actor.role not in _TEAM_ONLY:
        ours: ColumnElement[bool] = home == actor.municipality
        return or_(ours, _is_colleague(table, actor))
    agreed, known = _agreed(actor, "follows"), _known(actor, among)
    if table is tables.person:  # names of patients, and of colleagues
        patients = select(tables.patient.c.person_id).where(tables.patient.c.id.in_(known))
        return or_(table.c.id.in_(patients), _is_colleague(table, actor))
    whose = _patient_column(table)
    if whose is None:
        return or_(home == actor.municipality, home.in_(agreed), _is_colleague(table, actor))
    if whose.nullable:  # what belongs to no patient (unclaimed readings) is the whole municipality's care
        return or_(whose.in_(known), and_(home.in_(agreed), whose.is_(None)))
    theirs: ColumnElement[bool] = whose.in_(known)
    return theirs


def _known(actor: Actor, among: Within | None) -> Select[Any]:
    """The patients of the actor's team: those whom it follows, and those who are routed to it just now."""
    enrolment, routing, alert, staff = tables.enrolment, tables.routing, tables.alert, tables.staff
    follows, answers = _agreed(actor, "follows"), _agreed(actor, "answers")
    own = select(enrolment.c.patient_id).where(
        enrolment.c.team_id == actor.team,
        enrolment.c.state != always("ended"),
        enrolment.c.municipality_id.in_(follows),
    )
    routed = select(routing.c.patient_id).where(
        routing.c.team_id == actor.team,
        false() if actor.at is None else and_(routing.c.starts_at <= actor.at, routing.c.ends_at > actor.at),
        routing.c.municipality_id.in_(answers),
    )
    # What somebody of the team took on is not out of sight before somebody else has it.
    team = select(staff.c.id).where(staff.c.team_id == actor.team, staff.c.active)
    kept = select(alert.c.patient_id).where(
        alert.c.state == always("acknowledged"), alert.c.owner.in_(team), alert.c.municipality_id.in_(answers)
    )
    if among is not None:
        own, routed = own.where(among(enrolment.c.patient_id)), routed.where(among(routing.c.patient_id))
        kept = kept.where(among(alert.c.patient_id))
    return select(union(own, routed, kept).subquery().c.patient_id)


def _agreed(actor: Actor, *kinds: str) -> Select[Any]:
    """The municipalities that agreed on this with the actor's team."""
    table = tables.service_agreement
    return select(table.c.municipality_id).where(
        table.c.team_id == actor.team,
        table.c.kind.in_([always(each) for each in kinds]),
        table.c.state == always("active"),
    )


def always(word: str) -> BindParameter[str]:
    """One of our own words, spelt out: a plan kept for any word takes it for half of all rows, and reads them."""
    return bindparam(None, word, unique=True, literal_execute=True)


def _is_colleague(table: Table, actor: Actor) -> ColumnElement[bool]:
    """Whether a row is a colleague or a team across an agreement, whichever side agreed: who took it must have a name.

    Nothing of patients goes this way, and no way to reach anybody.
    """
    agreement, staff = tables.service_agreement, tables.staff
    with_us = select(agreement.c.team_id).where(
        agreement.c.municipality_id == actor.municipality, agreement.c.state == "active"
    )
    for_whom = _agreed(actor, "follows", "answers")
    if table is tables.team:
        return or_(table.c.id.in_(with_us), table.c.municipality_id.in_(for_whom))
    if table is tables.staff:
        return or_(table.c.team_id.in_(with_us), table.c.municipality_id.in_(for_whom))
    if table is tables.person:
        ours = staff.c.municipality_id == actor.municipality
        met = select(staff.c.person_id).where(
            or_(ours, staff.c.team_id.in_(with_us), staff.c.municipality_id.in_(for_whom))
        )
        return table.c.id.in_(met)
    return false()


def _written_for(table: Table, actor: Actor) -> ColumnElement[bool]:
    """What shifts leave each other is for the two teams, and the part about a patient for who may know the patient."""
    ours = or_(table.c.team_id == actor.team, table.c.to_team_id == actor.team)
    known = scope(select(tables.patient.c.id), tables.patient, actor)
    return and_(ours, or_(table.c.patient_id.is_(None), table.c.patient_id.in_(known)))


def _patient_column(table: Table) -> Any | None:
    return table.c.id if table is tables.patient else table.c.get("patient_id")


_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
_MARK = "__varde_action__"


def needs(action: Action) -> Callable[[_Endpoint], _Endpoint]:
    """Declare what a route lets somebody do; a route without it is refused at start and by a test."""

    def mark(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _MARK, action)
        return endpoint

    return mark


def action_of(endpoint: Callable[..., Any]) -> Action | None:
    """The action that a route declared, or None."""
    return getattr(endpoint, _MARK, None)
