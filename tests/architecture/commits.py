"""One request, batch or evaluation is one transaction: nobody commits in the middle."""

from pathlib import Path

from tests.architecture.tree import calls, modules

ROOM = "server/db/"
# Loops that own a transaction and therefore end it, each with what one transaction is there.
LOOPS: dict[str, str] = {}


def guard(root: Path) -> list[str]:
    return [
        f"{module.path}:{line}: commits in the middle; {ROOM} and the role loops end a transaction"
        for module in modules(root, "server", "varde")
        if not module.path.startswith(ROOM) and module.path not in LOOPS
        for name, line in calls(module)
        if name == "commit"
    ]
