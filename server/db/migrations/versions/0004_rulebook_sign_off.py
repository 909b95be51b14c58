"""Who signed which rulebook, and when."""

import sqlalchemy as sa
from alembic import op

from server.db.types import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rulebook_sign_off",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("rulebook", sa.String(length=64), nullable=False),
        sa.Column("rulebook_version", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("signed_by", sa.String(length=64), nullable=False),
        sa.Column("signed_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_rulebook_sign_off_municipality_id"
        ),
        sa.ForeignKeyConstraint(["signed_by"], ["staff.id"], name="fk_rulebook_sign_off_signed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_rulebook_sign_off"),
    )
    op.create_index("ix_rulebook_sign_off_municipality_id", "rulebook_sign_off", ["municipality_id"], unique=False)
