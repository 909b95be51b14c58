"""Who is on duty, how people are reached, who was told, and what one shift leaves to the next."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from server.db.tables.shape import metadata, of, of_municipality, own_id
from server.db.types import UTCDateTime

# A way to reach a person, or (without one) the team as a whole: its own telephone or mailbox.
channel = Table(
    "channel",
    metadata,
    own_id(),
    of_municipality(),
    of("team", index=True),
    of("staff", nullable=True, index=True),
    Column("kind", String(16), nullable=False),  # text | mail | log
    Column("address", LargeBinary, nullable=False),  # encrypted, see server/vault.py
    Column("place", Integer, nullable=False),  # the lowest is tried first
)

# A browser in which somebody asked to be told by web push.
browser = Table(
    "browser",
    metadata,
    own_id(),
    of_municipality(),
    of("staff", index=True),
    Column("digest", String(64), nullable=False, unique=True),  # of the endpoint: one browser tells one person
    Column("subscription", LargeBinary, nullable=False),  # endpoint and keys; encrypted
    Column("language", String(8), nullable=False),  # what it is told in
    Column("label", String(80), nullable=False),  # "Firefox, Android"
    Column("added_at", UTCDateTime, nullable=False),
)

# The roster: who answers for a team in which role of the ladder, from when to when.
duty = Table(
    "duty",
    metadata,
    own_id(),
    of_municipality(),
    of("team"),
    of("staff", index=True),
    Column("role", String(32), nullable=False),  # alerts.fact.Role
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime, nullable=False),
    Column("set_by", String(64), nullable=False),
    Index("ix_duty_team_id_ends_at", "team_id", "ends_at"),
)

# A patient whom another team may know of for a while: it was told of an alert, or was asked to look after them.
routing = Table(
    "routing",
    metadata,
    own_id(),
    of_municipality(),  # the patient's
    of("patient", index=True),
    of("team"),  # to whom
    Column("reason", String(16), nullable=False),  # escalated | handed_over
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime, nullable=False),
    Index("ix_routing_team_id_ends_at", "team_id", "ends_at"),
)

# One recipient of one notice. The id is the message's own, the same at every try.
delivery = Table(
    "delivery",
    metadata,
    own_id(),
    of_municipality(),
    of("patient"),
    Column("outbox_seq", ForeignKey("outbox.seq"), nullable=False, index=True),
    of("team", nullable=True, index=True),
    of("staff", nullable=True),  # None: the team as a whole
    Column("role", String(32), nullable=False),  # as whom they are told; another than the notice's when it went up
    # waiting | sent | delivered | read | accepted | refused | failed | unneeded
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", UTCDateTime),  # real time of the next try; None: at once, or none is to come
    Column("created_at", UTCDateTime, nullable=False),
    Column("receipt", LargeBinary),  # the secret with which a channel may say what became of it; encrypted
    Column("receipt_digest", String(64), unique=True),
    Column("receipt_at", UTCDateTime),  # when it last said something
)

# What one shift leaves to the next, or a team to the one that answers at night.
handover_note = Table(
    "handover_note",
    metadata,
    own_id(),
    of_municipality(),
    of("team", index=True),  # whose shift wrote it
    Column("to_team_id", ForeignKey("team.id"), nullable=False, index=True),
    of("patient", nullable=True, index=True),
    Column("text", LargeBinary, nullable=False),  # encrypted
    Column("by", String(64), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("taken_by", String(64)),
    Column("taken_at", UTCDateTime),
)
