"""Whether roles of the server are ready: their own word, in the database."""

from contextlib import closing

from sqlalchemy import select

from benchmarks.street.processes import BenchmarkError, Child, wait_until
from server.db import tables
from server.db.engine import Database
from server.watch.silence import BROKER

_READY_S = 60.0


def wait_until_listening(address: str, child: Child, role: str = BROKER) -> None:
    """Until the process has beaten for that role, an ingest for its broker; raises `BenchmarkError` when it ended."""
    beat = select(tables.role_beat.c.at).where(tables.role_beat.c.role == role)
    with closing(Database(address)) as database:

        def heard() -> bool:
            if not child.is_running():
                raise BenchmarkError(f"{child.name} ended: {child.tail()}")
            with database.read() as connection:
                return connection.execute(beat).first() is not None

        wait_until(heard, f"{child.name} beats for {role}", _READY_S)
