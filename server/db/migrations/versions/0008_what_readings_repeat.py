"""Readings and measurements are not checked for what they repeat of each other (decision 0013).

A measurement names its reading's patient and municipality again, a reading its gateway's municipality: all are written
by one function in one transaction. The database's checks of them were more than half of what recording cost it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_GIVEN_UP: dict[str, Sequence[str]] = {
    "measurement": ("municipality_id", "patient_id", "reading_seq"),
    "reading": ("municipality_id", "evaluation_seq"),
}


def upgrade() -> None:
    connection = op.get_bind()
    for table, columns in _GIVEN_UP.items():
        if connection.dialect.name == "sqlite":
            _copy_without(connection, table, columns)
        else:
            for column in columns:
                op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS fk_{table}_{column}")
        op.execute(f"DROP INDEX IF EXISTS ix_{table}_municipality_id")


def _copy_without(connection: sa.Connection, name: str, columns: Sequence[str]) -> None:
    """The only way there: the table as it is, without these references, filled from the old one."""
    table = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    for each in [each for each in table.foreign_key_constraints if set(each.column_keys) <= set(columns)]:
        table.constraints.remove(each)
        for key in each.elements:
            key.parent.foreign_keys.discard(key)
    with op.batch_alter_table(name, copy_from=table, recreate="always"):
        pass
