"""Opens the database: durable, and one transaction around each piece of work.

The embedded default is SQLite in WAL mode with `synchronous=FULL`: the one setting that claims durability, and fast
enough in batches. Its writers take the write lock when they begin, so that what they read is still true when they
write. PostgreSQL serves several processes: readers see one snapshot, writers what is committed, and whoever works on a
patient holds that patient's row on the slate (`dialect.take_turn`).

A full disk is waited for. A disk that fails to write or to sync is not: nobody knows then what is on it, and asking
again could be answered from memory. So the embedded database takes no more writes (`is_broken`), its process ends, and
the next one copies what it finds in the log onto the disk (`settle`) before it promises anything. PostgreSQL does the
same for itself.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, cast

import psycopg
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from server.db import journey
from server.db.turns import Turns

_BUSY_SECONDS = 30  # longer than any batch or migration holds the write lock; then it is a fault and must be seen
_CONNECT_SECONDS = 10
_CONNECTIONS, _MORE_AT_PEAK = 16, 32
_PEER_SECONDS = 20  # as long as a silent role is waited for
_FROZEN_SECONDS = 60  # nobody thinks so long between two statements of a transaction; whoever does holds others up
_IDLE_SECONDS = 1.0  # a connection that was used since is believed to be there
_READ_ONLY = "varde_read_only"
_USED_AT = "varde_used_at"
_EMBEDDED, _SHARED = "sqlite", "postgresql"
_FAILED = (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_IOERR_WRITE)


class DatabaseAddressError(ValueError):
    """The address names a database that Varde cannot use."""


class LineError(Exception):
    """The driver's own connection is gone or was never there."""


class Database:
    """The database and its two kinds of transaction. Nobody else begins, commits or rolls back."""

    def __init__(self, address: str) -> None:
        url = _url(address)
        self._turns = Turns()
        self._kept = _Kept()
        self._broken: sqlite3.Error | None = None
        self._tell_broken: Callable[[], None] = lambda: None
        if url.get_backend_name() == _EMBEDDED:
            self._writing = _open_embedded(url)
            event.listen(self._writing, "handle_error", self._on_error)
            self._reading = self._glancing = self._writing.execution_options(**{_READ_ONLY: True})
        else:
            self._writing = _open_shared(url)
            self._reading = self._writing.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._glancing = self._writing.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def address(self) -> str:
        """Where it is; may hold a password, so it is never logged."""
        return self._writing.url.render_as_string(hide_password=False)

    @property
    def is_embedded(self) -> bool:
        """Whether it is a file that only one process serves."""
        return self._writing.dialect.name == _EMBEDDED

    @property
    def is_broken(self) -> bool:
        """Whether the disk under an embedded database has failed; then only another process can go on."""
        return self._broken is not None

    def when_broken(self, tell: Callable[[], None]) -> None:
        """Call `tell`, in whichever thread, as soon as the disk fails."""
        self._tell_broken = tell
        if self.is_broken:
            tell()

    def settle(self) -> None:
        """Put everything that an embedded database's log holds into its file, and both on the disk.

        A process that ended for a failed sync leaves a log that can be read but may be nowhere but in memory. Raises
        `OperationalError` when the disk fails again.
        """
        if self.is_embedded:
            with self._writing.connect() as connection:
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may change things: committed at the end, rolled back when anything raises."""
        if self._broken is not None:
            raise OperationalError("BEGIN", None, self._broken, hide_parameters=True)
        if self._kept.is_wanted:
            with self._kept.begin(self._writing) as connection:
                yield connection
            return
        with (
            self._turns.taken(_BUSY_SECONDS) if self.is_embedded else nullcontext(),
            self._writing.begin() as connection,
        ):
            yield connection

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """While inside, this thread writes over one connection that nobody else gets: the one that has its plans."""
        if self.is_embedded:
            yield  # there a connection is nothing but a file that is open
            return
        self._kept.is_wanted = True
        try:
            yield
        finally:
            self._kept.is_wanted = False
            self._kept.let_go()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the data, waiting for no writer; nothing may be changed in it."""
        with self._reading.begin() as connection:
            yield connection

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """For a single question, asked often: the journeys of a transaction cost more than its answer.

        Each statement sees what is committed just then, so that two of them need not fit together.
        """
        with self._glancing.connect() as connection:
            yield connection

    @contextmanager
    def line(self) -> Iterator[psycopg.Connection[Any]]:
        """The driver's own connection, outside every transaction, for what is no query. Raises `LineError`."""
        if self.is_embedded:
            raise LineError("an embedded database has no line to other processes")
        try:
            raw = self._writing.raw_connection()
        except psycopg.Error as error:  # the driver's own, for nothing wraps what is no query
            raise LineError(type(error).__name__) from error
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

    def _on_error(self, context: ExceptionContext) -> None:
        error = context.original_exception
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) in _FAILED:
            self._broken = self._broken or error
            self._tell_broken()


class _Pool(QueuePool):
    """Has none to give away for a while: the database's trouble, and never that of what was to be done over it."""

    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except PoolTimeoutError as error:
            raise OperationalError("connect", None, error, hide_parameters=True) from error


class _Kept(threading.local):
    """A thread's own connection, from one transaction to the next."""

    is_wanted = False
    connection: Connection | None = None
    used_at = 0.0

    @contextmanager
    def begin(self, engine: Engine) -> Iterator[Connection]:
        """A transaction over it; over a new one when it has lain so long that it may be gone."""
        if self.connection is not None and monotonic() - self.used_at >= _IDLE_SECONDS:
            self.let_go()
        if self.connection is None:
            self.connection = engine.connect()
        try:
            with self.connection.begin():
                yield self.connection
        except BaseException:
            # A COMMIT that failed leaves its transaction open, for SQLAlchemy rolls back no more; the pool does.
            self.let_go()
            raise
        self.used_at = monotonic()

    def let_go(self) -> None:
        """Give it back."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


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
    engine = create_engine(
        url,
        poolclass=_Pool,
        pool_size=_CONNECTIONS,
        max_overflow=_MORE_AT_PEAK,
        pool_timeout=_BUSY_SECONDS,
        pool_use_lifo=True,  # the one used last still has its plans
        hide_parameters=True,  # an error's text ends up in logs, and parameters are people's values
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            # A peer that is gone without a word is given up after so long, instead of after two hours.
            "keepalives_idle": _PEER_SECONDS,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": _PEER_SECONDS * 1000,
            # A receipt promises what a crash cannot take back, whatever the server's own setting is.
            "options": f"-c synchronous_commit=on -c timezone=UTC -c lock_timeout={_BUSY_SECONDS}s"
            # A process that froze, with its machine or alone, keeps patients and devices from the others no longer.
            f" -c idle_in_transaction_session_timeout={_FROZEN_SECONDS}s",
        },
    )
    event.listen(engine, "checkout", partial(_ask_whether_there, engine))
    event.listen(engine, "checkin", _note_use)
    journey.look_after(engine)
    return engine


def _ask_whether_there(engine: Engine, raw: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """A database that was restarted has forgotten our connections; asking each time is a journey each time."""
    if monotonic() - record.info.get(_USED_AT, float("-inf")) < _IDLE_SECONDS:
        return
    try:
        engine.dialect.do_ping(raw)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _note_use(_raw: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = monotonic()


def _open_embedded(url: URL) -> Engine:
    engine = create_engine(
        url,
        poolclass=_Pool,
        pool_size=_CONNECTIONS,
        max_overflow=_MORE_AT_PEAK,
        pool_timeout=_BUSY_SECONDS,
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
