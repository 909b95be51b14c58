"""Build hook: brings the pages' assets and compiled catalogues along, in a wheel and in an editable install alike."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _load(root: str, path: str) -> ModuleType:
    """A module of this tree by its path: the package itself is not installed while it is being built."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, Path(root) / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Fetches assets and compiles catalogues before files are gathered; a missing network is a warning, not an end."""

    def dependencies(self) -> list[str]:
        fetch = _load(self.root, "server/web/assets/fetch.py")
        needs = ["babel>=2.18,<3"]
        return needs if fetch.is_complete() or fetch.has_npm() else [*needs, fetch.NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        _load(self.root, "server/web/assets/fetch.py").ensure()
        _load(self.root, "server/web/words/catalogues.py").compile_all()
