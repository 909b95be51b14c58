"""Whether the server's ingest hears the broker: its own word, in the database."""

from contextlib import closing

from sqlalchemy import select

from benchmarks.street.processes import BenchmarkError, Child, wait_until
from server.db import tables
from server.db.engine import Database
from server.watch.silence import BROKER

_READY_S = 60.0


def wait_until_listening(address: str, child: Child) -> None:
    """Until the ingest process has beaten for its broker; raises `BenchmarkError` when it ended instead."""
    beat = select(tables.role_beat.c.at).where(tables.role_beat.c.role == BROKER)
    with closing(Database(address)) as database:

        def heard() -> bool:
            if not child.is_running():
                raise BenchmarkError(f"{child.name} ended: {child.tail()}")
            with database.read() as connection:
                return connection.execute(beat).first() is not None

        wait_until(heard, "the ingest hears the broker", _READY_S)
