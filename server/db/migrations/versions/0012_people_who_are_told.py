"""Rosters and channels of people, who was told by which of them, who answers for others, and hand-over notes."""

import sqlalchemy as sa
from alembic import op

from server.db.types import UTCDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "service_agreement", sa.Column("kind", sa.String(16), nullable=False, server_default=sa.text("'follows'"))
    )
    op.add_column("outbox", sa.Column("taken_at", UTCDateTime(), nullable=True))
    op.create_index("ix_outbox_alert_id", "outbox", ["alert_id"])
    _teams()
    _told()
    with op.batch_alter_table("attempt") as attempt:
        attempt.add_column(sa.Column("delivery_id", sa.String(64), nullable=True))
        attempt.create_foreign_key("fk_attempt_delivery_id", "delivery", ["delivery_id"], ["id"])
        attempt.create_index("ix_attempt_delivery_id", ["delivery_id"])


def _teams() -> None:
    _table(
        "channel",
        _id("team_id"),
        _id("staff_id", nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        to={"team_id": "team.id", "staff_id": "staff.id"},
    )
    _table(
        "duty",
        _id("team_id"),
        _id("staff_id"),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("set_by", sa.String(64), nullable=False),
        to={"team_id": "team.id", "staff_id": "staff.id"},
    )
    _table(
        "routing",
        _id("patient_id"),
        _id("team_id"),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        to={"patient_id": "patient.id", "team_id": "team.id"},
    )
    _table(
        "handover_note",
        _id("team_id"),
        _id("to_team_id"),
        _id("patient_id", nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("taken_by", sa.String(64), nullable=True),
        sa.Column("taken_at", UTCDateTime(), nullable=True),
        to={"team_id": "team.id", "to_team_id": "team.id", "patient_id": "patient.id"},
    )
    _indexed("channel", ("team_id",), ("staff_id",))
    _indexed("duty", ("staff_id",), ("team_id", "ends_at"))
    _indexed("routing", ("patient_id",), ("team_id", "ends_at"))
    _indexed("handover_note", ("team_id",), ("to_team_id",), ("patient_id",))


def _told() -> None:
    _table(
        "delivery",
        _id("patient_id"),
        sa.Column("outbox_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        _id("team_id", nullable=True),
        _id("staff_id", nullable=True),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("receipt_digest", sa.String(64), nullable=True),
        sa.Column("receipt_at", UTCDateTime(), nullable=True),
        sa.UniqueConstraint("receipt_digest", name="uq_delivery_receipt_digest"),
        to={"patient_id": "patient.id", "outbox_seq": "outbox.seq", "team_id": "team.id", "staff_id": "staff.id"},
    )
    _indexed("delivery", ("outbox_seq",), ("team_id",))


def _table(name: str, *columns: sa.schema.SchemaItem, to: dict[str, str]) -> None:
    references = {"municipality_id": "municipality.municipality_id", **to}
    op.create_table(
        name,
        sa.Column("id", sa.String(64), nullable=False),
        _id("municipality_id"),
        *columns,
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_{name}_{column}")
            for column, target in references.items()
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    _indexed(name, ("municipality_id",))


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=nullable)


def _indexed(table: str, *indexes: tuple[str, ...]) -> None:
    for columns in indexes:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
