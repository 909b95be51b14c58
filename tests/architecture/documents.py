"""What the documents say is so: every folder has its line, every file they name is there, every command works."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import PACKAGES, Module, files, modules, nodes

MAP = "docs/ARCHITECTURE.md"
# In the map each top-level folder has a row that begins with its name: "| `vitals/` | ...".
ROW = re.compile(r"^\| `([\w.]+)/` \|", re.MULTILINE)
_TOPS = "|".join((*PACKAGES, "tests", "tools", "docs", "requirements", "benchmarks"))
NAMED = re.compile(rf"`((?:{_TOPS})/[\w./-]*)`")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
VARDE = re.compile(r"(?:^|`|/|\s)varde ([a-z][a-z-]+)(?![\w/.])", re.MULTILINE)
FRONT_DOOR = "varde/cli.py"
MAKE = re.compile(r"(?:^|`|\s)make ([a-z][a-z-]*)", re.MULTILINE)
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


def guard(root: Path) -> list[str]:
    listed = list(files(root))
    return [*_map(root, listed), *_named(root, listed), *_commands(root), *_varde_commands(root, listed)]


def _map(root: Path, listed: list[str]) -> Iterator[str]:
    if not (root / MAP).exists():
        yield f"{MAP} is missing"
        return
    rows = set(ROW.findall((root / MAP).read_text()))
    folders = {path.split("/", 1)[0] for path in listed if "/" in path}
    for folder in sorted(folders - rows):
        yield f"{MAP}: folder {folder}/ has no row"
    for folder in sorted(rows - folders):
        yield f"{MAP}: names {folder}/, which is not there"


def _named(root: Path, listed: list[str]) -> Iterator[str]:
    there = set(listed)
    for page in _pages(listed):
        text = (root / page).read_text()
        for path in sorted(set(NAMED.findall(text))):
            if path not in there and not any(each.startswith(f"{path.rstrip('/')}/") for each in there):
                yield f"{page}: names `{path}`, which is not there"
        for link in sorted(set(LINK.findall(text))):
            if not (root / page).parent.joinpath(link).exists():
                yield f"{page}: links to {link}, which is not there"


def _commands(root: Path) -> Iterator[str]:
    targets = set(TARGET.findall((root / "Makefile").read_text()))
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in sorted(set(MAKE.findall(_code(root / page)))):
            if target not in targets:
                yield f"{page}: `make {target}` is not in the Makefile"


def _varde_commands(root: Path, listed: list[str]) -> Iterator[str]:
    known = set[str]()
    for module in modules(root, "varde"):
        if module.path == FRONT_DOOR:
            known = set(_offered(module))
    for page in _pages(listed):
        for command in sorted(set(VARDE.findall(_code(root / page))) - known):
            yield f"{page}: `varde {command}` is not a command of {FRONT_DOOR}"


def _offered(module: Module) -> Iterator[str]:
    """Functions under `@app.command`, and names handed on by `_pass_on(name, ...)`."""
    for node in nodes(module):
        if isinstance(node, ast.FunctionDef) and any("command" in ast.unparse(each) for each in node.decorator_list):
            yield node.name.replace("_", "-")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "_pass_on" and node.args:
            yield str(ast.literal_eval(node.args[0]))


def _code(page: Path) -> str:
    """What stands in code blocks or between backticks: there, `make` is a command."""
    text = page.read_text() if page.exists() else ""
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`[^`\n]+`", text)])


def _pages(listed: list[str]) -> list[str]:
    return [path for path in listed if path.endswith(".md") and (path.startswith("docs/") or "/" not in path)]
