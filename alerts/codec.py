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


def encode(value: Any) -> Any:
    """`value` as dicts, lists, texts, whole numbers, booleans and None."""
    if value is None or (isinstance(value, str | bool) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Priority):
        return value.word
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {key: encode(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [encode(each) for each in value]
    if dataclasses.is_dataclass(value):
        return _encode_fields(value)
    return value


def _encode_fields(value: Any) -> dict[str, Any]:
    out = {"kind": value.kind} if _is_tagged(type(value)) else {}
    for name, default in _defaults(_class_of(value)):
        each = getattr(value, name)
        if each is not default and each != default:
            out[name] = encode(each)
    return out


def _class_of(value: Any) -> Any:
    return type(value)


def _is_tagged(cls: Any) -> bool:
    return isinstance(getattr(cls, "kind", None), str)


@cache
def _defaults(cls: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in dataclasses.fields(cls))


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
        return lambda data: data
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
    return hint if issubclass(hint, Enum) else lambda data: data


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
    hints = get_type_hints(cls)
    readers = {field.name: _reader(hints[field.name]) for field in dataclasses.fields(cls)}

    tagged = _is_tagged(cls)

    def read(data: Mapping[str, Any]) -> Any:
        return cls(**{name: readers[name](value) for name, value in data.items() if not (tagged and name == "kind")})

    return read
