"""Tells open pages that something changed: a number that grows. It carries nobody's data; a page then asks for itself.

One watcher a process looks at the database, only while somebody listens; a nudge after a commit makes it look at once.
What people must hear of at once is told apart from what only moves a line: readings come by the hundred, and every open
page would otherwise be made anew for each of them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Table, func, select

from server.db import tables
from server.db.engine import Database
from server.web.gathering.asking import OVERDUE
from vitals.clock import Clock

_BELOW = 5_000  # more numbers than writers can have taken and not yet committed
_POLL_S = 1.0  # how late a change by another process may be seen; what is measured is measured in minutes
_REST_S = 0.1  # between two looks, however often somebody nudges

_log = structlog.get_logger("varde.web")


class Changes:
    """A counter of changes. `nudge` may be called from any thread, everything else belongs to the event loop."""

    def __init__(
        self, database: Database, clock: Clock, poll_s: float = _POLL_S, told: Callable[[], object] = lambda: None
    ) -> None:
        self._database = database
        self._clock = clock
        self._poll_s = poll_s
        self._told = told  # what pages say that no row holds; it may block
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = asyncio.Event()  # look now
        self._wanted = asyncio.Event()  # somebody listens
        self._moved = asyncio.Condition()
        self._listeners = 0
        self._print: tuple[tuple[object, ...], tuple[object, ...]] = ((), ())
        self.number = 0  # of the newest change
        self.urgent = 0  # of the newest change that people must hear of at once
        self.is_blind = False  # the last look failed: nobody knows whether a page is still true
        self.is_closed = False
        self._closing: asyncio.Future[None] | None = None

    def nudge(self) -> None:
        """Something was committed: look now."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it every page
                loop.call_soon_threadsafe(self._asked.set)

    async def watch(self) -> None:
        """Look until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            await self._wanted.wait()
            await self._try_to_look()
            await asyncio.sleep(min(_REST_S, self._poll_s))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), self._poll_s)
            self._asked.clear()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """While inside, the database is looked at."""
        self._listeners += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._wanted.clear()

    async def after(self, number: int, seconds: float) -> int:
        """The newest number, as soon as people must hear of something after `number`, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self.urgent > number or self.is_closed)
        return self.number

    def let_go(self) -> None:
        """Let every listener go, from any thread: whoever stops a server calls this before it waits for open pages."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._close_soon)

    async def close(self) -> None:
        """Let every listener go."""
        self.is_closed = True
        async with self._moved:
            self._moved.notify_all()

    def _close_soon(self) -> None:
        self._closing = asyncio.ensure_future(self.close())  # kept, or nobody would hold the task

    async def _try_to_look(self) -> None:
        try:
            await self._look()
        except Exception as error:  # noqa: BLE001 - one look that failed must not be the last one
            if not self.is_blind:
                _log.error("cannot look for changes", exc_info=error)
            self.is_blind = True
        else:
            self.is_blind = False

    def _see(self) -> tuple[tuple[object, ...], tuple[object, ...]]:
        urgent, rest = fingerprint(self._database, self._clock.now())
        return (*urgent, self._told()), rest

    async def _look(self) -> None:
        seen = await asyncio.to_thread(self._see)
        if seen == self._print:
            return
        self.number += 1
        if seen[0] != self._print[0]:
            self.urgent = self.number
        self._print = seen
        async with self._moved:
            self._moved.notify_all()


def fingerprint(database: Database, now: datetime) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Values that differ whenever a page would, those that people must hear of at once first; look-ups by index.

    Whatever changes an alert is a fact, and whatever changes what is remembered of a patient an evaluation.
    """
    due = tables.due.c
    urgent = (
        *_numbers(tables.fact),
        select(func.max(tables.quarantine.c.seq)).scalar_subquery(),
        select(func.count(tables.quarantine.c.seq)).where(tables.quarantine.c.state == "open").scalar_subquery(),
        select(func.max(tables.gateway_command.c.asked_at)).scalar_subquery(),
        select(func.max(tables.gateway_command.c.told_at)).scalar_subquery(),
        select(func.count()).where(due.failures > 0).scalar_subquery(),
        select(func.count()).where(due.evaluate_at < now - OVERDUE).scalar_subquery(),
    )
    rest = (
        *_numbers(tables.reading),
        *_numbers(tables.evaluation),
        select(func.max(tables.gateway_status.c.received_at)).scalar_subquery(),
        select(func.max(tables.device_silence.c.seq)).scalar_subquery(),
        select(func.max(tables.device_silence.c.ends_at)).scalar_subquery(),
    )
    with database.read() as connection:
        found = tuple(connection.execute(select(*urgent, *rest)).one())
    return found[: len(urgent)], found[len(urgent) :]


def _numbers(table: Table) -> tuple[Any, Any]:
    """The highest number, and how many there are just below it: several writers may commit a later number first."""
    highest = select(func.max(table.c.seq)).scalar_subquery()
    return highest, select(func.count()).where(table.c.seq > highest - _BELOW).scalar_subquery()
