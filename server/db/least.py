"""The least of several texts, and moments as texts that sort as they follow each other, in both databases alike."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

MOMENT_LENGTH = 26  # of "2026-11-22 06:31:05.000000"


class moment_text(FunctionElement[str]):  # noqa: N801 - a function of the database
    """A column's moment in UTC, always as long."""

    type = Text()
    inherit_cache = True


class least_text(FunctionElement[str]):  # noqa: N801 - a function of the database
    """The least text of a group by its code points, whatever language the database sorts names in."""

    type = Text()
    inherit_cache = True


def moment_of(text: str) -> datetime:
    """The moment that a text of `moment_text` names, without its zone: what is compared with others of the kind."""
    return datetime.fromisoformat(text)


@compiles(moment_text, "sqlite")
def _kept_as_text(element: moment_text, compiler: Any, **more: Any) -> str:
    return str(compiler.process(element.clauses, **more))


@compiles(moment_text, "postgresql")
def _written(element: moment_text, compiler: Any, **more: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **more)} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"


@compiles(least_text, "sqlite")
def _least(element: least_text, compiler: Any, **more: Any) -> str:
    return f"min({compiler.process(element.clauses, **more)})"


@compiles(least_text, "postgresql")
def _least_by_code(element: least_text, compiler: Any, **more: Any) -> str:
    return f'min(({compiler.process(element.clauses, **more)}) COLLATE "C")'
