"""Why, for how long and in whose name a patient is followed up: decision, contacts, and the end of it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Select, delete, insert, select, update

from server import audit
from server.access import Action, Actor, require, scope
from server.care import plans
from server.care.people import NotFoundError, home_of
from server.care.steps import Done, Step, note
from server.db import tables
from server.db.asking import Within
from server.scoped import asked_by
from server.vault import Vault

PRIMARY, NEXT_OF_KIN = "primary", "next_of_kin"
_A_MINUTE = timedelta(minutes=1)
_OPEN = ("pending", "active", "acknowledged", "cleared")


class EnrolmentError(ValueError):
    """What cannot be done with a follow-up: `field` says what stands in the way, `reason` why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The municipality's decision (vedtak). `decided_by`: a name; `start_up_until`: end of the start-up period."""

    reference: str
    purpose: str
    replaces: str
    decided_by: str
    starts_at: datetime
    ends_at: datetime | None = None
    start_up_until: datetime | None = None

    @property
    def last_moment(self) -> datetime | None:
        """The last moment at which it holds: `ends_at` is the midnight after its last day."""
        return None if self.ends_at is None else self.ends_at - _A_MINUTE

    @property
    def start_up_ends(self) -> datetime | None:
        """The last moment of the start-up period."""
        return None if self.start_up_until is None else self.start_up_until - _A_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody to call about a patient; `id` None: not known before. Without a name it is to be forgotten."""

    kind: str  # primary | next_of_kin
    name: str
    phone: str | None
    relation: str | None
    id: str | None = None


def record_decision(
    connection: Connection, vault: Vault, actor: Actor, whose: tuple[str, Decision], now: datetime
) -> None:
    """The decision that holds for this patient (id, decision) from now on; those before stay to be read.

    Raises `EnrolmentError` and `NotFoundError`.
    """
    require(actor, Action.CHANGE_PATIENT)
    patient, decision = whose
    home = home_of(connection, actor, patient)
    if decision.ends_at is not None and decision.ends_at <= decision.starts_at:
        raise EnrolmentError("ends_at", "must be after the start")
    if decision.start_up_until is not None and decision.start_up_until <= decision.starts_at:
        raise EnrolmentError("start_up_until", "must be after the start")
    row = {
        "id": str(uuid4()),
        "municipality_id": home,
        "patient_id": patient,
        "reference": decision.reference,
        "purpose": decision.purpose,
        "replaces": decision.replaces,
        "decided_by": vault.close(decision.decided_by),
        "starts_at": decision.starts_at,
        "ends_at": decision.ends_at,
        "start_up_until": decision.start_up_until,
        "recorded_by": actor.id,
        "recorded_at": now,
    }
    connection.execute(insert(tables.decision).values(row))
    audit.write(
        connection, actor, audit.Entry(action=Action.CHANGE_PATIENT, patient=patient, subject=str(row["id"])), now
    )


def decision_of(connection: Connection, vault: Vault, actor: Actor, patient: str) -> Decision | None:
    """The newest decision about the patient; None: nobody has written one down."""
    table = tables.decision
    statement = select(table).where(table.c.patient_id == patient).order_by(table.c.recorded_at.desc()).limit(1)
    row = connection.execute(scope(statement, table, actor)).first()
    if row is None:
        return None
    return Decision(
        reference=row.reference,
        purpose=row.purpose,
        replaces=row.replaces,
        decided_by=vault.open(row.decided_by),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        start_up_until=row.start_up_until,
    )


def save_contacts(
    connection: Connection, vault: Vault, actor: Actor, whose: tuple[str, list[Contact]], now: datetime
) -> None:
    """Keep these contacts of the patient (id, contacts). Raises `EnrolmentError` and `NotFoundError`."""
    require(actor, Action.CHANGE_PATIENT)
    patient, contacts = whose
    home = home_of(connection, actor, patient)
    table = tables.contact
    known = {each.id for each in contacts_of(connection, vault, actor, patient)}
    for each in contacts:
        if each.id is not None and each.id not in known:
            raise NotFoundError("no such contact")
        row = {
            "kind": each.kind,
            "name": vault.close(each.name),
            "phone": vault.close(each.phone) if each.phone else None,
            "relation": each.relation,
        }
        if each.id is None and each.name:
            new = {"id": str(uuid4()), "municipality_id": home, "patient_id": patient}
            connection.execute(insert(table).values(row | new))
        elif each.id is not None and each.name:
            connection.execute(update(table).where(table.c.id == each.id).values(row))
        elif each.id is not None:
            _forget(connection, each.id)
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_PATIENT, patient=patient), now)


def contacts_of(connection: Connection, vault: Vault, actor: Actor, patient: str) -> list[Contact]:
    """Whom to call about the patient, the primary contact first."""
    return contacts_of_all(connection, vault, actor, [patient]).get(patient, [])


def contacts_of_all(
    connection: Connection, vault: Vault, actor: Actor, patients: Collection[str]
) -> dict[str, list[Contact]]:
    """Patient -> whom to call about them, the primary contact first."""
    found: dict[str, list[Contact]] = {}
    for row in _contacts(connection, actor, patients):
        contact = Contact(
            id=row.id,
            kind=row.kind,
            name=vault.open(row.name),
            phone=vault.open(row.phone) if row.phone else None,
            relation=row.relation,
        )
        found.setdefault(row.patient_id, []).append(contact)
    return found


@asked_by(tables.contact)
def _contacts(within: Within) -> Select[Any]:
    table = tables.contact
    return select(table).where(within(table.c.patient_id)).order_by(table.c.kind.desc(), table.c.id)


def end(connection: Connection, actor: Actor, patient: str, said: str, now: datetime) -> None:
    """Nobody follows the patient up from now on. What was measured and said stays.

    Raises `EnrolmentError`: an alert is open, which somebody must close first, or no reason is given.
    """
    require(actor, Action.CHANGE_PATIENT)
    home_of(connection, actor, patient)
    if not said:
        raise EnrolmentError("said", "say why it ends")
    alert = tables.alert
    still = select(alert.c.id).where(alert.c.patient_id == patient, alert.c.state.in_(_OPEN)).limit(1)
    if connection.execute(still).first() is not None:
        raise EnrolmentError("alerts", "close the open alerts first")
    version = None
    if (plan := plans.stored(connection, patient)) is not None:
        version = plans.activate(connection, patient, replace(plan, ends_at=now), actor.id, now)
    table = tables.enrolment
    of_patient = (table.c.patient_id == patient, table.c.state != "ended")
    connection.execute(update(table).where(*of_patient).values(state="ended", ends_at=now))
    note(connection, Done(step=Step.ENDED, patient=patient, by=actor.id, version=version, said=said), now)
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_PATIENT, patient=patient), now)


def _forget(connection: Connection, contact: str) -> None:
    consent, table = tables.consent, tables.contact
    if connection.execute(select(consent.c.id).where(consent.c.contact_id == contact).limit(1)).first() is not None:
        raise EnrolmentError("consent", "something has been shared with this contact: it stays to be read")
    connection.execute(delete(table).where(table.c.id == contact))
