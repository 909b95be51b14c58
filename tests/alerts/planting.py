"""The heart with one bug in it: a line of its source is changed while it is imported anew, for as long as needed."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_AGAIN = ("alerts", "tests.alerts")  # packages whose modules hold on to the engine


class Found(BaseException):
    """The property failed; after so many examples. Not an `Exception`: nothing shall look for a smaller one."""

    def __init__(self, examples: int) -> None:
        super().__init__(f"after {examples} examples")
        self.examples = examples


@contextmanager
def planted(module: str, sound: str, wrong: str) -> Iterator[None]:
    """Everything imported within has `wrong` for `sound` in the source of `module`.

    Raises `AssertionError` where `sound` is not there exactly once: then the bug must be planted anew.
    """
    spec = find_spec(module)
    assert spec is not None, f"{module} is no more: plant this bug elsewhere"
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    assert source.count(sound) == 1, f"{module} has no longer {sound!r}: plant this bug where that is decided now"
    finder = _Finder(module, spec.origin, source.replace(sound, wrong))
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_again(name)}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_again(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
        sys.modules["tests"].alerts = kept["tests.alerts"]  # type: ignore[attr-defined]


def examples_until_found(module: str, test: str) -> int:
    """How many examples the property needs until it fails; raises `AssertionError` when it never does."""
    found: Any = getattr(importlib.import_module(module), test)
    inner, counted = found.hypothesis.inner_test, [0]

    def counting(*words: Any, **named: Any) -> None:
        counted[0] += 1
        try:
            inner(*words, **named)
        except AssertionError:
            raise Found(counted[0]) from None

    found.hypothesis.inner_test = counting
    try:
        found()
    except Found as end:
        return end.examples
    raise AssertionError(f"{test} holds in {counted[0]} examples, in spite of the bug")


def _is_again(name: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in _AGAIN)


class _Finder(MetaPathFinder):
    def __init__(self, module: str, path: str, source: str) -> None:
        self._module, self._path, self._source = module, path, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        return spec_from_file_location(fullname, self._path, loader=_Loader(fullname, self._path, self._source))


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self._planted = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._planted, self.path, "exec", dont_inherit=True)
