"""The first tables, continued: readings, alerts, and what hangs on them.

Split from step 0001 for the reader's sake only.
"""

import sqlalchemy as sa
from alembic import op

from server.db.dialect import never_changed
from server.db.types import MeasuredValue, UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _due()
    _enrolment()
    _evaluation()
    _fact()
    _memory()
    _note()
    _plan_version()
    _session()
    _outbox()
    _reading()
    _attempt()
    _measurement()
    _only_grows("fact")


def _due() -> None:
    op.create_table(
        "due",
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("evaluate_at", UTCDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.municipality_id"], name="fk_due_municipality_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_due_patient_id"),
        sa.PrimaryKeyConstraint("patient_id", name="pk_due"),
    )
    op.create_index("ix_due_evaluate_at", "due", ["evaluate_at"], unique=False)
    op.create_index("ix_due_municipality_id", "due", ["municipality_id"], unique=False)


def _enrolment() -> None:
    op.create_table(
        "enrolment",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("team_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("replaces", sa.String(length=120), nullable=True),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_enrolment_municipality_id"
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_enrolment_patient_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_enrolment_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_enrolment"),
    )
    op.create_index("ix_enrolment_municipality_id", "enrolment", ["municipality_id"], unique=False)
    op.create_index("ix_enrolment_patient_id", "enrolment", ["patient_id"], unique=False)
    op.create_index("ix_enrolment_team_id", "enrolment", ["team_id"], unique=False)


def _evaluation() -> None:
    op.create_table(
        "evaluation",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("plan_version", sa.Integer(), nullable=False),
        sa.Column("click", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_evaluation_municipality_id"
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_evaluation_patient_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_evaluation"),
    )
    op.create_index("ix_evaluation_municipality_id", "evaluation", ["municipality_id"], unique=False)
    op.create_index("ix_evaluation_patient_id", "evaluation", ["patient_id"], unique=False)


def _fact() -> None:
    op.create_table(
        "fact",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("alert_id", sa.String(length=64), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=True),
        sa.Column("priority", sa.String(length=16), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.Column("to", sa.String(length=32), nullable=True),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.municipality_id"], name="fk_fact_municipality_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_fact_patient_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_fact"),
    )
    op.create_index("ix_fact_alert_id", "fact", ["alert_id"], unique=False)
    op.create_index("ix_fact_municipality_id", "fact", ["municipality_id"], unique=False)
    op.create_index("ix_fact_patient_id", "fact", ["patient_id"], unique=False)


def _memory() -> None:
    op.create_table(
        "memory",
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(length=16), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_memory_municipality_id"
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_memory_patient_id"),
        sa.PrimaryKeyConstraint("patient_id", name="pk_memory"),
    )
    op.create_index("ix_memory_municipality_id", "memory", ["municipality_id"], unique=False)


def _note() -> None:
    op.create_table(
        "note",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("alert_id", sa.String(length=64), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.municipality_id"], name="fk_note_municipality_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_note_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
    )
    op.create_index("ix_note_municipality_id", "note", ["municipality_id"], unique=False)
    op.create_index("ix_note_patient_id", "note", ["patient_id"], unique=False)


def _plan_version() -> None:
    op.create_table(
        "plan_version",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rulebook", sa.String(length=64), nullable=False),
        sa.Column("rulebook_version", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("active_from", UTCDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_plan_version_municipality_id"
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_plan_version_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_version"),
        sa.UniqueConstraint("patient_id", "version", name="uq_plan_version_patient_id_version"),
    )
    op.create_index("ix_plan_version_municipality_id", "plan_version", ["municipality_id"], unique=False)


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_session_municipality_id"
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_session_staff_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_session"),
    )
    op.create_index("ix_session_municipality_id", "session", ["municipality_id"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("fact_seq", _SEQ, nullable=False),
        sa.Column("alert_id", sa.String(length=64), nullable=True),
        sa.Column("to", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("send_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["fact_seq"], ["fact.seq"], name="fk_outbox_fact_seq"),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_outbox_municipality_id"
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_outbox_patient_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_outbox"),
        sa.UniqueConstraint("fact_seq", name="uq_outbox_fact_seq"),
    )
    op.create_index("ix_outbox_municipality_id", "outbox", ["municipality_id"], unique=False)
    op.create_index("ix_outbox_state_send_at", "outbox", ["state", "send_at"], unique=False)


def _reading() -> None:
    op.create_table(
        "reading",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=True),
        sa.Column("unclaimed", sa.String(length=32), nullable=True),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=True),
        sa.Column("taken_at", UTCDateTime(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("evaluation_seq", _SEQ, nullable=True),
        sa.Column("clock", sa.String(length=16), nullable=False),
        sa.Column("offset_s", sa.Integer(), nullable=False),
        sa.Column("quality", sa.String(length=8), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("battery", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["evaluation_seq"], ["evaluation.seq"], name="fk_reading_evaluation_seq"),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name="fk_reading_gateway_id"),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_reading_municipality_id"
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_reading_patient_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_reading"),
        sa.UniqueConstraint("id", "gateway_id", name="uq_reading_id_gateway_id"),
    )
    op.create_index("ix_reading_municipality_id", "reading", ["municipality_id"], unique=False)
    op.create_index("ix_reading_municipality_id_unclaimed", "reading", ["municipality_id", "unclaimed"], unique=False)
    op.create_index("ix_reading_patient_id_evaluation_seq", "reading", ["patient_id", "evaluation_seq"], unique=False)
    op.create_index("ix_reading_patient_id_taken_at", "reading", ["patient_id", "taken_at"], unique=False)


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("outbox_seq", _SEQ, nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_attempt_municipality_id"
        ),
        sa.ForeignKeyConstraint(["outbox_seq"], ["outbox.seq"], name="fk_attempt_outbox_seq"),
        sa.PrimaryKeyConstraint("seq", name="pk_attempt"),
    )
    op.create_index("ix_attempt_municipality_id", "attempt", ["municipality_id"], unique=False)
    op.create_index("ix_attempt_outbox_seq", "attempt", ["outbox_seq"], unique=False)


def _measurement() -> None:
    op.create_table(
        "measurement",
        sa.Column("reading_seq", _SEQ, nullable=False),
        sa.Column("metric", sa.String(length=32), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=True),
        sa.Column("taken_at", UTCDateTime(), nullable=False),
        sa.Column("value", MeasuredValue(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_measurement_municipality_id"
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_measurement_patient_id"),
        sa.ForeignKeyConstraint(["reading_seq"], ["reading.seq"], name="fk_measurement_reading_seq"),
        sa.PrimaryKeyConstraint("reading_seq", "metric", name="pk_measurement"),
    )
    op.create_index("ix_measurement_municipality_id", "measurement", ["municipality_id"], unique=False)
    op.create_index(
        "ix_measurement_patient_id_metric_taken_at", "measurement", ["patient_id", "metric", "taken_at"], unique=False
    )


def _only_grows(table: str) -> None:
    for statement in never_changed(op.get_bind().dialect.name, table):
        op.execute(statement)
