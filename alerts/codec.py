"""Frozen values to JSON-able mappings and back, by their own type hints; exact, and the same text every time.

A field that still has its default is left out. A class with a `kind` class variable carries it, so that a union of
such classes can be read back.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from alerts.priority import Priority

_T = TypeVar("_T")
_Reader = Callable[[Any], Any]
_Writer = Callable[[Any], Any]
_NOT_THERE = object()


def encode(value: Any) -> Any:
    """`value` as dicts, lists, texts, whole numbers, booleans and None."""
    write = _WRITERS.get(value.__class__)
    return (write or _writer(value.__class__))(value)


# By class, filled as classes are met: memory is written at every step, and asking a value what it is took most of it.
_WRITERS: dict[type, _Writer] = {}


def _writer(cls: Any) -> _Writer:
    found = _WRITERS[cls] = _writer_for(cls)
    return found


def _writer_for(cls: Any) -> _Writer:
    if issubclass(cls, Priority):
        return lambda value: value.word
    if issubclass(cls, Enum):
        return lambda value: value.value
    if issubclass(cls, datetime | date):
        write: _Writer = cls.isoformat
        return write
    if issubclass(cls, Decimal):
        return str
    if issubclass(cls, timedelta):
        return lambda value: value.total_seconds()
    if issubclass(cls, Mapping):
        return lambda value: {key: encode(each) for key, each in value.items()}
    if issubclass(cls, tuple | list):
        return lambda value: [encode(each) for each in value]
    return _fields_writer(cls) if dataclasses.is_dataclass(cls) else lambda value: value


def _fields_writer(cls: Any) -> _Writer:
    """A function of straight lines, one for each field that may differ from its default."""
    known: dict[str, Any] = {"encode": encode}
    lines = [f"    out = {{'kind': {cls.kind!r}}}" if _is_tagged(cls) else "    out = {}"]
    for field in dataclasses.fields(cls):
        name, default = field.name, field.default
        differs = "each is not None" if default is None else f"each is not _{name} and each != _{name}"
        lines += [f"    each = value.{name}"]
        lines += [f"    if {differs}:"] if default is not dataclasses.MISSING else ["    if True:"]
        lines += [f"        out[{name!r}] = encode(each)"]
        known[f"_{name}"] = default
    return _made("write(value)", [*lines, "    return out"], known)


def _made(head: str, lines: list[str], known: dict[str, Any]) -> Callable[[Any], Any]:
    exec("\n".join([f"def {head}:", *lines]), known)  # noqa: S102 - of the classes' own field names, as in `frozen`
    function: Callable[[Any], Any] = known[head.partition("(")[0]]
    return function


def _is_tagged(cls: Any) -> bool:
    return isinstance(getattr(cls, "kind", None), str)


def decode(cls: type[_T], data: Any) -> _T:
    """The value of type `cls` in `data`; raises ValueError, TypeError or KeyError on what `encode` never wrote."""
    hint: Any = cls
    value: _T = _reader(hint)(data)
    return value


@cache
def _reader(hint: Any) -> _Reader:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union(args)
    if origin is tuple:
        return _tuple(args)
    if origin is not None and issubclass(origin, Mapping):
        each = _reader(args[1])
        return lambda data: {key: each(value) for key, value in data.items()}
    if not isinstance(hint, type):
        return _as_it_is
    if dataclasses.is_dataclass(hint):
        return _fields(hint)
    simple: dict[type, _Reader] = {
        datetime: datetime.fromisoformat,
        date: date.fromisoformat,
        Decimal: Decimal,
        timedelta: lambda data: timedelta(seconds=data),
        Priority: Priority.of,
    }
    if hint in simple:
        return simple[hint]
    return hint if issubclass(hint, Enum) else _as_it_is


def _as_it_is(data: Any) -> Any:
    return data


def _union(args: tuple[Any, ...]) -> _Reader:
    known = [each for each in args if each is not type(None)]
    if len(known) == 1:
        inner = _reader(known[0])
        return lambda data: None if data is None else inner(data)
    if Decimal in known:  # a number, or a word for what has none
        words = {word.value: word for each in known if issubclass(each, Enum) for word in each}
        return lambda data: words[data] if data in words else Decimal(data)
    kinds = {each.kind: _reader(each) for each in known}
    return lambda data: None if data is None else kinds[data["kind"]](data)


def _tuple(args: tuple[Any, ...]) -> _Reader:
    if len(args) == 2 and args[1] is Ellipsis:
        each = _reader(args[0])
        return lambda data: tuple(each(value) for value in data)
    readers = [_reader(arg) for arg in args]
    return lambda data: tuple(read(value) for read, value in zip(readers, data, strict=True))


def _fields(cls: type) -> _Reader:
    """A function that takes every field from where it is, or leaves it out; what it did not take was never written."""
    hints = get_type_hints(cls)
    known: dict[str, Any] = {"_Class": cls, "_NOT_THERE": _NOT_THERE}
    lines = ["    given, get = {}, data.get"]
    for field in dataclasses.fields(cls):
        name, read = field.name, _reader(hints[field.name])
        known[f"_{name}"] = read
        lines += [f"    each = get({name!r}, _NOT_THERE)", "    if each is not _NOT_THERE:"]
        lines += [f"        given[{name!r}] = {'each' if read is _as_it_is else f'_{name}(each)'}"]
    there = "len(given) + ('kind' in data)" if _is_tagged(cls) else "len(given)"
    lines += [f"    if {there} != len(data):", "        raise KeyError(*(data.keys() - given.keys()))"]
    return _made("read(data)", [*lines, "    return _Class(**given)"], known)
