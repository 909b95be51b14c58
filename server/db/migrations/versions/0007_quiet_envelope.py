"""What may wait for the next evaluation: the envelope beside the moment of it, and which readings were let wait."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("due", sa.Column("envelope", sa.Text(), nullable=True))
    op.add_column("reading", sa.Column("quiet", sa.Boolean(), nullable=False, server_default=sa.false()))
