"""Many rows at once, in as few statements as the database allows.

On PostgreSQL many rows are added by COPY. A few are added, and any number replaced or changed, by one statement that
reads them from one JSON parameter: a statement for each row costs a journey each, and arrays are put together in slow
Python. What is said `together` travels together.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Connection, DateTime, LargeBinary, Table, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from server.db import journey
from server.db.dialect import putting
from server.db.lines import lines
from server.db.types import often

_EMBEDDED = sqlite.dialect()  # for what values become
_SHARED = postgresql.dialect()  # type: ignore[no-untyped-call]  # for the names of its types
FEW = 100  # rows; COPY takes three journeys, and for many rows a little less of both processors


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """What is added, put, changed and told inside goes with what is asked next, or with the COMMIT.

    Nobody waits for it; whatever fails of it is raised only then.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    with journey.held(connection):
        yield


def add(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns, in their order. Raises what an ordinary insert raises."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        _add_embedded(connection, table, rows)
    elif _fits_a_parameter(connection, table, len(rows)):
        _tell(connection, _adding_all(table, tuple(rows[0])), rows)
    else:
        _copy(connection, table, rows)


def _add_embedded(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    statement, makers = _adding_embedded(table, tuple(rows[0]))
    values = [
        tuple([row[name] if make is None or row[name] is None else make(row[name]) for name, make in makers])
        for row in rows
    ]
    connection.exec_driver_sql(statement, values)


@lru_cache
def _adding_embedded(table: Table, names: tuple[str, ...]) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """The statement, and for each column what turns a value into the driver's; None: it is that already."""
    columns, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    makers = tuple((name, _embedded_maker(table.c[name].type)) for name in names)
    return f"INSERT INTO {table.name} ({columns}) VALUES ({places})", makers  # noqa: S608 - our own names


def _embedded_maker(kind: TypeEngine[Any]) -> Any:
    make = kind.dialect_impl(_EMBEDDED).bind_processor(_EMBEDDED)
    return None if make is None else often(kind, make)


def _fits_a_parameter(connection: Connection, table: Table, count: int) -> bool:
    if any(isinstance(column.type, LargeBinary) for column in table.columns):
        return False
    return count <= FEW or journey.is_held(connection)


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = ", ".join(f'"{name}"' for name in rows[0])
    journey.send_off(connection)
    with (
        journey.told_as_ours(connection),
        journey.driver(connection).cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy,
    ):
        copy.write(lines(table, rows))


def _tell(
    connection: Connection, telling: tuple[str, tuple[tuple[str, Any], ...]], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Have a statement take these rows."""
    statement, makers = telling
    journey.tell(connection, journey.sentence(statement), (_as_json(rows, makers).encode(),))


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns, or replace the columns of those with the same primary key.

    In the order of their keys, so that two writers of the same rows wait for each other and form no knot.
    """
    if not rows:
        return
    keys = tuple(column.name for column in table.primary_key)
    ordered = sorted(rows, key=lambda row: [row[key] for key in keys])
    if connection.dialect.name == "sqlite":
        connection.execute(putting("sqlite", table, tuple(rows[0])), ordered)
        return
    _tell(connection, _putting_all(table, tuple(rows[0])), ordered)


def change(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change rows that are there, each found by its primary key and with the same other columns named."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(_changing(table, tuple(rows[0])), [{f"new_{k}": v for k, v in row.items()} for row in rows])
        return
    _tell(connection, _changing_all(table, tuple(rows[0])), rows)


@lru_cache
def _adding_all(table: Table, names: tuple[str, ...]) -> tuple[str, tuple[tuple[str, Any], ...]]:
    columns = ", ".join(f'"{name}"' for name in names)
    statement = f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {_given(table, names)}"  # noqa: S608 - our own names
    return statement, _json_makers(table, names)


@lru_cache
def _putting_all(table: Table, names: tuple[str, ...]) -> tuple[str, tuple[tuple[str, Any], ...]]:
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in table.primary_key)
    adding, makers = _adding_all(table, names)
    return f"{adding} ON CONFLICT ({keys}) DO UPDATE SET {changed}", makers


@lru_cache
def _changing_all(table: Table, names: tuple[str, ...]) -> tuple[str, tuple[tuple[str, Any], ...]]:
    changed = ", ".join(f'"{name}" = given."{name}"' for name in names if name not in table.primary_key)
    found = " AND ".join(f'{table.name}."{column.name}" = given."{column.name}"' for column in table.primary_key)
    statement = f"UPDATE {table.name} SET {changed} FROM {_given(table, names)} WHERE {found}"  # noqa: S608 - likewise
    return statement, _json_makers(table, names)


@lru_cache
def _changing(table: Table, names: tuple[str, ...]) -> Any:
    statement = update(table).values(
        {name: bindparam(f"new_{name}") for name in names if name not in table.primary_key}
    )
    return statement.where(*(column == bindparam(f"new_{column.name}") for column in table.primary_key))


def _given(table: Table, names: tuple[str, ...]) -> str:
    """The parameter as rows of these columns."""
    columns = ", ".join(f'"{name}" {table.c[name].type.compile(_SHARED)}' for name in names)
    return f"json_to_recordset($1) AS given ({columns})"


def _json_makers(table: Table, names: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    """For each column what turns a value into one that JSON has."""

    def maker(name: str) -> Any:
        kind = table.c[name].type.dialect_impl(_SHARED)
        if isinstance(table.c[name].type, JSON):
            return None  # as it is: JSON within JSON
        bind = kind.bind_processor(_SHARED)
        if bind is not None and isinstance(getattr(kind, "impl_instance", kind), DateTime):
            return lambda value: None if value is None else bind(value).isoformat()
        return bind

    return tuple((name, maker(name)) for name in names)


def _as_json(rows: Sequence[Mapping[str, Any]], makers: tuple[tuple[str, Any], ...]) -> str:
    return json.dumps([{name: make(row[name]) if make else row[name] for name, make in makers} for row in rows])
