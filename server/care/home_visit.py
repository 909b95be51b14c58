"""The visit at which a follow-up begins: who is enrolled by which decision, and what was done in the home.

What the database knows is not ticked by hand: a decision, a kit, a plan and a first measurement are there or not. The
rest is a person's word, with name and time, and survives whatever happens to the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, func, select

from server import audit
from server.access import Action, Actor, require, scope
from server.care.enrolment import Decision, record_decision
from server.care.people import NewPatient, NotFoundError, Person, enrol_patient
from server.db import tables
from server.db.dialect import put
from server.vault import Vault

_CONTROL = ((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
_MONTHS = (0, 40, 65, 80)


class Step(StrEnum):
    """What is done at the visit, in its order."""

    DECISION = "decision"
    KIT = "kit"
    PAIRED = "paired"
    FIRST_MEASUREMENT = "first_measurement"
    PLAN = "plan"
    OWN_PAGE = "own_page"
    NUMBERS = "numbers"
    KIN = "kin"


BY_HAND = frozenset({Step.PAIRED, Step.OWN_PAGE, Step.NUMBERS, Step.KIN})  # a person's word


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """When a step was done; `by` is a staff id where it is a person's word."""

    at: datetime
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFollowUp:
    """Somebody to be followed up by the actor's team, and the decision behind it."""

    person: Person
    reference: str
    purpose: str
    replaces: str
    decided_by: str
    matters: str | None


def begin(connection: Connection, vault: Vault, actor: Actor, new: NewFollowUp, now: datetime) -> str:
    """Enrol the patient and note the decision; returns the opaque id. Raises `RefusedError`, ValueError."""
    require(actor, Action.VISIT_HOME)
    if actor.team is None or actor.municipality is None:
        raise ValueError("team: whoever enrols must belong to the team that is to follow up")
    patient = enrol_patient(
        connection,
        vault,
        NewPatient(
            municipality=actor.municipality,
            team=actor.team,
            person=new.person,
            replaces=new.replaces[:120],
            matters=new.matters,
        ),
        now,
    )
    decision = Decision(
        reference=new.reference,
        purpose=new.purpose,
        replaces=new.replaces,
        decided_by=new.decided_by,
        starts_at=now,
    )
    record_decision(connection, vault, actor, (patient, decision), now)
    audit.write(connection, actor, audit.Entry(action=Action.VISIT_HOME, patient=patient), now)
    return patient


def is_followed_already(connection: Connection, vault: Vault, municipality: str, national_id: str) -> bool:
    """Whether somebody with this national id is followed up in the municipality: by any team, so nobody is told whom.

    Ids lie encrypted and no two alike, so each is opened; a municipality has some thousands at most.
    """
    patient, person, enrolment = tables.patient, tables.person, tables.enrolment
    followed = select(enrolment.c.patient_id).where(enrolment.c.state != "ended")
    statement = (
        select(person.c.national_id)
        .join(patient, patient.c.person_id == person.c.id)
        .where(patient.c.municipality_id == municipality, patient.c.id.in_(followed), person.c.national_id.is_not(None))
    )
    return any(vault.open(closed) == national_id for closed in connection.execute(statement).scalars())


def is_national_id(text: str) -> bool:
    """Whether these are eleven digits with a day, a month and right control digits.

    D-numbers add 40 to the day, synthetic ids 40, 65 or 80 to the month. The first control sum may leave up to 3 in the
    ids that are given out from 2032 on (Skatteetaten).
    """
    if len(text) != 11 or not (text.isascii() and text.isdigit()):
        return False
    digits = [int(each) for each in text]
    first, second = (sum(w * d for w, d in zip(row, digits, strict=False)) % 11 for row in _CONTROL)
    day, month = int(text[:2]), int(text[2:4])
    return first <= 3 and second == 0 and 1 <= day % 40 <= 31 and any(1 <= month - added <= 12 for added in _MONTHS)


def progress(connection: Connection, actor: Actor, patient: str) -> Mapping[Step, Done]:
    """The steps that are done, of a patient whom the actor may know of."""
    table = tables.visit_step
    rows = connection.execute(scope(select(table).where(table.c.patient_id == patient), table, actor))
    found = {Step(row.step): Done(at=row.at, by=row.by) for row in rows if row.step in set(BY_HAND)}
    decision, held, plan = tables.decision, tables.assignment, tables.plan_version
    known = {
        Step.DECISION: (decision, decision.c.recorded_at),
        Step.KIT: (held, held.c.starts_at),
        Step.PLAN: (plan, plan.c.active_from),
    }
    for step, (source, at) in known.items():
        when = connection.execute(
            scope(select(func.min(at)).where(source.c.patient_id == patient), source, actor)
        ).scalar()
        if when is not None:
            found[step] = Done(at=when)
    if Step.KIT in found and (first := first_reading(connection, actor, patient, found[Step.KIT].at)):
        found[Step.FIRST_MEASUREMENT] = Done(at=first)
    return found


def first_reading(connection: Connection, actor: Actor, patient: str, since: datetime) -> datetime | None:
    """When the first reading that the device itself vouches for was taken, of those heard by a gateway since then."""
    table = tables.reading
    statement = select(func.min(table.c.taken_at)).where(
        table.c.patient_id == patient,
        table.c.gateway_id.is_not(None),
        table.c.quality == "good",
        table.c.taken_at >= since,
    )
    found: datetime | None = connection.execute(scope(statement, table, actor)).scalar()
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A step that somebody says is done, or not done after all."""

    patient: str
    step: Step
    done: bool


def tick(connection: Connection, actor: Actor, tick: Tick, now: datetime) -> None:
    """Note it. Raises `NotFoundError` for a patient of others or a step that is nobody's word."""
    require(actor, Action.VISIT_HOME)
    whose, table = tables.patient.c, tables.visit_step
    statement = select(whose.municipality_id).where(whose.id == tick.patient)
    municipality = connection.execute(scope(statement, tables.patient, actor)).scalar()
    if municipality is None or tick.step not in BY_HAND:
        raise NotFoundError("no such patient or step")
    identity = f"{tick.patient}:{tick.step.value}"
    if tick.done:
        row = {
            "id": identity,
            "municipality_id": municipality,
            "patient_id": tick.patient,
            "step": tick.step.value,
            "by": actor.id,
            "at": now,
        }
        put(connection, table, row)
    else:
        connection.execute(delete(table).where(table.c.id == identity))
    entry = audit.Entry(action=Action.VISIT_HOME, patient=tick.patient, subject=tick.step.value)
    audit.write(connection, actor, entry, now)
