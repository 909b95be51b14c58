"""The few things that databases do differently, each once. Words of a dialect stand only in this folder."""

import json
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from collections.abc import Sequence as Rows
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Sequence,
    Table,
    Text,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.functions import FunctionElement

from server.db import lists, tables
from server.db.asking import Asked, Question, ask, tell
from server.db.types import UTCDateTime

_WHOSE_DEVICES = 1  # the number of the only lock that is no row's

# Both know ON CONFLICT, and SQLAlchemy spells it alike for both.
_INSERTS = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def _insert(connection: Connection, table: Table) -> Any:
    return _INSERTS[connection.dialect.name](table)


def _earlier(dialect: str, one: Any, other: Any) -> FunctionElement[datetime]:
    return func.min(one, other) if dialect == "sqlite" else func.least(one, other)


def numbers(connection: Connection, table: Table, count: int) -> list[int]:
    """The next `count` numbers for `seq` of a table, ascending; nobody else gets one of them."""
    return numbered(ask(connection, next_numbers({table: count}))[0])[table]


def next_numbers(counts: Mapping[Table, int]) -> Question:
    """What are the next numbers for `seq` of each table, so many? `numbered` reads the answer; nobody else gets one.

    A single writer looks at the highest. Where writers work side by side a sequence gives them out: they may then have
    gaps, and a later number may be committed first.
    """
    return _next_numbers(tuple(counts)).about(**{table.name: count for table, count in counts.items()})


def numbered(rows: Iterable[Any]) -> Mapping[Table, list[int]]:
    """The numbers that were given out, ascending."""
    found = defaultdict[Table, list[int]](list)
    for name, number in rows:
        found[tables.metadata.tables[name]].append(number)
    return found


@cache
def _next_numbers(of: tuple[Table, ...]) -> Asked:
    """Each table's name beside each of its next numbers; how many is given under its name."""
    return Asked(lambda dialect: union_all(*(_next(dialect, table) for table in of)))


def _next(dialect: str, table: Table) -> Any:
    count = bindparam(table.name, type_=Integer)
    if dialect != "sqlite":
        number = Sequence(f"{table.name}_seq_seq").next_value()
        return select(literal(table.name), number).select_from(func.generate_series(1, count))
    step = select(literal(1).label("by")).cte(f"next_{table.name}", recursive=True)
    step = step.union_all(select(step.c.by + 1).where(step.c.by < count))
    last = select(func.coalesce(func.max(table.c.seq), 0)).scalar_subquery()
    return select(literal(table.name), last + step.c.by).where(step.c.by <= count)


def take_turn(connection: Connection, patient: str, municipality: str, now: datetime) -> None:
    """Wait until nobody else works on this patient; nobody will before this transaction ends.

    The row on the slate is what everybody who records, judges or clicks must hold: without it a judge who looked before
    a reading was committed would write his own wake-up over the recorder's "now". The caller writes or removes the row
    before the end. A single writer has its turn already.
    """
    if connection.dialect.name == "sqlite":
        return
    row = {"patient_id": patient, "municipality_id": municipality, "evaluate_at": now}
    statement = _insert(connection, tables.due).values(**row)
    held = {"patient_id": statement.excluded.patient_id}
    connection.execute(statement.on_conflict_do_update(index_elements=["patient_id"], set_=held))


def devices_stay() -> Question:
    """No device changes hands from here to the end of the transaction; the answer says nothing.

    Asked before it is asked whose a device is. Else whoever assigns it meanwhile looks for readings that wait for him
    before ours is committed, and ours stays nobody's. One lock for all devices: a batch has a thousand.
    """
    return _devices_stay.about()


def devices_change_hands(connection: Connection) -> None:
    """Wait for whoever stores readings by where the devices were; nobody else does before this transaction ends.

    Called before the transaction looks at an assignment or holds a patient's turn: turns come after this lock.
    """
    ask(connection, _devices_change_hands.about())


@Asked
def _devices_stay(dialect: str) -> Any:
    return _locked(dialect, func.pg_advisory_xact_lock_shared)


@Asked
def _devices_change_hands(dialect: str) -> Any:
    return _locked(dialect, func.pg_advisory_xact_lock)


def _locked(dialect: str, lock: Callable[[int], Any]) -> Any:
    """A single writer needs none."""
    return select(literal(_WHOSE_DEVICES) if dialect == "sqlite" else lock(_WHOSE_DEVICES))


