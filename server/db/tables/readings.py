"""What was measured, what could not be believed, and when the rules first saw it."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from server.db.tables.shape import Json, Seq, metadata, of, of_municipality, repeated
from server.db.types import MeasuredValue, UTCDateTime

# Each time the rules were asked about somebody, and by which click: with readings and plans, all that a replay needs.
evaluation = Table(
    "evaluation",
    metadata,
    Column("seq", Seq, primary_key=True),
    of_municipality(),
    of("patient", index=True),
    Column("at", UTCDateTime, nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("click", Json),  # None: no click, time or a reading asked
)

reading = Table(
    "reading",
    metadata,
    Column("seq", Seq, primary_key=True),
    Column("id", String(64), nullable=False),
    repeated("municipality"),  # its gateway's
    repeated("gateway", nullable=True),  # None: a person entered it by hand
    repeated("patient", nullable=True),  # its device's owner
    Column("unclaimed", String(32)),  # why nobody has it, see ingest/claim.py
    Column("device", String(64), nullable=False),  # its address
    Column("model", String(64)),
    Column("taken_at", UTCDateTime, nullable=False),
    Column("received_at", UTCDateTime, nullable=False),
    Column("evaluation_seq", Seq),  # when the rules first saw it; None: not yet
    Column("clock", String(16), nullable=False),
    Column("offset_s", Integer, nullable=False),
    Column("quality", String(8), nullable=False),
    Column("flags", Json, nullable=False),
    Column("battery", Integer),
    # Sure to change nothing when it came: the rules count it as judged then, though they see it at the next evaluation.
    Column("quiet", Boolean, nullable=False, server_default=false()),
    # Per gateway, because ids can be computed by anyone: nobody may take another's id first and so silence it.
    UniqueConstraint("id", "gateway_id"),
    # A patient has a reading once, whichever of their gateways heard it. Those that nobody has are not compared.
    Index("uq_reading_patient_id_id", "patient_id", "id", unique=True),
    Index("ix_reading_patient_id_taken_at", "patient_id", "taken_at"),
    Index("ix_reading_patient_id_evaluation_seq", "patient_id", "evaluation_seq"),
    Index(  # only of those that nobody has: they are few, and all others come faster
        "ix_reading_municipality_id_unclaimed",
        "municipality_id",
        "unclaimed",
        postgresql_where=text("unclaimed IS NOT NULL"),
        sqlite_where=text("unclaimed IS NOT NULL"),
    ),
)

measurement = Table(
    "measurement",
    metadata,
    Column("reading_seq", Seq, primary_key=True),
    Column("metric", String(32), primary_key=True),
    repeated("municipality"),
    repeated("patient", nullable=True),
    Column("taken_at", UTCDateTime, nullable=False),
    Column("value", MeasuredValue, nullable=False),
    Index("ix_measurement_patient_id_metric_taken_at", "patient_id", "metric", "taken_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("seq", Seq, primary_key=True),
    # Empty only while the installation has no municipality at all.
    Column("municipality_id", ForeignKey("municipality.municipality_id"), index=True),
    Column("gateway", String(64)),  # as the topic claims; it need not exist
    Column("kind", String(32), nullable=False, index=True),
    Column("reason", Text, nullable=False),  # in words
    Column("device", String(64)),
    Column("message_id", String(64)),  # of the refused message, when it has one
    Column("topic", String(200), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # as received, cut at a limit
    Column("payload_bytes", Integer, nullable=False),  # before the cut
    Column("digest", String(64), nullable=False, unique=True),  # of topic and payload: the same twice is one row
    Column("times", Integer, nullable=False),
    Column("first_at", UTCDateTime, nullable=False),
    Column("last_at", UTCDateTime, nullable=False),
    Column("state", String(16), nullable=False, index=True),  # open | resolved
    Column("resolved_by", String(64)),
    Column("resolved_at", UTCDateTime),
)
