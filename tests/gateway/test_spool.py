import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from gateway.reserve import RESERVE_BYTES
from gateway.spool import Message, Spool, SpoolBroken, SpoolFull
from vitals.reading import ReadingId
from vitals.topics import Lane

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def message(number: int, lane: Lane = Lane.READINGS) -> Message:
    return Message(id=ReadingId(str(UUID(int=number))), lane=lane, body=b'{"n":%d}' % number, device="A")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.open(tmp_path / "spool.db")
    yield spool
    spool.close()


def test_what_was_kept_comes_back_oldest_first_and_page_by_page(spool: Spool) -> None:
    for number in (3, 1, 2):
        assert spool.keep(message(number), NOW)
    first = spool.oldest(2)
    assert [each.body for each in first] == [b'{"n":3}', b'{"n":1}']
    assert [each.body for each in spool.oldest(2, after=first[-1].seq)] == [b'{"n":2}']
    assert [each.body for each in spool.oldest(9, until=first[-1].seq)] == [each.body for each in first]
    assert [spool.older_than_the_last(count) for count in (1, 2, 3, 9)] == [first[1].seq, first[0].seq, 0, 0]
    assert spool.depth == 3


def test_a_repeat_is_kept_once(spool: Spool) -> None:
    assert spool.keep(message(1), NOW)
    assert not spool.keep(message(1), NOW)
    assert spool.depth == len(spool.oldest(10)) == 1


def test_forgetting_drops_what_is_named_and_nothing_else(spool: Spool) -> None:
    for number in range(5):
        spool.keep(message(number), NOW)
    assert spool.forget([message(1).id, message(3).id, message(99).id, message(1).id]) == 2
    assert [each.id for each in spool.oldest(10)] == [message(number).id for number in (0, 2, 4)]
    assert spool.depth == 3


def test_a_number_is_never_used_again(spool: Spool) -> None:
    spool.keep(message(1), NOW)
    last = spool.oldest(1)[0].seq
    spool.forget([message(1).id])
    spool.keep(message(2), NOW)
    assert spool.oldest(1)[0].seq > last


