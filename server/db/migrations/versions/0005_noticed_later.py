"""An outage that is noticed later than it began says when: a replay must not know it before."""

import sqlalchemy as sa
from alembic import op

from server.db.types import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gateway_outage", sa.Column("known_at", UTCDateTime(), nullable=True))
