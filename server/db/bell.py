"""Carries nudges between processes that share a database: quick where it works, never needed.

What is rung is a name, nothing else. Whoever puts patients on the slate rings the watch at the COMMIT
(`dialect.due_at_latest`). A ring that is lost costs the waiting loop's own patience, a second or two.
"""

import queue
import threading
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy.exc import DBAPIError

from server.db.dialect import channel
from server.db.engine import Database, LineError

_PATIENCE_SECONDS = 0.5  # how soon a stop is noticed
_AGAIN_SECONDS = 1.0
_PAUSE_SECONDS = 0.1  # after each telling: what is rung meanwhile is one ring, and nobody sees a page turn later
_WAITING_MAX = 100  # more rings than that say nothing new
_RING_ALL = "SELECT pg_notify(name, '') FROM unnest(%s::text[]) AS name"

_log = structlog.get_logger("varde.bell")


class Bell:
    """Tells other processes what was rung here, and rings here what others tell; a role of its own.

    `rung` names what to call, quickly and without raising, when another process rings; nothing else is listened to.
    """

    name = "bell"

    def __init__(self, database: Database, rung: Mapping[str, Callable[[], None]]) -> None:
        self._database = database
        self._rung = rung
        self._waiting: queue.Queue[str] = queue.Queue(_WAITING_MAX)
        self._backend: int | None = None  # our own rings come back to us under this number

    def tell(self, name: str) -> None:
        """Ring in the other processes, soon; never waits and never raises."""
        try:
            self._waiting.put_nowait(name)
        except queue.Full:
            _log.debug("bell is full", name=name)

    def run(self, stop: threading.Event) -> None:
        """Carry until `stop`, over every loss of the connection."""
        teller = threading.Thread(target=self._keep, args=(self._tell_once, stop), name="bell-tell")
        teller.start()
        try:
            self._keep(self._listen, stop)
        finally:
            teller.join()

    def _keep(self, work: Callable[[threading.Event], None], stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                work(stop)
            except (DBAPIError, LineError) as error:
                _log.warning("bell cannot ring", error=type(error).__name__)
                stop.wait(_AGAIN_SECONDS)

    def _listen(self, stop: threading.Event) -> None:
        rung = {channel(name): ring for name, ring in self._rung.items()}
        with self._database.line() as driver:
            for name in self._rung:
                driver.execute(f"LISTEN {channel(name)}")
            self._ring_all()  # whatever was rung while nobody listened
            while not stop.is_set():
                for note in driver.notifies(timeout=_PATIENCE_SECONDS, stop_after=1):
                    if note.pid != self._backend:
                        rung[note.channel]()

    def _tell_once(self, stop: threading.Event) -> None:
        with self._database.line() as driver:
            self._backend = driver.info.backend_pid
            while not stop.is_set():
                try:
                    names = {self._waiting.get(timeout=_PATIENCE_SECONDS)}
                except queue.Empty:
                    continue
                while not self._waiting.empty():
                    names.add(self._waiting.get_nowait())
                driver.execute(_RING_ALL, ([channel(name) for name in sorted(names)],))
                stop.wait(_PAUSE_SECONDS)

    def _ring_all(self) -> None:
        for ring in self._rung.values():
            ring()
