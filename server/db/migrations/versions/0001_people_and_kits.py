"""The first tables: people, kits, and what hangs on them.

Tables are named in full here and never taken from `tables.py`, which moves on.
"""

import sqlalchemy as sa
from alembic import op

from server.db.dialect import never_changed
from server.db.types import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _municipality()
    _device()
    _gateway()
    _person()
    _quarantine()
    _role_beat()
    _team()
    _gateway_outage()
    _gateway_status()
    _patient()
    _service_agreement()
    _staff()
    _token()
    _alert()
    _assignment()
    _audit()
    _only_grows("audit")


def _municipality() -> None:
    op.create_table(
        "municipality",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("number", sa.String(length=4), nullable=False),
        sa.Column("hosts", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("municipality_id", name="pk_municipality"),
        sa.UniqueConstraint("number", name="uq_municipality_number"),
    )


def _device() -> None:
    op.create_table(
        "device",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_device_municipality_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.UniqueConstraint("municipality_id", "address", name="uq_device_municipality_id_address"),
    )
    op.create_index("ix_device_municipality_id", "device", ["municipality_id"], unique=False)


def _gateway() -> None:
    op.create_table(
        "gateway",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_gateway_municipality_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_gateway"),
    )
    op.create_index("ix_gateway_municipality_id", "gateway", ["municipality_id"], unique=False)


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("national_id", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_person_municipality_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
    )
    op.create_index("ix_person_municipality_id", "person", ["municipality_id"], unique=False)


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=True),
        sa.Column("gateway", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=True),
        sa.Column("message_id", sa.String(length=64), nullable=True),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("payload_bytes", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("resolved_by", sa.String(length=64), nullable=True),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_quarantine_municipality_id"
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_quarantine"),
        sa.UniqueConstraint("digest", name="uq_quarantine_digest"),
    )
    op.create_index("ix_quarantine_kind", "quarantine", ["kind"], unique=False)
    op.create_index("ix_quarantine_municipality_id", "quarantine", ["municipality_id"], unique=False)
    op.create_index("ix_quarantine_state", "quarantine", ["state"], unique=False)


def _role_beat() -> None:
    op.create_table(
        "role_beat",
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_role_beat_municipality_id"
        ),
        sa.PrimaryKeyConstraint("role", name="pk_role_beat"),
    )


def _team() -> None:
    op.create_table(
        "team",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.municipality_id"], name="fk_team_municipality_id"),
        sa.PrimaryKeyConstraint("id", name="pk_team"),
    )
    op.create_index("ix_team_municipality_id", "team", ["municipality_id"], unique=False)


def _gateway_outage() -> None:
    op.create_table(
        "gateway_outage",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name="fk_gateway_outage_gateway_id"),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_gateway_outage_municipality_id"
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_gateway_outage"),
    )
    op.create_index("ix_gateway_outage_gateway_id", "gateway_outage", ["gateway_id"], unique=False)
    op.create_index("ix_gateway_outage_municipality_id", "gateway_outage", ["municipality_id"], unique=False)


def _gateway_status() -> None:
    op.create_table(
        "gateway_status",
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=True),
        sa.Column("battery", sa.Integer(), nullable=True),
        sa.Column("spool", sa.Integer(), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=True),
        sa.Column("heard", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name="fk_gateway_status_gateway_id"),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_gateway_status_municipality_id"
        ),
        sa.PrimaryKeyConstraint("gateway_id", name="pk_gateway_status"),
    )
    op.create_index("ix_gateway_status_municipality_id", "gateway_status", ["municipality_id"], unique=False)


def _patient() -> None:
    op.create_table(
        "patient",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("matters", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_patient_municipality_id"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_patient_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_patient"),
    )
    op.create_index("ix_patient_municipality_id", "patient", ["municipality_id"], unique=False)


def _service_agreement() -> None:
    op.create_table(
        "service_agreement",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("team_id", sa.String(length=64), nullable=False),
        sa.Column("hours", sa.String(length=120), nullable=False),
        sa.Column("priorities", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_service_agreement_municipality_id"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_service_agreement_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_service_agreement"),
    )
    op.create_index("ix_service_agreement_municipality_id", "service_agreement", ["municipality_id"], unique=False)
    op.create_index("ix_service_agreement_team_id", "service_agreement", ["team_id"], unique=False)


def _staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("team_id", sa.String(length=64), nullable=True),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.municipality_id"], name="fk_staff_municipality_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_staff_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_staff_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
    )
    op.create_index("ix_staff_municipality_id", "staff", ["municipality_id"], unique=False)


def _token() -> None:
    op.create_table(
        "token",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("team_id", sa.String(length=64), nullable=True),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.municipality_id"], name="fk_token_municipality_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_token_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sa.UniqueConstraint("digest", name="uq_token_digest"),
    )
    op.create_index("ix_token_municipality_id", "token", ["municipality_id"], unique=False)


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.String(length=16), nullable=False),
        sa.Column("highest", sa.String(length=16), nullable=False),
        sa.Column("condition", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("raised_at", UTCDateTime(), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("snoozed_until", UTCDateTime(), nullable=True),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.municipality_id"], name="fk_alert_municipality_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_alert_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_municipality_id", "alert", ["municipality_id"], unique=False)
    op.create_index(
        "ix_alert_municipality_id_state_opened_at", "alert", ["municipality_id", "state", "opened_at"], unique=False
    )
    op.create_index("ix_alert_patient_id", "alert", ["patient_id"], unique=False)


def _assignment() -> None:
    op.create_table(
        "assignment",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_assignment_device_id"),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name="fk_assignment_gateway_id"),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_assignment_municipality_id"
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_assignment_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assignment"),
    )
    op.create_index("ix_assignment_device_id", "assignment", ["device_id"], unique=False)
    op.create_index("ix_assignment_municipality_id", "assignment", ["municipality_id"], unique=False)
    op.create_index("ix_assignment_patient_id", "assignment", ["patient_id"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=True),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.municipality_id"], name="fk_audit_municipality_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name="fk_audit_patient_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_actor_at", "audit", ["actor", "at"], unique=False)
    op.create_index("ix_audit_municipality_id", "audit", ["municipality_id"], unique=False)
    op.create_index("ix_audit_patient_id", "audit", ["patient_id"], unique=False)


def _only_grows(table: str) -> None:
    for statement in never_changed(op.get_bind().dialect.name, table):
        op.execute(statement)
