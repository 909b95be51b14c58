"""Frozen values, quickly made: `quick` for a class that every step makes many of, `changed` for a copy of a value.

A frozen dataclass locks its fields for everybody, its own `__init__` included, which then has to go round the lock for
every field. `quick` makes the value under a twin class without the lock, with plain assignments, and locks it at the
end: the class of an object may be set to one with the same slots. Nobody else ever sees the twin. Values are equal to,
hash like and refuse assignments like any other frozen dataclass. A third of a step, and a tenth of what the ingest does
with a reading, is spent on making them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, TypeVar

_T = TypeVar("_T")
_MISSING = "__missing"  # stands for a default that has to be made anew


def quick(cls: type[_T]) -> type[_T]:
    """The slotted, frozen dataclass with a quicker `__init__`; raises TypeError where that would compute anything."""
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} computes something when it is made")
    cls.__init__ = _made(cls, _init_source(cls), "__init__")  # type: ignore[method-assign]
    return cls


def changed(value: _T, **changes: Any) -> _T:
    """A copy of `value` with these fields instead; raises AttributeError for a name that is no field of it."""
    cls: Any = value.__class__
    copy: _T = _copier(cls)(value, changes)
    return copy


@cache  # a line a class
def _copier(cls: Any) -> Callable[[Any, Mapping[str, Any]], Any]:
    keep = "\n".join(f"    made.{each.name} = value.{each.name}" for each in fields(cls))
    return _made(
        cls,
        f"def copy(value, changes):\n    made = _new(_Twin)\n{keep}\n"
        "    for name, new in changes.items():\n        setattr(made, name, new)\n"
        "    made.__class__ = _Class\n    return made\n",
        "copy",
    )


def _init_source(cls: Any) -> str:
    every = fields(cls)
    places = [_parameter(each) for each in every if not each.kw_only]
    names = [_parameter(each) for each in every if each.kw_only]
    parameters = ", ".join(["self", *places, *(["*"] if names else []), *names])
    lines = "\n".join(f"    self.{each.name} = {_value(each)}" for each in every)
    return f"def __init__({parameters}):\n    _unlock(self, _Twin)\n{lines}\n    self.__class__ = _Class\n"


def _parameter(each: Field[Any]) -> str:
    if each.default_factory is not MISSING:
        return f"{each.name}={_MISSING}"
    return each.name if each.default is MISSING else f"{each.name}=_default_{each.name}"


def _value(each: Field[Any]) -> str:
    if each.default_factory is MISSING:
        return each.name
    return f"_factory_{each.name}() if {each.name} is {_MISSING} else {each.name}"


def _made(cls: Any, source: str, name: str) -> Callable[..., Any]:
    """The function that the source defines, where the class, its twin and its defaults are known."""
    known = {
        "_Class": cls,
        "_Twin": _twin(cls),
        "_new": object.__new__,
        "_unlock": object.__dict__["__class__"].__set__,
        _MISSING: object(),
        **dict(_defaults(cls)),
    }
    exec(source, known)  # noqa: S102 - of the class's own field names, as dataclasses themselves do
    made: Callable[..., Any] = known[name]
    made.__qualname__ = f"{cls.__qualname__}.{name}"
    return made


@cache
def _twin(cls: Any) -> type:
    return type(cls.__name__, (), {"__slots__": tuple(each.name for each in fields(cls))})


def _defaults(cls: Any) -> Iterator[tuple[str, Any]]:
    for each in fields(cls):
        if each.default_factory is not MISSING:
            yield f"_factory_{each.name}", each.default_factory
        elif each.default is not MISSING:
            yield f"_default_{each.name}", each.default
