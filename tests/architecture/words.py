"""One concept, one word: names that say nothing, names the glossary rejected, and dialects outside their room."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import Module, files, modules, nodes, once

# A file named so becomes the place where everything meets.
NAMELESS = frozenset(
    {"utils", "util", "helpers", "helper", "manager", "managers", "service", "services"} | {"common", "core"}
)

# docs/GLOSSARY.md: the word of the house for what the key is called elsewhere.
REJECTED = {
    "alarm": "alert",
    "alarms": "alerts",
    "cooldown": "rearm_after",
    "dashboard": "worklist",
    "datapoint": "measurement",
    "debounce": "confirm",
    "enroll": "enrol",
    "enrollment": "enrolment",
    "hysteresis": "deadband",
    "orphan": "unclaimed",
    "ruleset": "rulebook",
    "sensor": "device",
    "severity": "priority",
    "threshold": "limit (a kind of rule in alerts/ alone)",
    "uom": "unit",
}
# Where a rejected word is another craft's own term.
AT_HOME = {
    "threshold": ("alerts/",),
    "sensor": ("gateway/profiles/", "device_sims/"),  # Bluetooth's specifications name fields so
    "orphan": ("server/db/",),  # SQLAlchemy's
}

# What differs between databases lives in one folder; the gateway's spool is a file of its own.
DIALECTS = re.compile(r"sqlite|postgres", re.IGNORECASE)
DIALECT_ROOMS = ("server/db/", "gateway/spool.py")


def guard(root: Path) -> list[str]:
    found = list(_nameless(root))
    for module in modules(root):
        found += _rejected(module)
        found += _dialects(module)
    return found


def _nameless(root: Path) -> Iterator[str]:
    for path in files(root):
        parts = path.removesuffix(".py").split("/")
        for part in parts[-1:] if path.endswith(".py") else ():
            if part in NAMELESS:
                yield f"{path}: a file is named after what happens in it, not {part!r}"
        for folder in parts[:-1]:
            if folder in NAMELESS:
                yield f"{path}: a folder is named after what happens in it, not {folder!r}"


@once
def _rejected(module: Module) -> Iterator[str]:
    for name, line in _given_names(module):
        for word in re.split(r"_+|(?<=[a-z])(?=[A-Z])", name):
            better = REJECTED.get(word.lower())
            if better and not module.path.startswith(AT_HOME.get(word.lower(), ("-",))):
                yield f"{module.path}:{line}: {name}: the house says {better}, not {word.lower()}"


@once
def _dialects(module: Module) -> Iterator[str]:
    if module.path.startswith(DIALECT_ROOMS):
        return
    for line, text in enumerate(module.text.splitlines(), 1):
        if DIALECTS.search(text):
            yield f"{module.path}:{line}: only {DIALECT_ROOMS[0]} knows one database from another"


def _given_names(module: Module) -> Iterator[tuple[str, int]]:
    """Every name that this module gives: modules, classes, functions, parameters, variables, fields."""
    yield module.path.rsplit("/", 1)[-1].removesuffix(".py"), 1
    for node in nodes(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield (node.id if isinstance(node, ast.Name) else node.attr), node.lineno
