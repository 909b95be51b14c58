"""What patients and their next of kin say, who may see whose, and how a home is set up."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table, text

from server.db.tables.shape import Json, metadata, of, of_municipality, own_id
from server.db.types import UTCDateTime

# What the patient lets a next of kin (a contact) have, from when to when; without one that holds it is nothing.
consent = Table(
    "consent",
    metadata,
    own_id(),
    of_municipality(),
    of("patient", index=True),
    Column("contact_id", String(64), nullable=False, index=True),  # may be forgotten before what was consented
    Column("scopes", Json, nullable=False),  # own_rows.Share
    Column("given_by", String(64), nullable=False),  # the patient, or a staff member on the patient's word
    Column("given_role", String(32), nullable=False),
    Column("given_at", UTCDateTime, nullable=False),
    Column("withdrawn_by", String(64)),
    Column("withdrawn_at", UTCDateTime),
)

message = Table(
    "message",
    metadata,
    own_id(),  # made from the form's token, so that sending a form twice is one message
    of_municipality(),
    of("patient", index=True),
    Column("by", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("text", LargeBinary, nullable=False),  # encrypted
    Column("read_by", String(64)),  # who of the other side saw it first
    Column("read_at", UTCDateTime),
    # What waits to be read, which every page counts and of which people are told.
    Index(
        "ix_message_unread",
        *("patient_id", "at"),
        sqlite_where=text("read_at IS NULL"),
        postgresql_where=text("read_at IS NULL"),
    ),
)

# What a patient, or somebody on the patient's behalf, measured and typed in, or answered.
self_report = Table(
    "self_report",
    metadata,
    own_id(),  # the id of the reading that it became
    of_municipality(),
    of("patient", index=True),
    Column("by", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("answers", Json),  # question -> yes or no; None: measured values
)

# What stands on one sticker: a gateway with its devices, handed out together.
kit = Table(
    "kit",
    metadata,
    own_id(),
    of_municipality(),
    of("gateway", index=True),
    Column("code", String(16), nullable=False, unique=True),  # random: names nobody and opens nothing by itself
    Column("label", String(80), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)

kit_device = Table(
    "kit_device",
    metadata,
    Column("kit_id", ForeignKey("kit.id"), primary_key=True),
    Column("device_id", ForeignKey("device.id"), primary_key=True),
    of_municipality(),
)

# What was done at a home visit: a row a step, so that two who tick at once lose nothing.
visit_step = Table(
    "visit_step",
    metadata,
    own_id(),
    of_municipality(),
    of("patient", index=True),
    Column("step", String(32), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Index("uq_visit_step_patient_id", "patient_id", "step", unique=True),
)
