"""Lists of ids as one parameter: a thousand of them take longer to spell than to find."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Text, bindparam, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

_LISTS: Mapping[str, TypeEngine[Any]] = {"postgresql": postgresql.ARRAY(Text), "sqlite": Text()}


def within(dialect: str, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Whether `column` is one of those that are given under `name`, as `as_list` makes them, when it is asked."""
    return is_one_of(dialect, column, bindparam(name, type_=_LISTS[dialect]))


def as_list(dialect: str, values: Iterable[str]) -> Any:
    """The values as the one parameter that `within` expects."""
    ordered = sorted(set(values))
    return json.dumps(ordered) if dialect == "sqlite" else ordered


def is_one_of(dialect: str, column: ColumnElement[str], given: BindParameter[Any]) -> ColumnElement[bool]:
    """As rows, to be joined with: a list is compared with each row of the table one by one, once the plan is kept for
    lists of any length (decision 0018).
    """
    if dialect == "sqlite":
        each = func.json_each(given).table_valued("value")
        return column.in_(select(each.c.value))
    return column.in_(select(func.unnest(given)))


def given(dialect: str, values: Iterable[str]) -> BindParameter[Any]:
    """These values as a parameter of their own."""
    return bindparam(None, as_list(dialect, values), type_=_LISTS[dialect], unique=True)
