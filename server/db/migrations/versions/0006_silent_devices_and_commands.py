"""Devices that are not heard, what people ask of gateways, and what gateways say of their radio and clock."""

import sqlalchemy as sa
from alembic import op

from server.db.types import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gateway_status", sa.Column("more", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "device_silence",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.String(64), nullable=False),
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("patient_id", sa.String(64), nullable=False),
        sa.Column("heard_at", UTCDateTime(), nullable=False),
        sa.Column("known_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=True),
        *_references("device_silence", "municipality.municipality_id", "device.id", "patient.id"),
        sa.PrimaryKeyConstraint("seq", name="pk_device_silence"),
    )
    op.create_table(
        "gateway_command",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("municipality_id", sa.String(64), nullable=False),
        sa.Column("gateway_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("device", sa.String(64), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("told_at", UTCDateTime(), nullable=True),
        *_references("gateway_command", "municipality.municipality_id", "gateway.id"),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_command"),
    )
    for table, columns in {
        "device_silence": ("municipality_id", "device_id", "patient_id"),
        "gateway_command": ("municipality_id", "gateway_id"),
    }.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


def _references(table: str, *targets: str) -> list[sa.ForeignKeyConstraint]:
    columns = {target: f"{target.partition('.')[0]}_id" for target in targets}
    return [
        sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}") for target, column in columns.items()
    ]
