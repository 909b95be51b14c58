"""Who came in, what they did, and which parts of the server live."""

from sqlalchemy import Column, ForeignKey, Index, String, Table

from server.db.tables.shape import Seq, metadata, of, of_municipality, own_id
from server.db.types import UTCDateTime

audit = Table(
    "audit",
    metadata,
    Column("seq", Seq, primary_key=True),
    of_municipality(),
    Column("at", UTCDateTime, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("action", String(64), nullable=False),
    of("patient", nullable=True, index=True),
    Column("subject", String(64)),  # id of the alert, plan, device ... concerned
    Column("outcome", String(16), nullable=False),  # done | refused
    Index("ix_audit_actor_at", "actor", "at"),
)

session = Table(
    "session",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the cookie's secret
    of_municipality(),
    of("staff", nullable=True),
    of("patient", nullable=True),
    Column("contact_id", String(64)),  # a next of kin; exactly one of the three is named
    Column("created_at", UTCDateTime, nullable=False),
    Column("seen_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
)

token = Table(
    "token",
    metadata,
    own_id(),
    of_municipality(),
    Column("digest", String(64), nullable=False, unique=True),
    of("team", nullable=True),
    of("patient", nullable=True),
    Column("role", String(32), nullable=False),
    Column("label", String(120), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime),
    Column("revoked_at", UTCDateTime),
)

# When a role of the server was last alive. Nobody's data; its municipality stays empty.
role_beat = Table(
    "role_beat",
    metadata,
    Column("role", String(16), primary_key=True),
    Column("municipality_id", ForeignKey("municipality.municipality_id")),
    Column("at", UTCDateTime, nullable=False),  # real time, also where the installation lives on a fast clock
)
