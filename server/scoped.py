"""Questions that people's pages ask all day, each narrowed by `scope`, and composed once for each kind of reader:
composing them took longer than answering them.

@asked_by(tables.contact)
def _contacts(within: Within) -> Select[Any]:
    return select(tables.contact).where(within(tables.contact.c.patient_id))

for row in _contacts(connection, reader, patients): ...
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam

from server.access import AT_HOME, Actor, Role, scope
from server.db.asking import Asked, Within, asked_about

_TOLD = ("id", "municipality", "team", "at")  # of a reader, when it is asked
_Compose = Callable[[Actor, Within], Select[Any]]


@dataclass(frozen=True, slots=True)
class Scoped:
    """A question, narrowed to what its reader may know of."""

    compose: _Compose
    _composed: dict[tuple[Role, frozenset[str]], Asked] = field(default_factory=dict, compare=False)

    def __call__(self, connection: Connection, reader: Actor, ids: Iterable[str] = (), **more: object) -> list[Any]:
        """Ask it for this reader about these ids; `more` are its other parameters. The rows of the answer."""
        return list(self._asked(reader)(connection, ids, **_told(reader), **more))

    def _asked(self, reader: Actor) -> Asked:
        if reader.role in AT_HOME:  # what is shared differs from one to the next
            return asked_about(partial(self.compose, reader))
        kind = (reader.role, frozenset(_told(reader)))
        if kind not in self._composed:
            self._composed[kind] = asked_about(partial(self.compose, _in_place_of(reader)))
        return self._composed[kind]


def asked_by(table: Table) -> Callable[[Callable[[Within], Select[Any]]], Scoped]:
    """Make a question about a few patients of a function that composes it; the rows are those of `table`."""
    return lambda compose: Scoped(lambda reader, within: scope(compose(within), table, reader, within))


def asked_of_all(table: Table) -> Callable[[Callable[[], Select[Any]]], Scoped]:
    """Make a question about every row of `table` that the reader may know of; it is asked without ids."""
    return lambda compose: Scoped(lambda reader, _: scope(compose(), table, reader))


def _in_place_of(reader: Actor) -> Actor:
    """Anybody of this kind: who it is, is told when it is asked."""
    given: dict[str, Any] = {name: bindparam(f"reader_{name}") for name in _TOLD if getattr(reader, name) is not None}
    return replace(reader, **given)


def _told(reader: Actor) -> dict[str, object]:
    if reader.role in AT_HOME:
        return {}
    return {f"reader_{name}": getattr(reader, name) for name in _TOLD if getattr(reader, name) is not None}
