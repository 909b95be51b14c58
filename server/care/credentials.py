"""What lets somebody in: tokens for scripts, sessions for browsers.

Only digests are stored, so a stolen copy of the database opens nothing, and both can be taken back at once.
`now` is real time here (`Parts.wall`), also where the rest of the installation lives on a fast clock.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from server.access import Actor, Role
from server.care.consents import shares_of
from server.db import tables

_SECRET_BYTES = 32
_SIGN = "varde_"  # in front of a token: lets a scanner find one that was published by mistake
SESSION_LASTS = timedelta(hours=10)  # a working day, and not the next one


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token to be made: what it may do, in which municipality, for which team."""

    municipality: str
    role: Role
    label: str
    team: str | None = None
    patient: str | None = None  # of the role patient, and of no other
    expires_at: datetime | None = None


def create_token(connection: Connection, new: NewToken, now: datetime) -> str:
    """Make a token; returns its secret, which is shown once and stored nowhere."""
    if new.role is Role.SYSTEM:
        raise ValueError("role: nobody is given the server's own role")
    if new.role is Role.KIN:
        raise ValueError("role: next of kin log in themselves; a token would outlive what the patient shares")
    if (new.role is Role.PATIENT) != (new.patient is not None):
        raise ValueError("patient: must be named for the role patient, and for no other")
    secret = _SIGN + secrets.token_urlsafe(_SECRET_BYTES)
    row = {
        "id": str(uuid4()),
        "municipality_id": new.municipality,
        "digest": _digest(secret),
        "team_id": new.team,
        "patient_id": new.patient,
        "role": new.role.value,
        "label": new.label,
        "created_at": now,
        "expires_at": new.expires_at,
    }
    connection.execute(insert(tables.token).values(row))
    return secret


def revoke_token(connection: Connection, token: str, now: datetime) -> None:
    """From now on the token with this id opens nothing."""
    connection.execute(update(tables.token).where(tables.token.c.id == token).values(revoked_at=now))


def actor_of_token(connection: Connection, secret: str, now: datetime) -> Actor | None:
    """Who carries this token, or None when it is unknown, revoked or expired."""
    table = tables.token
    row = connection.execute(
        select(table).where(
            table.c.digest == _digest(secret),
            table.c.revoked_at.is_(None),
            or_(table.c.expires_at.is_(None), table.c.expires_at > now),
        )
    ).first()
    if row is None:
        return None
    role = Role(row.role)
    if role is Role.PATIENT and not _is_followed(connection, row.patient_id):
        return None
    return Actor(id=row.id, role=role, municipality=row.municipality_id, team=row.team_id, patient=row.patient_id)


def begin_session(connection: Connection, staff: str, now: datetime) -> str | None:
    """Log a staff member in; returns the cookie's secret, or None when the person is not active."""
    table = tables.staff
    row = connection.execute(select(table).where(table.c.id == staff, table.c.active)).first()
    if row is None:
        return None
    return _open(connection, row.municipality_id, {"staff_id": row.id}, now)


def begin_patients_session(connection: Connection, patient: str, now: datetime) -> str | None:
    """Log a patient in; None when nobody follows them up."""
    table = tables.patient
    municipality = connection.execute(select(table.c.municipality_id).where(table.c.id == patient)).scalar()
    if municipality is None or not _is_followed(connection, patient):
        return None
    return _open(connection, municipality, {"patient_id": patient}, now)


def begin_kins_session(connection: Connection, contact: str, now: datetime) -> str | None:
    """Log somebody close to a patient in; None when the patient shares nothing with them."""
    table = tables.contact
    row = connection.execute(select(table).where(table.c.id == contact)).first()
    if row is None or not shares_of(connection, contact) or not _is_followed(connection, row.patient_id):
        return None
    return _open(connection, row.municipality_id, {"contact_id": contact}, now)


def _open(connection: Connection, municipality: str, whose: Mapping[str, str], now: datetime) -> str:
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    session = {
        "digest": _digest(secret),
        "municipality_id": municipality,
        **whose,
        "created_at": now,
        "seen_at": now,
        "expires_at": now + SESSION_LASTS,
    }
    connection.execute(insert(tables.session).values(session))
    return secret


# Asked by every request, so composed once; a member of staff with what they may do.
_SESSION = (
    select(
        tables.session,
        tables.staff.c.active,
        tables.staff.c.role,
        tables.staff.c.team_id,
        tables.staff.c.municipality_id.label("home"),
    )
    .outerjoin(tables.staff, tables.staff.c.id == tables.session.c.staff_id)
    .where(tables.session.c.digest == bindparam("digest"), tables.session.c.expires_at > bindparam("now"))
)


def actor_of_session(connection: Connection, secret: str, now: datetime) -> Actor | None:
    """Who is logged in with this cookie, or None: unknown, ended, expired, or the person may not come in any more."""
    row = connection.execute(_SESSION, {"digest": _digest(secret), "now": now}).first()
    if row is None:
        return None
    if row.staff_id is not None:
        return _staff(row) if row.active else None
    if row.contact_id is not None:
        return _kin(connection, row.contact_id)
    home = {"municipality": row.municipality_id, "patient": row.patient_id}
    return Actor(id=row.patient_id, role=Role.PATIENT, **home) if _is_followed(connection, row.patient_id) else None


def _staff(row: Row[Any]) -> Actor:
    return Actor(id=row.staff_id, role=Role(row.role), municipality=row.home, team=row.team_id)


def _kin(connection: Connection, contact: str) -> Actor | None:
    table = tables.contact
    row = connection.execute(select(table).where(table.c.id == contact)).first()
    shares = shares_of(connection, contact)
    if row is None or not shares or not _is_followed(connection, row.patient_id):
        return None
    home = {"municipality": row.municipality_id, "patient": row.patient_id}
    return Actor(id=row.id, role=Role.KIN, **home, shares=shares)


def _is_followed(connection: Connection, patient: str | None) -> bool:
    table = tables.enrolment
    statement = select(table.c.id).where(table.c.patient_id == patient, table.c.state != "ended")
    return connection.execute(statement.limit(1)).first() is not None


def end_session(connection: Connection, secret: str) -> None:
    """Log out."""
    connection.execute(delete(tables.session).where(tables.session.c.digest == _digest(secret)))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()  # the secret is random and long: no salt, no slow hash needed
