"""The house as the guards see it: its modules, parsed, and the names that their imports give to things."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

_Found = TypeVar("_Found")

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("vitals", "alerts", "gateway", "device_sims", "server", "varde")
_UNSEEN = frozenset({".git", ".venv", "node_modules", "vendor", "__pycache__", "build", "dist", "var"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Module:
    """One file of Python; `path` is relative to the root, with slashes."""

    path: str
    text: str
    syntax: ast.Module

    @property
    def package(self) -> str:
        """The top-level folder."""
        return self.path.split("/", 1)[0]


def modules(root: Path, *packages: str) -> Iterator[Module]:
    """Every module of these packages (all of the house's when none is named), by path."""
    for package in packages or PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            path = file.relative_to(root).as_posix()
            if not _UNSEEN & set(path.split("/")):
                yield _parsed(path, file.read_text())


@cache
def _parsed(path: str, text: str) -> Module:
    """Once for each content: a copy of the tree in which one file differs costs one file."""
    return Module(path=path, text=text, syntax=ast.parse(text, path))


def once(walk: Callable[[Module], Iterator[_Found]]) -> Callable[[Module], tuple[_Found, ...]]:
    """Walk each module once, however many copies of the tree it lies in."""

    @cache
    def kept(module: Module) -> tuple[_Found, ...]:
        return tuple(walk(module))

    return kept


@once
def nodes(module: Module) -> Iterator[ast.AST]:
    """Everything in it."""
    return ast.walk(module.syntax)


@once
def imports(module: Module) -> Iterator[tuple[str, int]]:
    """Every dotted name imported in this module, also inside functions or by `import_module`, with its line."""
    for node in nodes(module):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            yield base, node.lineno
            for name in node.names:
                yield f"{base}.{name.name}", node.lineno
        elif isinstance(node, ast.Call) and _last_name(node.func) in ("import_module", "__import__") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, node.lineno


def origins(module: Module) -> dict[str, str]:
    """What each imported name of this module stands for: `{"dt": "datetime", "now": "datetime.datetime.now"}`."""
    found: dict[str, str] = {}
    for node in nodes(module):
        if isinstance(node, ast.Import):
            for name in node.names:
                local = name.asname or name.name.split(".")[0]
                found[local] = name.name if name.asname else local
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                found[name.asname or name.name] = f"{_absolute(module, node)}.{name.name}"
    return found


@once
def references(module: Module) -> Iterator[tuple[str, int]]:
    """Every imported name that is used, written out (`datetime.datetime.now`), with its line."""
    known = origins(module)
    for node in nodes(module):
        if isinstance(node, ast.Attribute | ast.Name):
            dotted = _dotted(node)
            if dotted is not None:
                first, _, rest = dotted.partition(".")
                if first in known:
                    yield f"{known[first]}.{rest}" if rest else known[first], node.lineno


@once
def calls(module: Module) -> Iterator[tuple[str, int]]:
    """The last word of everything that is called (`open`, `now`), with its line."""
    for node in nodes(module):
        if isinstance(node, ast.Call):
            name = _last_name(node.func)
            if name is not None:
                yield name, node.lineno


def files(root: Path) -> Iterator[str]:
    """Paths of what git holds or would hold; where there is no git, of every file that is not made or fetched."""
    words = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, capture_output=True, text=True, check=False)
    if (root / ".git").exists() and listed.returncode == 0:
        yield from sorted(path for path in listed.stdout.splitlines() if (root / path).is_file())
        return
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root).as_posix()
        top = path.split("/", 1)[0]
        cache = top.startswith(".") and (root / top).is_dir() and top != ".ci"
        if file.is_file() and not cache and not _UNSEEN & set(path.split("/")):
            yield path


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    folder = module.path.rsplit("/", 1)[0].split("/")
    base = folder[: len(folder) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        front = _dotted(node.value)
        return f"{front}.{node.attr}" if front else None
    return None


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None
