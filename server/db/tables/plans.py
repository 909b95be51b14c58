"""How a plan comes to be: proposals and what became of them, texts of the zones, pauses, the decision behind it all."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from server.db.tables.shape import Json, Seq, metadata, of, of_municipality, own_id
from server.db.types import UTCDateTime

# A plan that somebody wishes for. It judges nobody; approved by another person, it becomes a `plan_version`.
plan_proposal = Table(
    "plan_proposal",
    metadata,
    own_id(),
    of_municipality(),
    of("patient", index=True),
    Column("base_version", Integer, nullable=False),  # the version that it changes; 0: there was none
    Column("state", String(16), nullable=False),  # tested | active | returned
    Column("body", Json, nullable=False),  # alerts.plan.to_mapping
    Column("texts", Json, nullable=False),  # zone -> the patient's own words
    Column("report", Json, nullable=False),  # server.reports.tryout: what it would have raised
    Column("reason", Text),  # why, above the team's alert budget
    Column("proposed_by", ForeignKey("staff.id"), nullable=False),
    Column("proposed_at", UTCDateTime, nullable=False),
    Column("version", Integer),  # what it became
)

# Everything that was ever done about a patient's plan, by whom and when.
plan_step = Table(
    "plan_step",
    metadata,
    Column("seq", Seq, primary_key=True),
    of_municipality(),
    of("patient", index=True),
    of("plan_proposal", nullable=True),
    Column("version", Integer),  # of the plan that it led to, or that it is about
    Column("step", String(16), nullable=False),  # server.care.proposing.Step
    Column("by", String(64), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("said", Text),
)

# What the patient reads in each zone; one row for each plan version that has such texts.
plan_text = Table(
    "plan_text",
    metadata,
    Column("patient_id", ForeignKey("patient.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    of_municipality(),
    Column("green", Text, nullable=False),
    Column("yellow", Text, nullable=False),
    Column("red", Text, nullable=False),
)

# Why a plan rests, and who said so; the rules know it from the plan's own pauses.
pause = Table(
    "pause",
    metadata,
    own_id(),
    of_municipality(),
    of("patient", index=True),
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),  # None: until somebody ends it
    Column("reason", String(16), nullable=False),  # server.care.pauses.Reason
    Column("remark", Text),
    Column("set_by", ForeignKey("staff.id"), nullable=False),
    Column("set_at", UTCDateTime, nullable=False),
    Column("ended_by", String(64)),
    Column("ended_at", UTCDateTime),
)

# The municipality's decision (vedtak) that the patient is followed up.
decision = Table(
    "decision",
    metadata,
    own_id(),
    of_municipality(),
    of("patient", index=True),
    Column("reference", String(64), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("replaces", Text, nullable=False),
    Column("decided_by", LargeBinary, nullable=False),  # a name; encrypted
    Column("starts_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime),
    Column("start_up_until", UTCDateTime),
    Column("recorded_by", ForeignKey("staff.id"), nullable=False),
    Column("recorded_at", UTCDateTime, nullable=False),
)

# Whom to call about a patient.
contact = Table(
    "contact",
    metadata,
    own_id(),
    of_municipality(),
    of("patient", index=True),
    Column("kind", String(16), nullable=False),  # primary | next_of_kin
    Column("name", LargeBinary, nullable=False),  # encrypted
    Column("phone", LargeBinary),  # encrypted
    Column("relation", String(64)),
)

# How many alerts a day one nurse of a team should have to handle at most; the newest row counts.
alert_budget = Table(
    "alert_budget",
    metadata,
    Column("seq", Seq, primary_key=True),
    of_municipality(),
    of("team", index=True),
    Column("alerts", Integer, nullable=False),  # per nurse and day
    Column("set_by", ForeignKey("staff.id"), nullable=False),
    Column("set_at", UTCDateTime, nullable=False),
)
