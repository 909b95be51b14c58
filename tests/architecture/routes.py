"""Every route says which action it is, so that who may use it is decided in one table (`server/access.py`)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import Module, modules, nodes, once

METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "route", "api_route", "websocket"})
UNDECLARED = frozenset({"add_api_route", "add_route", "add_api_websocket_route"})
MARK = "needs"


def guard(root: Path) -> list[str]:
    return [problem for module in modules(root, "server") for problem in _problems(module)]


@once
def _problems(module: Module) -> Iterator[str]:
    for node in nodes(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words = [_called(each) for each in node.decorator_list]
            routes = [each for each in node.decorator_list if _is_route(each)]
            if routes and MARK not in words:
                yield f"{module.path}:{node.lineno}: route {node.name} declares no action; add @{MARK}(Action...)"
        elif isinstance(node, ast.Call) and _called(node) in UNDECLARED:
            yield f"{module.path}:{node.lineno}: {_called(node)} hides a route; use a decorator and @{MARK}"


def _is_route(decorator: ast.expr) -> bool:
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute) or not decorator.args:
        return False
    first = decorator.args[0]
    path = isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value[:1] in ("/", "")
    return decorator.func.attr in METHODS and path


def _called(node: ast.expr) -> str | None:
    function = node.func if isinstance(node, ast.Call) else node
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None
