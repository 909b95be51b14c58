"""`vitals` and `alerts` decide and translate; they neither look at a clock nor touch the world."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import Module, calls, imports, modules, nodes, once

# Calls by their last word, whatever they are called on.
CALLS = frozenset(
    {"now", "utcnow", "today", "monotonic", "perf_counter", "sleep", "random", "uuid1", "uuid4", "open", "print"}
    | {"getenv", "input", "read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "glob"}
)
# Modules with which the world comes in. `time` is the clock; `datetime.time` is a value and free.
MODULES = frozenset(
    {"asyncio", "concurrent", "logging", "multiprocessing", "os", "random", "secrets", "socket", "sqlite3"}
    | {"ssl", "subprocess", "threading", "time", "urllib", "http", "shutil", "tempfile"}
)

# Files that are edges, each with what they are there for.
EDGES = {
    "vitals/clock.py": "the only place that reads the wall clock, and shares a scaled one by file",
    "alerts/__main__.py": "the command line: reads stories and prints what did not hold",
    "vitals/failpoint.py": "ends its own process at a named point, when a test has armed one",
}
# Single calls allowed in otherwise pure files.
ALLOWED = {
    ("alerts/rulebook.py", "read_bytes"): "loads a rulebook",
    ("alerts/story_file.py", "read_bytes"): "loads a story",
    ("alerts/rulebook.py", "glob"): "lists the shipped rulebooks",
}


def guard(root: Path) -> list[str]:
    return [
        f"{module.path}:{line}: {what}"
        for module in modules(root, "vitals", "alerts")
        if module.path not in EDGES
        for what, line in _problems(module)
    ]


@once
def _problems(module: Module) -> Iterator[tuple[str, int]]:
    for name, line in calls(module):
        if name in CALLS and (module.path, name) not in ALLOWED:
            yield f"calls {name}(), and nothing here may ask the world", line
    for name, line in imports(module):
        if name in MODULES or name.rsplit(".", 1)[0] in MODULES:
            yield f"imports {name.split('.')[0]}, and nothing here may touch the world", line
    for node in nodes(module):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield "is asynchronous, and nothing here waits", node.lineno
