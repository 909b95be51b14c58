"""Who may do what, and see whose: one table of actions and one function that every query passes.

A route declares its action with `needs`; `require` refuses before anything is read, and `scope` narrows what is read.
Refusing is the rule, allowing the exception: what is not in the table is not allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Delete, Select, Table, Update, and_, or_, select

from server.db import tables


class Role(StrEnum):
    """What a person, a token or the machine is trusted with."""

    NURSE = "nurse"  # follows up the patients of a team
    COORDINATOR = "coordinator"  # all patients of a municipality, and who follows them up
    TECHNICIAN = "technician"  # kits and quarantine; no patient
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
    INVALIDATE = "invalidate"
    ACCEPT = "accept"
    WRITE_NOTE = "write_note"
    SEE_KITS = "see_kits"
    CHANGE_KITS = "change_kits"
    COMMAND_KIT = "command_kit"  # ask something of a gateway at home
    CHANGE_PLAN = "change_plan"


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

_ALLOWED: dict[Role, frozenset[Action]] = {
    Role.NURSE: _CARE | _CLICKS,
    Role.COORDINATOR: _CARE | _CLICKS | _KITS | {Action.CHANGE_PLAN},
    Role.TECHNICIAN: _KITS,
    Role.SYSTEM: frozenset(Action),
}

_TEAM_ONLY = frozenset({Role.NURSE})  # sees patients enrolled with its own team, nobody else's


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks: `id` is a staff member's or a token's, `municipality` and `team` are theirs."""

    id: str
    role: Role
    municipality: str | None
    team: str | None = None


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
    return actor is not None and action in _ALLOWED[actor.role]


def require(actor: Actor, action: Action) -> None:
    """Raise `RefusedError` unless the actor may do this."""
    if not allowed(actor, action):
        raise RefusedError(actor, action)


_Statement = TypeVar("_Statement", Select[Any], Update, Delete)


def scope(statement: _Statement, table: Table, actor: Actor) -> _Statement:
    """`statement` narrowed to the rows of `table` that the actor may know of; call once for each table joined."""
    if actor.role is Role.SYSTEM:
        return statement
    return statement.where(_visible(table, actor))


def _visible(table: Table, actor: Actor) -> ColumnElement[bool]:
    home = table.c.municipality_id
    if actor.role not in _TEAM_ONLY:
        return home == actor.municipality
    agreement = tables.service_agreement
    agreed = select(agreement.c.municipality_id).where(agreement.c.team_id == actor.team, agreement.c.state == "active")
    enrolment = tables.enrolment
    own = select(enrolment.c.patient_id).where(enrolment.c.team_id == actor.team, enrolment.c.state != "ended")
    if table is tables.person:  # names of own patients, and of colleagues
        patients = select(tables.patient.c.person_id).where(
            tables.patient.c.id.in_(own), tables.patient.c.municipality_id.in_(agreed)
        )
        colleagues = select(tables.staff.c.person_id).where(tables.staff.c.municipality_id == actor.municipality)
        return or_(table.c.id.in_(patients), table.c.id.in_(colleagues))
    whose = _patient_column(table)
    if whose is None:
        return or_(home == actor.municipality, home.in_(agreed))
    if whose.nullable:  # what belongs to no patient (unclaimed readings) is the whole municipality's care
        return and_(home.in_(agreed), or_(whose.is_(None), whose.in_(own)))
    return and_(home.in_(agreed), whose.in_(own))


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
