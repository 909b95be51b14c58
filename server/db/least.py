"""The least of several texts, and moments as texts that sort as they follow each other, in both databases alike."""

from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class moment_text(FunctionElement[str]):  # noqa: N801 - a function of the database
    """A column's moment in UTC as ISO writes it; parts of a second may be left out, so that whatever stands behind it
    must sort before a point and before digits.
    """

    type = Text()
    inherit_cache = True


class least_text(FunctionElement[str]):  # noqa: N801 - a function of the database
    """The least text of a group by its code points, whatever language the database sorts names in."""

    type = Text()
    inherit_cache = True


@compiles(moment_text, "sqlite")
def _kept_as_text(element: moment_text, compiler: Any, **more: Any) -> str:
    return str(compiler.process(element.clauses, **more))


@compiles(moment_text, "postgresql")
def _written(element: moment_text, compiler: Any, **more: Any) -> str:
    # As the driver needs dates written; `to_char` would take twice the time of all else that is asked for a worklist.
    return f"CAST({compiler.process(element.clauses, **more)} AT TIME ZONE 'UTC' AS TEXT)"


@compiles(least_text, "sqlite")
def _least(element: least_text, compiler: Any, **more: Any) -> str:
    return f"min({compiler.process(element.clauses, **more)})"


@compiles(least_text, "postgresql")
def _least_by_code(element: least_text, compiler: Any, **more: Any) -> str:
    return f'min(({compiler.process(element.clauses, **more)}) COLLATE "C")'
