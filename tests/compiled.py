"""What SQLAlchemy has compiled, for all tests of a process.

A server opens its database once and compiles each statement once; here every test opens databases of its own, and
compiling anew for each took a quarter of what the server's tests cost.
"""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.util import LRUCache

_MOST = 5_000  # several times the statements of all tests


class Statements(LRUCache[tuple[Any, ...], Any]):
    """Finds a compiled statement by the kind of the database, where SQLAlchemy asks for one engine's own dialect."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_of_kind(key), default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__(_of_kind(key), value)


def _of_kind(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return (dialect.name, *rest)


def once(create: Callable[..., Engine]) -> Callable[..., Engine]:
    """`create`, but its engines share what they have compiled and how they turn types into values."""
    statements = Statements(_MOST)
    types: dict[str, WeakKeyDictionary[Any, Any]] = {}

    def create_sharing(*words: Any, **named: Any) -> Engine:
        engine = create(*words, **named)
        engine._compiled_cache = statements
        engine.dialect._type_memos = types.setdefault(engine.dialect.name, WeakKeyDictionary())
        return engine

    return create_sharing
