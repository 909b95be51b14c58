"""Signs of life of the server's roles, in real time: a watch that has died must not look like a quiet night."""

import time
from datetime import datetime

from sqlalchemy import Connection, select

from server.db import tables
from server.db.dialect import put
from server.parts import Parts

EVERY_SECONDS = 2.0


def stamp(connection: Connection, role: str, at: datetime) -> None:
    """The role lives."""
    put(connection, tables.role_beat, {"role": role, "at": at})


def last(connection: Connection, role: str) -> datetime | None:
    """When the role last said that it lives; None: never."""
    table = tables.role_beat
    return connection.execute(select(table.c.at).where(table.c.role == role)).scalar()


def all_of(connection: Connection) -> dict[str, datetime]:
    """Role -> when it last said that it lives, of those that ever did."""
    table = tables.role_beat
    return {row.role: row.at for row in connection.execute(select(table.c.role, table.c.at))}


class Pulse:
    """The beat of one role. Whoever turns a loop calls `beat` in it, as often as it likes."""

    def __init__(self, parts: Parts, role: str) -> None:
        self._parts, self._role = parts, role
        self._at = float("-inf")

    def beat(self) -> None:
        """Say that the role lives, unless it said so a moment ago. Raises what the database raises."""
        if time.monotonic() - self._at < EVERY_SECONDS:
            return
        with self._parts.database.write() as connection:
            stamp(connection, self._role, self._parts.wall.now())
        self._at = time.monotonic()
