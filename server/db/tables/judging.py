"""What the rules remember and said, and who was told."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false, text

from server.db.tables.shape import Json, Seq, metadata, of, of_municipality, own_id
from server.db.types import UTCDateTime

# The states of an alert that is shown as one; a pending alert is none yet, only an unknown zone.
SHOWN_STATES = ("active", "acknowledged", "cleared")
SHOWN = "state IN ('active', 'acknowledged', 'cleared')"

due = Table(
    "due",
    metadata,
    Column("patient_id", ForeignKey("patient.id"), primary_key=True),
    of_municipality(),
    Column("evaluate_at", UTCDateTime, nullable=False, index=True),
    Column("late", Boolean, nullable=False, server_default=false()),  # due only for readings of long ago: others first
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("trouble", Text),  # the kind of the last failure; never a value
    # alerts.envelope.dump: readings that may wait until `evaluate_at`; None for whoever was put here without judging.
    Column("envelope", Text),
)

memory = Table(
    "memory",
    metadata,
    Column("patient_id", ForeignKey("patient.id"), primary_key=True),
    of_municipality(),
    Column("body", Text, nullable=False),  # alerts.memory.dump
    Column("zone", String(16), nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    own_id(),
    of_municipality(),
    of("patient", index=True),
    Column("rule", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("priority", String(16), nullable=False),
    Column("highest", String(16), nullable=False),
    Column("condition", Boolean, nullable=False),  # whether it is present
    Column("late", Boolean, nullable=False),
    Column("waiting", Boolean, nullable=False),
    Column("opened_at", UTCDateTime, nullable=False),
    Column("raised_at", UTCDateTime),  # None while pending
    Column("owner", String(64)),
    Column("level", Integer, nullable=False),
    Column("pace", Integer, nullable=False, server_default="0"),  # server.watch.pace: how fast it gets worse
    Column("snoozed_until", UTCDateTime),
    Column("why", Json, nullable=False),
    Column("body", Json, nullable=False),  # alerts.alert.to_mapping: the whole of it
    Column("version", Integer, nullable=False),  # grows by one with every change; the ETag
    Column("updated_at", UTCDateTime, nullable=False),
    Index("ix_alert_municipality_id_state_opened_at", "municipality_id", "state", "opened_at"),
    # What the order of a worklist is made of, of the alerts that pages show: their rows are read for one page alone.
    Index(
        "ix_alert_shown",
        *("patient_id", "raised_at", "id", "rule", "state", "priority", "pace", "snoozed_until", "owner"),
        *("condition", "municipality_id"),
        sqlite_where=text(SHOWN),
        postgresql_where=text(SHOWN),
    ),
)

fact = Table(
    "fact",
    metadata,
    Column("seq", Seq, primary_key=True),
    of_municipality(),
    of("patient", index=True),
    Column("alert_id", String(64), index=True),
    Column("at", UTCDateTime, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("rule", String(64)),
    Column("priority", String(16)),
    Column("by", String(64)),
    Column("to", String(32)),
    Column("why", Json),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Seq, primary_key=True),
    of_municipality(),
    of("patient"),
    Column("fact_seq", ForeignKey("fact.seq"), unique=True),  # the step of the ladder; None: it is about messages
    Column("alert_id", String(64), index=True),
    Column("unread_of", String(64), index=True),  # the team whose patients' messages nobody has read
    Column("to", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # waiting | sent | failed | unneeded
    Column("send_at", UTCDateTime),  # real time before which it is not tried again; None: at once
    Column("taken_at", UTCDateTime),  # real time; since when somebody has it in hand, and nobody has noted what came
    Column("created_at", UTCDateTime, nullable=False),
    Index("ix_outbox_state_send_at", "state", "send_at"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("seq", Seq, primary_key=True),
    of_municipality(),
    Column("outbox_seq", ForeignKey("outbox.seq"), nullable=False, index=True),
    of("delivery", nullable=True, index=True),
    Column("channel", String(32), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("outcome", String(16), nullable=False),  # sent | failed | unknown
    Column("reason", Text),
)

note = Table(
    "note",
    metadata,
    own_id(),
    of_municipality(),
    of("patient", index=True),
    Column("alert_id", String(64)),
    Column("by", String(64), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("text", Text, nullable=False),
)
