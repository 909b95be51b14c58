"""What lets somebody in: tokens for scripts, sessions for browsers.

Only digests are stored, so a stolen copy of the database opens nothing, and both can be taken back at once.
`now` is real time here (`Parts.wall`), also where the rest of the installation lives on a fast clock.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, or_, select, update

from server.access import Actor, Role
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
    expires_at: datetime | None = None


def create_token(connection: Connection, new: NewToken, now: datetime) -> str:
    """Make a token; returns its secret, which is shown once and stored nowhere."""
    if new.role is Role.SYSTEM:
        raise ValueError("role: nobody is given the server's own role")
    secret = _SIGN + secrets.token_urlsafe(_SECRET_BYTES)
    row = {
        "id": str(uuid4()),
        "municipality_id": new.municipality,
        "digest": _digest(secret),
        "team_id": new.team,
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
    return Actor(id=row.id, role=Role(row.role), municipality=row.municipality_id, team=row.team_id)


def begin_session(connection: Connection, staff: str, now: datetime) -> str | None:
    """Log a staff member in; returns the cookie's secret, or None when the person is not active."""
    table = tables.staff
    row = connection.execute(select(table).where(table.c.id == staff, table.c.active)).first()
    if row is None:
        return None
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    session = {
        "digest": _digest(secret),
        "municipality_id": row.municipality_id,
        "staff_id": row.id,
        "created_at": now,
        "seen_at": now,
        "expires_at": now + SESSION_LASTS,
    }
    connection.execute(insert(tables.session).values(session))
    return secret


def actor_of_session(connection: Connection, secret: str, now: datetime) -> Actor | None:
    """Who is logged in with this cookie, or None: unknown, ended, expired, or the person is no longer active."""
    session, staff = tables.session, tables.staff
    row = connection.execute(
        select(staff.c.id, staff.c.role, staff.c.municipality_id, staff.c.team_id)
        .join(session, session.c.staff_id == staff.c.id)
        .where(session.c.digest == _digest(secret), session.c.expires_at > now, staff.c.active)
    ).first()
    if row is None:
        return None
    return Actor(id=row.id, role=Role(row.role), municipality=row.municipality_id, team=row.team_id)


def end_session(connection: Connection, secret: str) -> None:
    """Log out."""
    connection.execute(delete(tables.session).where(tables.session.c.digest == _digest(secret)))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()  # the secret is random and long: no salt, no slow hash needed
