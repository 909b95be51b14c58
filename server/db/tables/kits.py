"""What stands in homes: gateways and devices, whose they are, and when nobody heard them."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Text, UniqueConstraint, true

from server.db.tables.shape import Json, Seq, metadata, of, of_municipality, own_id
from server.db.types import UTCDateTime

gateway = Table(
    "gateway",
    metadata,
    own_id(),  # the id in its topics
    of_municipality(),
    Column("key", LargeBinary, nullable=False),  # encrypted
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("created_at", UTCDateTime, nullable=False),
)

gateway_status = Table(
    "gateway_status",
    metadata,
    Column("gateway_id", ForeignKey("gateway.id"), primary_key=True),
    of_municipality(),
    Column("online", Boolean, nullable=False),
    Column("at", UTCDateTime),  # by the gateway's clock; None when its last will spoke
    Column("battery", Integer),
    Column("spool", Integer),
    Column("refused", Integer),
    Column("heard", Json, nullable=False),  # device address -> time last heard
    Column("versions", Json, nullable=False),
    Column("more", Json),  # radio, bonds, clock and counters, as `ingest.status.More` reads them; None: not said
    Column("received_at", UTCDateTime, nullable=False),
)

# When a gateway was not heard of: the missing rule must not blame the patient for it.
gateway_outage = Table(
    "gateway_outage",
    metadata,
    Column("seq", Seq, primary_key=True),
    of_municipality(),
    of("gateway", index=True),
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),
    Column("known_at", UTCDateTime),  # when it was noticed, if later than it began; a replay must not know it before
)

# What people ask of a gateway. Sent until it says what became of it, or until it is too late.
gateway_command = Table(
    "gateway_command",
    metadata,
    own_id(),
    of_municipality(),
    of("gateway", index=True),
    Column("kind", String(32), nullable=False),
    Column("device", String(64)),  # its address, where one is meant
    Column("body", LargeBinary),  # encrypted: a passkey may be in it; None once nobody needs to hear it
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("outcome", Text),  # obeyed | expired | refused: why; None: not known yet
    Column("told_at", UTCDateTime),  # when the outcome was known
)

device = Table(
    "device",
    metadata,
    own_id(),
    of_municipality(),
    Column("address", String(64), nullable=False, index=True),  # upper case, as on the wire
    Column("kind", String(32), nullable=False),
    Column("model", String(64)),
    UniqueConstraint("municipality_id", "address"),
)

# From starts_at up to (not including) ends_at; a device has one patient at a time (server/care/kits.py).
assignment = Table(
    "assignment",
    metadata,
    own_id(),
    of_municipality(),
    of("device", index=True),
    of("patient", index=True),
    of("gateway"),  # whose word counts for this device and patient
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),
)

# When a device that its patient's plan counts on was not heard of, though its gateway was (watch/devices.py).
device_silence = Table(
    "device_silence",
    metadata,
    Column("seq", Seq, primary_key=True),
    of_municipality(),
    of("device", index=True),
    of("patient", index=True),
    Column("heard_at", UTCDateTime, nullable=False),  # last contact, or since when it could have been heard
    Column("known_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),
)
