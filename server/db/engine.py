"""Opens the database: durable, and one transaction around each piece of work.

The embedded default is SQLite in WAL mode with `synchronous=FULL`: the one setting that claims durability, and fast
enough in batches. Its writers take the write lock when they begin, so that what they read is still true when they
write. PostgreSQL serves several processes: readers see one snapshot, writers what is committed, and whoever works on a
patient holds that patient's row on the slate (`dialect.take_turn`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

_BUSY_SECONDS = 30  # longer than any batch or migration holds the write lock; then it is a fault and must be seen
_CONNECT_SECONDS = 10
_READ_ONLY = "varde_read_only"
_EMBEDDED, _SHARED = "sqlite", "postgresql"


class DatabaseAddressError(ValueError):
    """The address names a database that Varde cannot use."""


class LineError(Exception):
    """The driver's own connection is gone or was never there."""


class Database:
    """The database and its two kinds of transaction. Nobody else begins, commits or rolls back."""

    def __init__(self, address: str) -> None:
        url = _url(address)
        if url.get_backend_name() == _EMBEDDED:
            self._writing = _open_embedded(url)
            self._reading = self._writing.execution_options(**{_READ_ONLY: True})
        else:
            self._writing = _open_shared(url)
            self._reading = self._writing.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @property
    def address(self) -> str:
        """Where it is; may hold a password, so it is never logged."""
        return self._writing.url.render_as_string(hide_password=False)

    @property
    def is_embedded(self) -> bool:
        """Whether it is a file that only one process serves."""
        return self._writing.dialect.name == _EMBEDDED

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

    @contextmanager
    def line(self) -> Iterator[psycopg.Connection[Any]]:
        """The driver's own connection, outside every transaction, for what is no query. Raises `LineError`."""
        if self.is_embedded:
            raise LineError("an embedded database has no line to other processes")
        raw = self._writing.raw_connection()
        try:
            driver = cast("psycopg.Connection[Any]", raw.driver_connection)
            raw.detach()
            driver.autocommit = True
            yield driver
        except psycopg.Error as error:
            raise LineError(type(error).__name__) from error
        finally:
            raw.close()

    def close(self) -> None:
        """Give back every connection."""
        self._writing.dispose()


def check_answers(address: str) -> None:
    """Raise `DatabaseAddressError` unless there is a database at the address; its text carries no password."""
    database = Database(address)
    try:
        with database.read() as connection:
            connection.execute(select(1))
    except OperationalError as error:
        raise DatabaseAddressError(f"database: does not answer ({type(error.orig).__name__})") from None
    finally:
        database.close()


def is_embedded(address: str) -> bool:
    """Whether the address is a file that only one process can serve; raises `DatabaseAddressError`."""
    return _url(address).get_backend_name() == _EMBEDDED


def file_address(path: Path) -> str:
    """The address of the embedded database at `path`."""
    return f"sqlite:///{path.resolve()}"


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # the text may hold a password, so it is not repeated
        raise DatabaseAddressError("database: not an address such as sqlite:///PATH") from None
    backend = url.get_backend_name()
    if backend not in (_EMBEDDED, _SHARED):
        raise DatabaseAddressError(
            f"database: {backend} is not supported; use postgresql://USER@HOST/NAME, sqlite:///PATH, or leave it out"
        )
    if backend == _EMBEDDED and (not url.database or url.database == ":memory:"):
        raise DatabaseAddressError("database: an address without a file would forget everything at the end")
    return url if backend == _EMBEDDED else url.set(drivername="postgresql+psycopg")


def _open_shared(url: URL) -> Engine:
    return create_engine(
        url,
        pool_size=16,
        max_overflow=32,
        pool_pre_ping=True,  # a database that was restarted has forgotten our connections
        hide_parameters=True,  # an error's text ends up in logs, and parameters are people's values
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            # A receipt promises what a crash cannot take back, whatever the server's own setting is.
            "options": f"-c synchronous_commit=on -c timezone=UTC -c lock_timeout={_BUSY_SECONDS}s",
        },
    )


def _open_embedded(url: URL) -> Engine:
    engine = create_engine(
        url,
        pool_size=16,
        max_overflow=32,
        connect_args={"timeout": _BUSY_SECONDS},
        hide_parameters=True,
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
    # A writer takes the write lock at once and so never fails half-way for want of it.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
