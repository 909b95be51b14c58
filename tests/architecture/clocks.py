"""The wall clock is read in `vitals/clock.py` and nowhere else; everyone else is given a clock, or `now`."""

from pathlib import Path

from tests.architecture.tree import modules, references

HOME = "vitals/clock.py"
WALL = frozenset(
    {f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")}
    | {"datetime.date.today", "sqlalchemy.func.now", "sqlalchemy.func.current_timestamp"}
    | {f"time.{name}" for name in ("time", "time_ns", "localtime", "gmtime", "ctime", "clock_gettime")}
)
IN_SQL = "CURRENT_" + "TIMESTAMP"


def guard(root: Path) -> list[str]:
    found = []
    for module in modules(root):
        if module.path == HOME:
            continue
        found += [
            f"{module.path}:{line}: {name} reads the wall clock" for name, line in references(module) if name in WALL
        ]
        if IN_SQL in module.text.upper():
            found.append(f"{module.path}: {IN_SQL} lets the database read the wall clock")
    return found
