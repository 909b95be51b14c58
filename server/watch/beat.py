"""Signs of life of the server's roles, in real time: a watch that has died must not look like a quiet night."""

from datetime import datetime

from sqlalchemy import Connection, select

from server.db import tables
from server.db.dialect import put


def stamp(connection: Connection, role: str, at: datetime) -> None:
    """The role lives."""
    put(connection, tables.role_beat, {"role": role, "at": at})


def last(connection: Connection, role: str) -> datetime | None:
    """When the role last said that it lives; None: never."""
    table = tables.role_beat
    return connection.execute(select(table.c.at).where(table.c.role == role)).scalar()
