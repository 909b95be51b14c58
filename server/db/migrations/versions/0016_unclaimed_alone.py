"""Readings that nobody has are few: their index holds them alone, so that all the others need not be put into it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NAME = "ix_reading_municipality_id_unclaimed"


def upgrade() -> None:
    op.drop_index(_NAME, "reading")
    nobodys = sa.text("unclaimed IS NOT NULL")
    op.create_index(_NAME, "reading", ["municipality_id", "unclaimed"], postgresql_where=nobodys, sqlite_where=nobodys)
