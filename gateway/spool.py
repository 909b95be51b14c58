"""Store and forward: what was heard stays on disk until the server says that it has it.

Theory of operation. One SQLite file, in WAL mode with `synchronous=FULL`: a transaction is in the file, and the file on
the disk, before `keep` returns. Only then does the radio confirm the device's record away, so at every moment a record
is in the device, here, or in the server's database, and after a crash possibly in two of them, never in none. Ids make
the second copy harmless. Messages leave oldest first, by `forget`, which only a sealed receipt calls; a broker's
acknowledgement means nothing here.

The same file remembers how each device's last connection began and ended (`Sessions`), because the id of a record
without number or time depends on it and must survive a kill as the record itself does.

The spool is bounded. When it is full, `SpoolFull` keeps new records in the devices, which are built to wait; nothing
old is dropped for something new. On a full disk what the server confirms must still be forgotten, which needs room
itself: a reserve beside the file (`Reserve`) is given up for that, and nothing new is taken until it is held again. Any
other failure of the disk is `SpoolBroken`: after a failed fsync nobody knows what is on the disk, so the process stops
and starts again from the file instead of going on from memory. What such a process left in the log can be read and may
yet be nowhere but in memory, so it is copied onto the disk before anything is kept.

One connection, one thread: the relay's.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.reserve import Reserve
from vitals import failpoint
from vitals.reading import ReadingId
from vitals.topics import Lane

log = logging.getLogger(__name__)

# 12 devices with 100 readings a day each fill this in two months; at 0.5 kB a message it is 50 MB of an SD card.
MESSAGES_MAX = 100_000
_BUSY_S = 5.0  # a person looking into the file with another program
_FILE_MODE = 0o600  # health data
_TOGETHER = 100  # are forgotten in one transaction: each may touch a page of its own, and the reserve is bounded
_LOG_PAGES = 100  # before the log is folded into the database; `RESERVE_BYTES` follows from it

_SAID_MAX = 100  # records of one device; some devices always go before we do, and never come to an orderly end
_SAID_TRIM = """DELETE FROM said WHERE device = ? AND rowid NOT IN
    (SELECT rowid FROM said WHERE device = ? ORDER BY rowid DESC LIMIT ?)"""

_SEQ_MAX = 2**63 - 1
_COUNT = "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET count = count + 1"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: resending goes by it
    id TEXT NOT NULL UNIQUE,
    lane TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS session (
    device TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    start TEXT NOT NULL,  -- on the given clock; inherited after a cut link
    seen TEXT NOT NULL,  -- real time of the last sign of life, or of the end
    state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS said (  -- records kept since a device's last orderly end, so that they are known again
    device TEXT NOT NULL,
    record TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (device, record)
);
CREATE TABLE IF NOT EXISTS memory (  -- the newest record kept of a device that has to be asked (`Memories`)
    device TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    frame BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS command (  -- obeyed or refused, so that none is obeyed twice (`Orders`)
    id TEXT PRIMARY KEY,
    expires_at TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS device_list (  -- that the server sent, by its order, newest last (`device_lists`)
    id TEXT PRIMARY KEY,
    devices TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""


Connection = sqlite3.Connection  # for whoever writes in a transaction of the spool's


class SpoolFull(RuntimeError):  # noqa: N818 - a state of the world, not a fault
    """There is no room. Nothing was stored; the record must stay in the device."""


class SpoolBroken(RuntimeError):  # noqa: N818
    """The disk failed. Nothing may be believed to be stored; the process has to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A body on its way to the server; `seq` orders messages and is 0 before they are kept."""

    id: ReadingId
    lane: Lane
    body: bytes
    device: str = ""
    record: str = ""  # characteristic and bytes, by which it is known when it comes again
    seq: int = 0


class Spool:
    """The messages that the server has not yet confirmed. Open it with `Spool.open`."""

    def __init__(self, database: sqlite3.Connection, reserve: Reserve, messages_max: int = MESSAGES_MAX) -> None:
        self.database = database
        self._reserve = reserve
        self._messages_max = messages_max
        self._depth: int = database.execute("SELECT count(*) FROM message").fetchone()[0]

    @classmethod
    def open(cls, path: Path, messages_max: int = MESSAGES_MAX) -> "Spool":
        """The spool at `path`, made when missing.

        A damaged file is put aside under another name and said loudly: what it held is lost to us, but the next reading
        need not be. Raises OSError or `SpoolBroken` when the file cannot be opened at all.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=_FILE_MODE)
        reserve = Reserve(path.with_name(f"{path.name}.reserve"))
        try:
            return cls(_connect_at_need(path, reserve), reserve, messages_max)
        except sqlite3.OperationalError as error:
            raise SpoolBroken(f"spool {path}: {error}") from error
        except sqlite3.DatabaseError as error:
            aside = _put_aside(path)
            log.error("spool_damaged reason=%r kept_as=%s", str(error), aside)  # noqa: TRY400 - the reason says it all
        path.touch(mode=_FILE_MODE)
        return cls(_connect(path), reserve, messages_max)

    @property
    def depth(self) -> int:
        """How many messages wait."""
        return self._depth

    def room(self) -> None:
        """Raises `SpoolFull` when nothing more could be kept."""
        if self._depth >= self._messages_max:
            raise SpoolFull(f"{self._depth} messages wait, which is all that is allowed")
        if not self._reserve.hold():
            self._fold()  # the log may hold the room that is missing
            if not self._reserve.hold():
                raise SpoolFull("the disk is full: no room for the reserve")

    def keep(self, message: Message, real_now: datetime) -> bool:
        """Store `message` and return when it is on the disk; False when it was there already.

        Raises `SpoolFull` or `SpoolBroken`, with nothing stored.
        """
        self.room()
        with self.writing() as database:
            added = database.execute(
                "INSERT INTO message (id, lane, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (message.id, message.lane.value, message.body),
            ).rowcount
            database.execute("UPDATE session SET seen = ? WHERE device = ?", (_text(real_now), message.device))
            if message.record:
                database.execute(
                    "INSERT OR REPLACE INTO said VALUES (?, ?, ?)", (message.device, message.record, message.id)
                )
                database.execute(_SAID_TRIM, (message.device, message.device, _SAID_MAX))
            if added and message.lane is Lane.FRAMES:
                database.execute(_COUNT, ("refused",))
            failpoint.reach("gateway.keeping")
        self._depth += added
        return bool(added)

    def oldest(self, limit: int, after: int = 0, until: int | None = None) -> list[Message]:
        """Up to `limit` messages with a `seq` above `after` and not above `until`, oldest first."""
        rows = self.database.execute(
            "SELECT seq, id, lane, body FROM message WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            (after, _SEQ_MAX if until is None else until, limit),
        )
        return [Message(seq=seq, id=ReadingId(key), lane=Lane(lane), body=body) for seq, key, lane, body in rows]

    def older_than_the_last(self, count: int) -> int:
        """The `seq` of the newest message before the last `count`; 0 when there are no more than those."""
        older = self.database.execute("SELECT seq FROM message ORDER BY seq DESC LIMIT 1 OFFSET ?", (count,)).fetchone()
        return older[0] if older else 0

    def forget(self, ids: Iterable[ReadingId]) -> int:
        """Drop what the server has confirmed; ids that are not here are ignored. Returns how many were dropped.

        Raises `SpoolBroken`, or `SpoolFull` when not even the reserve is room enough; some may be dropped then.
        """
        ids = tuple(ids)
        return sum(self._forget(ids[at : at + _TOGETHER]) for at in range(0, len(ids), _TOGETHER))

    def _forget(self, ids: Sequence[ReadingId]) -> int:
        try:
            gone = self._drop(ids)
        except SpoolFull:
            self._reserve.release()
            self._fold()
            gone = self._drop(ids)
        self._depth -= gone
        return gone

    def _drop(self, ids: Sequence[ReadingId]) -> int:
        with self.writing() as database:
            gone = sum(database.execute("DELETE FROM message WHERE id = ?", (each,)).rowcount for each in ids)
            failpoint.reach("gateway.forgetting")
        return gone

    def _fold(self) -> None:
        """Fold the log into the database and give its room back to the disk, as far as the disk has room for that."""
        try:
            self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            if not _is_full(error):
                raise SpoolBroken(f"spool: {error}") from error

    @property
    def refused(self) -> int:
        """How many frames no profile could read, since this file was made."""
        return self.counted("refused")

    def counted(self, name: str) -> int:
        """How often `name` was counted, since this file was made."""
        row = self.database.execute("SELECT count FROM counter WHERE name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def count(self, name: str) -> None:
        """Count `name` once more; raises `SpoolFull` or `SpoolBroken`."""
        with self.writing() as database:
            database.execute(_COUNT, (name,))

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk at the end; raises `SpoolFull` or `SpoolBroken`, then with nothing stored."""
        try:
            self.database.execute("BEGIN IMMEDIATE")
            yield self.database
            self.database.execute("COMMIT")
        except sqlite3.Error as error:
            if _is_full(error):
                raise SpoolFull("the disk is full") from error
            raise SpoolBroken(f"spool: {error}") from error
        finally:
            if self.database.in_transaction:  # some failures end the transaction themselves, others leave it open
                with contextlib.suppress(sqlite3.Error):  # one that cannot even be undone ends with the process
                    self.database.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; everything kept is in it."""
        self.database.close()


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def _connect_at_need(path: Path, reserve: Reserve) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.OperationalError:  # on a full disk there is no room for what belongs to an open file, either
        reserve.release()
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        verdict = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        database.executescript(_SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _put_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return aside


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
