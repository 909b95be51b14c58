"""All tables on one page. Every one carries its municipality, so that `access.scope` can hold for every query.

Names and national ids live in `person` alone, encrypted; everything else speaks of opaque ids. Times are aware UTC.
`fact` and `audit` only grow (the database itself refuses to change them). A reading's `seq` is the order of arrival.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from server.db.types import MeasuredValue, UTCDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Seq = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts up by itself there
_Json = JSON(none_as_null=True)


def _id() -> Column[str]:
    return Column("id", String(64), primary_key=True)


def _municipality() -> Column[str]:
    return Column("municipality_id", ForeignKey("municipality.municipality_id"), nullable=False, index=True)


def _repeated(name: str, *, nullable: bool = False) -> Column[str]:
    """What another row says already that was written in the same transaction: not checked again (decision 0013)."""
    return Column(f"{name}_id", String(64), nullable=nullable)


def _of(name: str, *, nullable: bool = False, index: bool = False) -> Column[str]:
    """The reference to a row of `name`."""
    return Column(f"{name}_id", ForeignKey(f"{name}.id"), nullable=nullable, index=index)


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
    _id(),
    _municipality(),
    Column("name", LargeBinary, nullable=False),  # encrypted, see server/vault.py
    Column("national_id", LargeBinary),  # encrypted
)

team = Table("team", metadata, _id(), _municipality(), Column("name", String(120), nullable=False))

# Which team watches patients of which municipality; without an active one a team sees nobody there.
service_agreement = Table(
    "service_agreement",
    metadata,
    _id(),
    _municipality(),  # whose patients
    _of("team", index=True),
    Column("hours", String(120), nullable=False),  # "08:00-15:30 mon-fri"
    Column("priorities", _Json, nullable=False),
    Column("state", String(16), nullable=False),  # active | ended
)

staff = Table(
    "staff",
    metadata,
    _id(),
    _municipality(),
    _of("person"),
    _of("team", nullable=True),
    Column("role", String(32), nullable=False),
    Column("active", Boolean, nullable=False, server_default=true()),
)

patient = Table(
    "patient",
    metadata,
    _id(),
    _municipality(),
    _of("person"),
    Column("timezone", String(64), nullable=False),
    Column("matters", LargeBinary),  # what matters to the patient, in their own words; encrypted
    Column("created_at", UTCDateTime, nullable=False),
)

enrolment = Table(
    "enrolment",
    metadata,
    _id(),
    _municipality(),
    _of("patient", index=True),
    _of("team", index=True),
    Column("state", String(16), nullable=False),  # active | paused | ended
    Column("replaces", String(120)),
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),
)

plan_version = Table(
    "plan_version",
    metadata,
    _id(),
    _municipality(),
    _of("patient"),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # active | replaced
    Column("rulebook", String(64), nullable=False),
    Column("rulebook_version", String(32), nullable=False),
    Column("body", _Json, nullable=False),  # alerts.plan.to_mapping
    Column("active_from", UTCDateTime, nullable=False),
    Column("approved_by", String(64), nullable=False),
    UniqueConstraint("patient_id", "version"),
)

# A clinician's word that a rulebook may judge the municipality's patients; a plan outside the demo needs one.
rulebook_sign_off = Table(
    "rulebook_sign_off",
    metadata,
    _id(),
    _municipality(),
    Column("rulebook", String(64), nullable=False),
    Column("rulebook_version", String(32), nullable=False),
    Column("digest", String(64), nullable=False),  # of its content, see server/care/approval.py
    Column("signed_by", ForeignKey("staff.id"), nullable=False),
    Column("signed_at", UTCDateTime, nullable=False),
)

gateway = Table(
    "gateway",
    metadata,
    _id(),  # the id in its topics
    _municipality(),
    Column("key", LargeBinary, nullable=False),  # encrypted
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("created_at", UTCDateTime, nullable=False),
)

gateway_status = Table(
    "gateway_status",
    metadata,
    Column("gateway_id", ForeignKey("gateway.id"), primary_key=True),
    _municipality(),
    Column("online", Boolean, nullable=False),
    Column("at", UTCDateTime),  # by the gateway's clock; None when its last will spoke
    Column("battery", Integer),
    Column("spool", Integer),
    Column("refused", Integer),
    Column("heard", _Json, nullable=False),  # device address -> time last heard
    Column("versions", _Json, nullable=False),
    Column("more", _Json),  # radio, bonds, clock and counters, as `ingest.status.More` reads them; None: not said
    Column("received_at", UTCDateTime, nullable=False),
)

# When a gateway was not heard of: the missing rule must not blame the patient for it.
gateway_outage = Table(
    "gateway_outage",
    metadata,
    Column("seq", _Seq, primary_key=True),
    _municipality(),
    _of("gateway", index=True),
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),
    Column("known_at", UTCDateTime),  # when it was noticed, if later than it began; a replay must not know it before
)

# What people ask of a gateway. Sent until it says what became of it, or until it is too late.
gateway_command = Table(
    "gateway_command",
    metadata,
    _id(),
    _municipality(),
    _of("gateway", index=True),
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
    _id(),
    _municipality(),
    Column("address", String(64), nullable=False),  # upper case, as on the wire
    Column("kind", String(32), nullable=False),
    Column("model", String(64)),
    UniqueConstraint("municipality_id", "address"),
)

# From starts_at up to (not including) ends_at; a device has one patient at a time (server/care/kits.py).
assignment = Table(
    "assignment",
    metadata,
    _id(),
    _municipality(),
    _of("device", index=True),
    _of("patient", index=True),
    _of("gateway"),  # whose word counts for this device and patient
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),
)

# When a device that its patient's plan counts on was not heard of, though its gateway was (watch/devices.py).
device_silence = Table(
    "device_silence",
    metadata,
    Column("seq", _Seq, primary_key=True),
    _municipality(),
    _of("device", index=True),
    _of("patient", index=True),
    Column("heard_at", UTCDateTime, nullable=False),  # last contact, or since when it could have been heard
    Column("known_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),
)

# Each time the rules were asked about somebody, and by which click: with readings and plans, all that a replay needs.
evaluation = Table(
    "evaluation",
    metadata,
    Column("seq", _Seq, primary_key=True),
    _municipality(),
    _of("patient", index=True),
    Column("at", UTCDateTime, nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("click", _Json),  # None: no click, time or a reading asked
)

reading = Table(
    "reading",
    metadata,
    Column("seq", _Seq, primary_key=True),
    Column("id", String(64), nullable=False),
    _repeated("municipality"),  # its gateway's
    _of("gateway"),
    _of("patient", nullable=True),
    Column("unclaimed", String(32)),  # why nobody has it, see ingest/claim.py
    Column("device", String(64), nullable=False),  # its address
    Column("model", String(64)),
    Column("taken_at", UTCDateTime, nullable=False),
    Column("received_at", UTCDateTime, nullable=False),
    Column("evaluation_seq", _Seq),  # when the rules first saw it; None: not yet
    Column("clock", String(16), nullable=False),
    Column("offset_s", Integer, nullable=False),
    Column("quality", String(8), nullable=False),
    Column("flags", _Json, nullable=False),
    Column("battery", Integer),
    # Sure to change nothing when it came: the rules count it as judged then, though they see it at the next evaluation.
    Column("quiet", Boolean, nullable=False, server_default=false()),
    # Per gateway, because ids can be computed by anyone: nobody may take another's id first and so silence it.
    UniqueConstraint("id", "gateway_id"),
    # A patient has a reading once, whichever of their gateways heard it. Those that nobody has are not compared.
    Index("uq_reading_patient_id_id", "patient_id", "id", unique=True),
    Index("ix_reading_patient_id_taken_at", "patient_id", "taken_at"),
    Index("ix_reading_patient_id_evaluation_seq", "patient_id", "evaluation_seq"),
    Index("ix_reading_municipality_id_unclaimed", "municipality_id", "unclaimed"),
)

measurement = Table(
    "measurement",
    metadata,
    Column("reading_seq", _Seq, primary_key=True),
    Column("metric", String(32), primary_key=True),
    _repeated("municipality"),
    _repeated("patient", nullable=True),
    Column("taken_at", UTCDateTime, nullable=False),
    Column("value", MeasuredValue, nullable=False),
    Index("ix_measurement_patient_id_metric_taken_at", "patient_id", "metric", "taken_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("seq", _Seq, primary_key=True),
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

due = Table(
    "due",
    metadata,
    Column("patient_id", ForeignKey("patient.id"), primary_key=True),
    _municipality(),
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
    _municipality(),
    Column("body", Text, nullable=False),  # alerts.memory.dump
    Column("zone", String(16), nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    _id(),
    _municipality(),
    _of("patient", index=True),
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
    Column("snoozed_until", UTCDateTime),
    Column("why", _Json, nullable=False),
    Column("body", _Json, nullable=False),  # alerts.alert.to_mapping: the whole of it
    Column("version", Integer, nullable=False),  # grows by one with every change; the ETag
    Column("updated_at", UTCDateTime, nullable=False),
    Index("ix_alert_municipality_id_state_opened_at", "municipality_id", "state", "opened_at"),
)

fact = Table(
    "fact",
    metadata,
    Column("seq", _Seq, primary_key=True),
    _municipality(),
    _of("patient", index=True),
    Column("alert_id", String(64), index=True),
    Column("at", UTCDateTime, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("rule", String(64)),
    Column("priority", String(16)),
    Column("by", String(64)),
    Column("to", String(32)),
    Column("why", _Json),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", _Seq, primary_key=True),
    _municipality(),
    _of("patient"),
    Column("fact_seq", ForeignKey("fact.seq"), nullable=False, unique=True),
    Column("alert_id", String(64)),
    Column("to", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # waiting | sent | failed
    Column("send_at", UTCDateTime),  # real time before which it is not tried again; None: at once
    Column("created_at", UTCDateTime, nullable=False),
    Index("ix_outbox_state_send_at", "state", "send_at"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("seq", _Seq, primary_key=True),
    _municipality(),
    Column("outbox_seq", ForeignKey("outbox.seq"), nullable=False, index=True),
    Column("channel", String(32), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("outcome", String(16), nullable=False),  # sent | failed
    Column("reason", Text),
)

note = Table(
    "note",
    metadata,
    _id(),
    _municipality(),
    _of("patient", index=True),
    Column("alert_id", String(64)),
    Column("by", String(64), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("text", Text, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", _Seq, primary_key=True),
    _municipality(),
    Column("at", UTCDateTime, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("action", String(64), nullable=False),
    _of("patient", nullable=True, index=True),
    Column("subject", String(64)),  # id of the alert, plan, device ... concerned
    Column("outcome", String(16), nullable=False),  # done | refused
    Index("ix_audit_actor_at", "actor", "at"),
)

session = Table(
    "session",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the cookie's secret
    _municipality(),
    _of("staff"),
    Column("created_at", UTCDateTime, nullable=False),
    Column("seen_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
)

token = Table(
    "token",
    metadata,
    _id(),
    _municipality(),
    Column("digest", String(64), nullable=False, unique=True),
    _of("team", nullable=True),
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
