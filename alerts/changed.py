"""A frozen value with some of its fields changed: what `dataclasses.replace` does, in half the time.

Every step makes a handful of them. The slots are filled directly, so this is for slotted dataclasses that neither
check nor compute anything when they are made.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

_T = TypeVar("_T")


def changed(value: _T, **changes: Any) -> _T:
    """A copy of `value` with these fields instead; raises KeyError for a name that is no field of it."""
    cls: Any = value.__class__
    read, fill = _slots(cls)
    made: _T = object.__new__(cls)
    for put, kept in zip(fill.values(), read(value), strict=True):
        put(made, kept)
    for name, new in changes.items():
        fill[name](made, new)
    return made


@cache  # a line a class
def _slots(cls: Any) -> tuple[Callable[[Any], tuple[Any, ...]], Mapping[str, Callable[[Any, Any], None]]]:
    """How to read all fields of a class at once, and how to fill each (two fields at least)."""
    names = [each.name for each in fields(cls)]
    return attrgetter(*names), {name: getattr(cls, name).__set__ for name in names}
