"""Readings and measurements are not checked for what they repeat of each other (decision 0013).

A measurement names its reading's patient and municipality again, a reading its gateway's municipality: all are written
by one function in one transaction. The database's checks of them were more than half of what recording cost it.
"""

from collections.abc import Sequence

from alembic import op

from server.db.migrations.references import give_up

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_GIVEN_UP: dict[str, Sequence[str]] = {
    "measurement": ("municipality_id", "patient_id", "reading_seq"),
    "reading": ("municipality_id", "evaluation_seq"),
}


def upgrade() -> None:
    for table, columns in _GIVEN_UP.items():
        give_up(table, columns)
        op.execute(f"DROP INDEX IF EXISTS ix_{table}_municipality_id")
