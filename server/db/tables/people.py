"""Who lives where, who looks after them, and under which plan."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, UniqueConstraint, false, true

from server.db.tables.shape import Json, metadata, of, of_municipality, own_id
from server.db.types import UTCDateTime

municipality = Table(
    "municipality",
    metadata,
    Column("municipality_id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("number", String(4), nullable=False, unique=True),
    # Runs the installation: messages that belong to no known gateway are shown to it. The first one enrolled.
    Column("hosts", Boolean, nullable=False, server_default=false()),
    Column("created_at", UTCDateTime, nullable=False),
)

person = Table(
    "person",
    metadata,
    own_id(),
    of_municipality(),
    Column("name", LargeBinary, nullable=False),  # encrypted, see server/vault.py
    Column("national_id", LargeBinary),  # encrypted
)

team = Table(
    "team",
    metadata,
    own_id(),
    of_municipality(),
    Column("name", String(120), nullable=False),
    # Hours of service after which whoever is on duty is told that a patient's message is unread.
    Column("unread_after_h", Integer, nullable=False, server_default="4"),
)

# Which team watches patients of which municipality; without an active one a team sees nobody there. One that answers
# (at night, for others) sees of them only who is routed to it, while they are.
service_agreement = Table(
    "service_agreement",
    metadata,
    own_id(),
    of_municipality(),  # whose patients
    of("team", index=True),
    Column("hours", String(120), nullable=False),  # "08:00-15:30 mon-fri"
    Column("priorities", Json, nullable=False),
    Column("phone", String(32)),  # what patients call inside the hours
    Column("phone_after_hours", String(32)),
    Column("kind", String(16), nullable=False, server_default="follows"),  # follows | answers
    Column("state", String(16), nullable=False),  # active | ended
)

staff = Table(
    "staff",
    metadata,
    own_id(),
    of_municipality(),
    of("person"),
    of("team", nullable=True),
    Column("role", String(32), nullable=False),
    Column("active", Boolean, nullable=False, server_default=true()),
)

patient = Table(
    "patient",
    metadata,
    own_id(),
    of_municipality(),
    of("person"),
    Column("timezone", String(64), nullable=False),
    Column("matters", LargeBinary),  # what matters to the patient, in their own words; encrypted
    Column("created_at", UTCDateTime, nullable=False),
)

enrolment = Table(
    "enrolment",
    metadata,
    own_id(),
    of_municipality(),
    of("patient", index=True),
    of("team", index=True),
    Column("state", String(16), nullable=False),  # active | paused | ended
    Column("replaces", String(120)),
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),
)

plan_version = Table(
    "plan_version",
    metadata,
    own_id(),
    of_municipality(),
    of("patient"),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # active | replaced
    Column("rulebook", String(64), nullable=False),
    Column("rulebook_version", String(32), nullable=False),
    Column("body", Json, nullable=False),  # alerts.plan.to_mapping
    Column("active_from", UTCDateTime, nullable=False),
    Column("approved_by", String(64), nullable=False),
    UniqueConstraint("patient_id", "version"),
)

# A clinician's word that a rulebook may judge the municipality's patients; a plan outside the demo needs one.
rulebook_sign_off = Table(
    "rulebook_sign_off",
    metadata,
    own_id(),
    of_municipality(),
    Column("rulebook", String(64), nullable=False),
    Column("rulebook_version", String(32), nullable=False),
    Column("digest", String(64), nullable=False),  # of its content, see server/care/approval.py
    Column("signed_by", ForeignKey("staff.id"), nullable=False),
    Column("signed_at", UTCDateTime, nullable=False),
)
