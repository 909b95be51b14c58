"""The few statements that databases write differently, each once. Words of a dialect stand only in this folder."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects.sqlite import insert

from server.db import tables


def begin_statement(*, reading: bool) -> str:
    """How a transaction starts: a writer takes the write lock at once and so never fails half-way for want of it."""
    return "BEGIN" if reading else "BEGIN IMMEDIATE"


def first_free(connection: Connection, table: Table) -> int:
    """The next free `seq` of a table; nobody else can take it before this transaction ends."""
    return (connection.execute(select(func.max(table.c.seq))).scalar() or 0) + 1


def put(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert `row`, or replace the columns of the row that has the same primary key."""
    keys = [column.name for column in table.primary_key]
    statement = insert(table).values(**row)
    changed = {name: statement.excluded[name] for name in row if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def due_at_latest(connection: Connection, patients: Sequence[tuple[str, str]], moment: datetime) -> None:
    """Put patients (id, municipality) on the slate for `moment`, unless they are due earlier already."""
    if not patients:
        return
    statement = insert(tables.due)
    earlier = func.min(tables.due.c.evaluate_at, statement.excluded.evaluate_at)
    statement = statement.on_conflict_do_update(index_elements=["patient_id"], set_={"evaluate_at": earlier})
    rows = [{"patient_id": p, "municipality_id": m, "evaluate_at": moment} for p, m in sorted(patients)]
    connection.execute(statement, rows)


def count_again(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert quarantine rows; the same content again adds to `times`, and a resolved row is open again."""
    if not rows:
        return
    statement = insert(tables.quarantine)
    old = tables.quarantine.c
    again = {
        "times": old.times + statement.excluded.times,
        "last_at": statement.excluded.last_at,
        "state": "open",
        "resolved_by": None,
        "resolved_at": None,
    }
    connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=again), list(rows))


def never_changed(table: str) -> tuple[str, ...]:
    """Statements that make the database itself refuse to change or remove rows of `table`."""
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
        for verb in ("UPDATE", "DELETE")
    )
