"""The real product with one bug in it: a line of one of its functions is changed for as long as needed."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Any

from alerts import engine, escalation, memory
from gateway import identity
from server.db import dialect
from server.ingest.worker import Ingest


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A line of a function, and how it would be wrong."""

    where: Callable[..., Any]
    sound: str
    wrong: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """Something that would hurt somebody. `seed` is the first one that finds it, counted from 0."""

    name: str
    changes: tuple[Change, ...]
    seed: int


BUGS = (
    Bug(
        name="receipt before COMMIT",
        changes=(
            Change(
                where=Ingest.store,
                sound="rows_max=self._parts.settings.quarantine_rows_max)\n",
                wrong="rows_max=self._parts.settings.quarantine_rows_max)\n"
                "        self.tell(batch, Stored(recorded=recorded, known=known))\n",
            ),
        ),
        seed=0,
    ),
    Bug(
        name="due overwritten instead of the least",
        changes=(
            Change(
                where=dialect._on_slate,
                sound='"evaluate_at": earlier',
                wrong='"evaluate_at": statement.excluded.evaluate_at',
            ),
        ),
        seed=5,
    ),
    Bug(
        name="ladder counted from now",
        changes=(
            Change(
                where=escalation._due_steps,
                sound="changed(ladder, done=ladder.done + 1)",
                wrong="changed(ladder, done=ladder.done + 1, "
                "started_at=ladder.started_at + (turn.now.at - ladder.due_at))",
            ),
        ),
        seed=5,
    ),
    Bug(
        name="dedupe without device",
        changes=(
            Change(
                where=identity.reading_id,
                sound="(device.upper(), characteristic, frame.hex(), mark)",
                wrong="(characteristic, frame.hex(), mark)",
            ),
        ),
        seed=1,
    ),
    Bug(
        name="memory row not rebuilt after late data",
        changes=(
            Change(
                where=memory.needs_history,
                sound="return last is not None and any(each.key <= last for each in arrivals)",
                wrong="return False",
            ),
            Change(
                where=engine._fold,
                sound="stale = memory.stale or len(new) < len(view.arrivals)",
                wrong="stale = memory.stale",
            ),
        ),
        seed=4,
    ),
)


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """Everything run within has the bug, whoever imported the function from where.

    Raises `AssertionError` where a sound line is not there exactly once: then the bug must be planted anew.
    """
    with ExitStack() as stack:
        for change in bug.changes:
            stack.enter_context(_changed(change))
        yield


@contextmanager
def _changed(change: Change) -> Iterator[None]:
    function: Any = inspect.unwrap(change.where)  # of what is composed once, the one that composes
    forget: Callable[[], None] = getattr(change.where, "cache_clear", lambda: None)
    source = textwrap.dedent(inspect.getsource(function))
    count = source.count(change.sound)
    assert count == 1, f"{function.__qualname__} has {change.sound!r} {count} times: plant this bug where that is now"
    sound: CodeType = function.__code__
    known: dict[str, Any] = {}
    program = compile(source.replace(change.sound, change.wrong), sound.co_filename, "exec", dont_inherit=True)
    exec(program, dict(function.__globals__), known)
    function.__code__ = inspect.unwrap(known[function.__name__]).__code__
    forget()
    try:
        yield
    finally:
        function.__code__ = sound
        forget()
