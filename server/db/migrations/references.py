"""How a migration gives up references: what the database has checked so far and is to check no more."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


def give_up(table: str, columns: Sequence[str]) -> None:
    """Have these columns of `table` refer to nothing any more, for the database."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _copy_without(connection, table, columns)
        return
    for column in columns:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS fk_{table}_{column}")


def _copy_without(connection: sa.Connection, name: str, columns: Sequence[str]) -> None:
    """The only way there: the table as it is, without these references, filled from the old one."""
    table = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    for each in [each for each in table.foreign_key_constraints if set(each.column_keys) <= set(columns)]:
        table.constraints.remove(each)
        for key in each.elements:
            key.parent.foreign_keys.discard(key)
    with op.batch_alter_table(name, copy_from=table, recreate="always"):
        pass
