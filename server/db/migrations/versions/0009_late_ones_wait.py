"""Who is due only because of readings from long ago lets the others go first (decision 0017)."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("due", sa.Column("late", sa.Boolean(), nullable=False, server_default=sa.false()))
