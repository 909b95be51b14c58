"""Opens the database: durable, one writer at a time, and one transaction around each piece of work.

SQLite in WAL mode with `synchronous=FULL`: the one setting that claims durability, and fast enough in batches.
Writers take the write lock when they begin, so that what they read is still true when they write.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from server.db.dialect import begin_statement

_BUSY_SECONDS = 30  # longer than any batch or migration holds the write lock; then it is a fault and must be seen
_READ_ONLY = "varde_read_only"


class DatabaseAddressError(ValueError):
    """The address names a database that Varde cannot use."""


class Database:
    """The database and its two kinds of transaction. Nobody else begins, commits or rolls back."""

    def __init__(self, address: str) -> None:
        self._writing = _make_engine(address)
        self._reading = self._writing.execution_options(**{_READ_ONLY: True})

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may change things: committed at the end, rolled back when anything raises."""
        with self._writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the data, waiting for no writer; nothing may be changed in it."""
        with self._reading.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self._writing.dispose()


def is_embedded(address: str) -> bool:
    """Whether the address is a file that only one process can serve; raises `DatabaseAddressError`."""
    return _file_of(address) is not None


def file_address(path: Path) -> str:
    """The address of the embedded database at `path`."""
    return f"sqlite:///{path.resolve()}"


def _file_of(address: str) -> str | None:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # the text may hold a password, so it is not repeated
        raise DatabaseAddressError("database: not an address such as sqlite:///PATH") from None
    if url.get_backend_name() != "sqlite":
        raise DatabaseAddressError(
            f"database: {url.get_backend_name()} is not supported yet; use sqlite:///PATH or leave it out"
        )
    if not url.database or url.database == ":memory:":
        raise DatabaseAddressError("database: an address without a file would forget everything at the end")
    return url.database


def _make_engine(address: str) -> Engine:
    _file_of(address)
    engine = create_engine(
        address,
        pool_size=16,
        max_overflow=32,
        connect_args={"timeout": _BUSY_SECONDS},
        hide_parameters=True,  # an error's text ends up in logs, and parameters are people's values
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # the driver would begin by itself, too late and without the write lock
    cursor = raw.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    reading = bool(connection.get_execution_options().get(_READ_ONLY))
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    connection.exec_driver_sql(begin_statement(reading=reading))
