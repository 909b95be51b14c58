"""Questions that are asked all day: composed once for each kind of database, because that takes longer than the answer.

@asked_about
def _names(within: Within) -> Select[Any]:
    return select(table.c.id, table.c.name).where(within(table.c.id))

for row in _names(connection, ids): ...
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Result

from server.db.dialect import as_list, within

Within = Callable[[ColumnElement[str]], ColumnElement[bool]]
_IDS = "ids"


class Asked:
    """A question about a list of ids, and whatever else it names."""

    def __init__(self, compose: Callable[[Within], Executable]) -> None:
        self._compose = compose
        self._composed: dict[str, Executable] = {}

    def __call__(self, connection: Connection, ids: Iterable[str], **more: object) -> Result[Any]:
        """Ask it about these ids; `more` are its other parameters."""
        dialect = connection.dialect.name
        if dialect not in self._composed:
            self._composed[dialect] = self._compose(lambda column: within(dialect, column, _IDS))
        return connection.execute(self._composed[dialect], {_IDS: as_list(dialect, ids), **more})


def asked_about(compose: Callable[[Within], Executable]) -> Asked:
    """Make a question of a function that composes it."""
    return Asked(compose)
