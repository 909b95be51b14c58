"""How fast an alert gets worse, and an index that holds all that the order of a worklist is made of."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SHOWN = sa.text("state IN ('active', 'acknowledged', 'cleared')")
_SORTS = (
    *("patient_id", "raised_at", "id", "rule", "state", "priority", "pace", "snoozed_until", "owner"),
    *("condition", "municipality_id"),
)


def upgrade() -> None:
    op.add_column("alert", sa.Column("pace", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_alert_shown", "alert", _SORTS, sqlite_where=_SHOWN, postgresql_where=_SHOWN)
