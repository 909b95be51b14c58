"""What a patient shares with somebody close: given and withdrawn by the patient, or by staff on the patient's word.

A consent is never changed: another one replaces it, and what was given before stays to be read. Who asks is a `contact`
of the kind next of kin; what holds is asked anew at every request, so a withdrawal cuts at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from server import audit
from server.access import Action, Actor, Role, scope
from server.care.people import NotFoundError
from server.db import tables
from server.own_rows import Share

NEXT_OF_KIN = "next_of_kin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a contact has now, since when, and who said so."""

    contact: str
    shares: frozenset[Share]
    given_at: datetime
    given_role: Role


def holding(connection: Connection, actor: Actor, patient: str) -> Mapping[str, Consent]:
    """Contact id -> the consent that holds, of those the actor may know of."""
    table = tables.consent
    statement = select(table).where(table.c.patient_id == patient, table.c.withdrawn_at.is_(None))
    rows = connection.execute(scope(statement, table, actor))
    return {
        row.contact_id: Consent(
            contact=row.contact_id,
            shares=frozenset(Share(each) for each in row.scopes),
            given_at=row.given_at,
            given_role=Role(row.given_role),
        )
        for row in rows
    }


def shares_of(connection: Connection, contact: str) -> frozenset[Share]:
    """What somebody close has now; empty: nothing, and no way in."""
    table = tables.consent
    statement = select(table.c.scopes).where(table.c.contact_id == contact, table.c.withdrawn_at.is_(None))
    return frozenset(Share(each) for scopes in connection.execute(statement).scalars() for each in scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a patient's contact is to have from now on; no share at all withdraws what they had."""

    patient: str
    contact: str
    shares: frozenset[Share]


def share(connection: Connection, actor: Actor, wish: Wish, now: datetime) -> None:
    """Let this hold instead of what held before, and note it; raises `NotFoundError` for a contact of others."""
    municipality = _municipality(connection, actor, wish)
    before = holding(connection, actor, wish.patient).get(wish.contact)
    shares = wish.shares | {Share.ZONE} if wish.shares else frozenset[Share]()
    if (frozenset() if before is None else before.shares) == shares:
        return
    table = tables.consent
    ended = update(table).where(table.c.contact_id == wish.contact, table.c.withdrawn_at.is_(None))
    connection.execute(ended.values(withdrawn_by=actor.id, withdrawn_at=now))
    if shares:
        row = {
            "id": str(uuid4()),
            "municipality_id": municipality,
            "patient_id": wish.patient,
            "contact_id": wish.contact,
            "scopes": sorted(shares),
            "given_by": actor.id,
            "given_role": actor.role.value,
            "given_at": now,
        }
        connection.execute(insert(table).values(row))
    action = Action.SHARE_OWN if actor.role is Role.PATIENT else Action.SHARE_FOR
    entry = audit.Entry(action=action, patient=wish.patient, subject=wish.contact)
    audit.write(connection, actor, entry, now)


def _municipality(connection: Connection, actor: Actor, wish: Wish) -> str:
    table = tables.contact
    statement = select(table.c.municipality_id).where(
        table.c.id == wish.contact, table.c.patient_id == wish.patient, table.c.kind == NEXT_OF_KIN
    )
    # Held until the end: two who decide about the same person at once do so one after the other.
    found = connection.execute(scope(statement, table, actor).with_for_update()).scalar()
    if found is None:
        raise NotFoundError("no such contact")
    return str(found)