def test_a_full_spool_keeps_the_old_and_takes_nothing_new(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", messages_max=2)
    spool.keep(message(1), NOW)
    spool.room()
    spool.keep(message(2), NOW)
    with pytest.raises(SpoolFull, match="2 messages wait"):
        spool.keep(message(3), NOW)
    with pytest.raises(SpoolFull):
        spool.room()
    assert [each.id for each in spool.oldest(9)] == [message(1).id, message(2).id]
    spool.forget([message(1).id])
    assert spool.keep(message(3), NOW)


def test_a_full_disk_is_a_full_spool_and_stores_nothing_by_halves(spool: Spool) -> None:
    spool.keep(message(1), NOW)
    pages = spool.database.execute("PRAGMA page_count").fetchone()[0]
    spool.database.execute(f"PRAGMA max_page_count = {pages}")
    big = Message(id=message(2).id, lane=Lane.READINGS, body=bytes(100_000))
    with pytest.raises(SpoolFull, match="the disk is full"):
        spool.keep(big, NOW)
    assert spool.depth == len(spool.oldest(9)) == 1
    assert not spool.database.in_transaction
    spool.database.execute("PRAGMA max_page_count = 1000000")
    assert spool.keep(big, NOW)


_FILLER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from gateway.spool import Message, Spool, SpoolFull
from vitals.topics import Lane
folder = Path(sys.argv[1])
now = datetime(2026, 1, 1, tzinfo=UTC)

def fill(spool):
    ids = []
    try:
        while True:
            one = Message(id=str(uuid4()), lane=Lane.READINGS, body=bytes(500))
            spool.keep(one, now)
            ids.append(one.id)
    except SpoolFull:
        return ids

spool = Spool.open(folder / "spool.db")
first = fill(spool)
with open(folder / "others", "wb", buffering=0) as others:  # and whatever else is on the disk takes the last byte
    try:
        while others.write(bytes(512)):
            pass
    except OSError:
        pass
for start in range(0, 300, 100):
    assert spool.forget(first[start : start + 100]) == 100
left = len(first) - 300
second = fill(spool)
assert second  # the room of what was forgotten serves again, and so does the reserve
del spool  # as if killed: the log stays
again = Spool.open(folder / "spool.db")
assert again.depth == left + len(second)
assert again.forget([*first, *second]) == left + len(second)
again.keep(Message(id=str(uuid4()), lane=Lane.READINGS, body=b"x"), now)
print("drained", again.depth)
"""


def test_a_disk_that_is_really_full_is_drained_by_receipts(tmp_path: Path) -> None:
    disk = f'mount -t tmpfs -o size=6m tmpfs "{tmp_path}"'
    if subprocess.run(["unshare", "-rm", "sh", "-c", disk], check=False, capture_output=True).returncode != 0:
        pytest.skip("no small disk can be made here")
    program = [sys.executable, "-c", _FILLER, str(tmp_path)]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{disk} && exec "$@"', "sh", *program],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout == "drained 1\n", done.stderr


class FullDisk:
    """A database on a disk that has no room as long as the file `reserve` is there."""

    def __init__(self, database: sqlite3.Connection, reserve: Path) -> None:
        self.database = database
        self.reserve = reserve

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        if statement.startswith("DELETE") and self.reserve.exists():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self.database.execute(statement, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self.database, name)


def test_the_reserve_is_given_up_to_forget_and_held_again_to_keep(tmp_path: Path, spool: Spool) -> None:
    reserve = tmp_path / "spool.db.reserve"
    spool.keep(message(1), NOW)
    assert reserve.stat().st_size == RESERVE_BYTES
    spool.database = FullDisk(spool.database, reserve)  # type: ignore[assignment]
    assert spool.forget([message(1).id]) == 1
    assert (spool.depth, reserve.exists()) == (0, False)
    reserve.mkdir()  # whatever it is that takes the room
    with pytest.raises(SpoolFull, match="no room for the reserve"):
        spool.keep(message(2), NOW)
    reserve.rmdir()
    assert spool.keep(message(2), NOW)
    assert reserve.stat().st_size == RESERVE_BYTES


def test_a_failing_disk_is_broken_not_full(spool: Spool) -> None:
    spool.database.execute("DROP TABLE message")
    with pytest.raises(SpoolBroken, match="no such table"):
        spool.keep(message(1), NOW)


def test_everything_survives_closing_and_opening(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db")
    spool.keep(message(1), NOW)
    spool.keep(message(2, Lane.FRAMES), NOW)
    spool.close()
    again = Spool.open(tmp_path / "spool.db")
    assert [(each.id, each.lane, each.body) for each in again.oldest(9)] == [
        (message(1).id, Lane.READINGS, b'{"n":1}'),
        (message(2).id, Lane.FRAMES, b'{"n":2}'),
    ]
    assert (again.depth, again.refused) == (2, 1)


def test_what_a_dead_process_left_in_the_log_is_copied_to_the_disk_first(tmp_path: Path) -> None:
    dead = Spool.open(tmp_path / "dead.db")
    dead.keep(message(1), NOW)
    for suffix in ("", "-wal"):  # as a kill leaves it
        shutil.copy(tmp_path / f"dead.db{suffix}", tmp_path / f"spool.db{suffix}")
    dead.close()
    log = tmp_path / "spool.db-wal"
    assert log.stat().st_size > 0
    spool = Spool.open(tmp_path / "spool.db")
    assert (spool.depth, log.stat().st_size) == (1, 0)


def test_refused_frames_are_counted_once_each_and_stay_counted(spool: Spool) -> None:
    assert spool.refused == 0
    for number in (1, 1, 2):
        spool.keep(message(number, Lane.FRAMES), NOW)
    spool.forget([message(1).id])
    assert spool.refused == 2


def test_durability_is_what_the_file_was_opened_with_and_nobody_else_reads_it(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "deep" / "spool.db")
    assert spool.database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert spool.database.execute("PRAGMA synchronous").fetchone() == (2,)
    spool.keep(message(1), NOW)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "deep").iterdir()} == {0o600}


def test_a_damaged_file_is_put_aside_and_listening_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    path.write_bytes(b"not a database at all" * 100)
    spool = Spool.open(path)
    assert spool.keep(message(1), NOW)
    assert (tmp_path / "spool.db.damaged-1").read_bytes().startswith(b"not a database")


def test_a_place_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "spool.db").mkdir()
    with pytest.raises(SpoolBroken, match="unable to open"):
        Spool.open(tmp_path / "spool.db")


_KEEPER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from gateway.spool import Message, Spool
from vitals.topics import Lane
spool = Spool.open(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    body = bytes(number % 3000)
    spool.keep(Message(id=str(UUID(int=number)), lane=Lane.READINGS, body=body), datetime(2026, 1, 1, tzinfo=UTC))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_nothing_that_was_kept_is_lost_by_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    rng = random.Random(20261122)
    promised: list[int] = []
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", _KEEPER, str(path), str(promised[-1] + 1 if promised else 0)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        ) as process:
            assert process.stdout is not None
            stop_after = rng.randrange(1, 120)
            for line in process.stdout:
                promised.append(int(line))
                if stop_after == 0:
                    process.kill()  # the child is now somewhere in one of the next calls of keep
                stop_after -= 1
        assert process.returncode == -9
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    stored = {UUID(each.id).int for each in Spool.open(path).oldest(100_000)}
    assert len(promised) > 100
    assert set(promised) <= stored
