"""Small modules, short functions, few parameters; every exception is named with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import PACKAGES, Module, modules, nodes, once

MODULE_LINES = 400
TEST_MODULE_LINES = 600
FUNCTION_LINES = 60
PARAMETERS = 5

# "path" or "path:function" -> why it may be longer.
EXCEPTIONS: dict[str, str] = {}


def guard(root: Path) -> list[str]:
    every = modules(root, *PACKAGES, "tests", "benchmarks", "tools")
    return [problem for module in every for problem in _problems(module)]


@once
def _problems(module: Module) -> Iterator[str]:
    most = MODULE_LINES if module.package in PACKAGES else TEST_MODULE_LINES
    lines = len(module.text.splitlines())
    if lines > most and module.path not in EXCEPTIONS:
        yield f"{module.path}: {lines} lines, at most {most}"
    for node in nodes(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if f"{module.path}:{node.name}" in EXCEPTIONS:
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES:
            yield f"{module.path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}"
        count = len(_parameters(node))
        if count > PARAMETERS and module.package != "tests":  # a test takes the fixtures it needs
            yield f"{module.path}:{node.lineno}: {node.name} has {count} parameters; after {PARAMETERS}, a value"


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [each.arg for each in every if each.arg not in ("self", "cls")]