def among(connection: Connection, column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether `column` is one of `values`, as one parameter: a thousand of them take longer to spell than to find."""
    dialect = connection.dialect.name
    return lists.is_one_of(dialect, column, lists.given(dialect, values))


def put(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert `row`, or replace the columns of the row that has the same primary key."""
    connection.execute(putting(connection.dialect.name, table, tuple(row)), dict(row))


@cache  # three times an evaluation, and composing it took longer than running it
def putting(dialect: str, table: Table, names: tuple[str, ...]) -> Any:
    """The statement of `put` for rows of these columns."""
    keys = [column.name for column in table.primary_key]
    statement: Any = _INSERTS[dialect](table)
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def due_at_latest(
    connection: Connection, patients: Rows[tuple[str, str]], moment: datetime, late: Container[str] = ()
) -> None:
    """Put patients (id, municipality) on the slate for `moment`, unless they are due earlier already.

    The watches of other processes are rung at the COMMIT.

    `late`: who of them is due only for readings of long ago; others go first, and nobody due for more is held back.
    Nothing of theirs is quiet any more: what it was measured by has changed, or there is something to be judged.
    """
    if not patients:
        return
    # Sorted, so that two batches with the same patients wait for each other instead of forming a knot.
    rows = [(patient, municipality, patient in late) for patient, municipality in sorted(patients)]
    dialect = connection.dialect.name
    tell(connection, _on_slate.about(**_as_columns(dialect, rows), moment=moment))


@Asked
def _on_slate(dialect: str) -> Any:
    columns = ["patient_id", "municipality_id", "late", "evaluate_at"]
    statement: Any = _INSERTS[dialect](tables.due).from_select(columns, _given(dialect))
    earlier = _earlier(dialect, tables.due.c.evaluate_at, statement.excluded.evaluate_at)
    was = tables.due.c
    new_comes_first = was.evaluate_at > statement.excluded.evaluate_at
    later = case((new_comes_first, statement.excluded.late), else_=was.late & statement.excluded.late)
    changed = {"evaluate_at": earlier, "envelope": None, "late": later}
    put_down = statement.on_conflict_do_update(index_elements=["patient_id"], set_=changed)
    if dialect == "sqlite":
        return put_down
    return select(func.pg_notify(channel("watch"), "")).add_cte(put_down.cte("put_down"))


def channel(name: str) -> str:
    """On which channel of the database that name is rung."""
    return f"varde_{name}"


def _given(dialect: str) -> Select[Any]:
    """Rows as `_as_columns` gives them, `moment` at their end: one statement for a thousand, not as many journeys."""
    at = bindparam("moment", type_=UTCDateTime())
    if dialect == "sqlite":
        each = func.json_each(bindparam("rows", type_=Text)).table_valued("value")
        columns = (func.json_extract(each.c.value, f"$[{place}]") for place in range(3))
        return select(*columns, at).where(true())  # without a WHERE it reads ON CONFLICT as a join's ON
    texts, truths = postgresql.ARRAY(Text), postgresql.ARRAY(Boolean)
    kinds = (("patients", texts), ("municipalities", texts), ("late", truths))
    return select(*(func.unnest(bindparam(name, type_=kind)) for name, kind in kinds), at)


def _as_columns(dialect: str, rows: Rows[tuple[str, str, bool]]) -> dict[str, Any]:
    if dialect == "sqlite":
        return {"rows": json.dumps(rows)}
    patients, municipalities, late = zip(*rows, strict=True)
    return {"patients": list(patients), "municipalities": list(municipalities), "late": list(late)}


def count_again(connection: Connection, rows: Rows[Mapping[str, Any]]) -> None:
    """Insert quarantine rows; the same content again adds to `times`, and a resolved row is open again."""
    if not rows:
        return
    statement = _insert(connection, tables.quarantine)
    old = tables.quarantine.c
    again = {
        "times": old.times + statement.excluded.times,
        "last_at": statement.excluded.last_at,
        "state": "open",
        "resolved_by": None,
        "resolved_at": None,
    }
    statement = statement.on_conflict_do_update(index_elements=["digest"], set_=again)
    # Numbered as they came, and inserted in an order in which two processes with the same messages form no knot.
    free = numbers(connection, tables.quarantine, len(rows))
    numbered = [{**row, "seq": seq} for seq, row in zip(free, rows, strict=True)]
    connection.execute(statement, sorted(numbered, key=lambda row: str(row["digest"])))


def never_changed(dialect: str, table: str) -> tuple[str, ...]:
    """Statements that make the database itself refuse to change or remove rows of `table`."""
    return _refused(dialect, table, "only grows", "UPDATE", "DELETE")


def never_removed(dialect: str, table: str) -> tuple[str, ...]:
    """Statements that make the database itself refuse to remove rows of `table`."""
    return _refused(dialect, table, "loses nobody", "DELETE")


def _refused(dialect: str, table: str, why: str, *verbs: str) -> tuple[str, ...]:
    if dialect == "sqlite":
        return tuple(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} {why}'); END"
            for verb in verbs
        )
    name = why.replace(" ", "_")
    refuse = f"RAISE integrity_constraint_violation USING MESSAGE = TG_TABLE_NAME || ' {why}'"
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse}; END $$"
    before = " OR ".join((*verbs, "TRUNCATE"))
    trigger = f"CREATE TRIGGER {table}_{name} BEFORE {before} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    return function, trigger
