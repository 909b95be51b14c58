from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.memories import Memories
from gateway.radio import Recall
from gateway.spool import Spool

METER = "C0:FF:EE:00:00:07"


def record(sequence: int) -> bytes:
    return bytes([6]) + sequence.to_bytes(2, "little") + b"rest"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.open(tmp_path / "spool.db")
    yield spool
    spool.close()


def session(memories: Memories, *sequences: int, ends: bool = True) -> None:
    memories.begin(METER)
    for each in sequences:
        memories.note(METER, record(each))
    if ends:
        memories.settle(METER)


def test_the_newest_record_is_known_also_after_a_restart(spool: Spool) -> None:
    assert Memories(spool).recall(METER) is None
    session(Memories(spool), 3, 5, 4)
    assert Memories(spool).recall(METER) == Recall(sequence=5, frame=record(5))


def test_what_a_session_brought_that_was_cut_is_asked_for_again(spool: Spool) -> None:
    memories = Memories(spool)
    session(memories, 3)
    session(memories, 4, 5, ends=False)
    session(memories)
    assert memories.recall(METER) == Recall(sequence=3, frame=record(3))


def test_a_reset_memory_is_known_from_its_new_count(spool: Spool) -> None:
    memories = Memories(spool)
    session(memories, 500)
    session(memories, 1)
    assert memories.recall(METER) == Recall(sequence=1, frame=record(1))


def test_a_count_that_began_anew_behind_65535_is_asked_for_as_a_whole(spool: Spool) -> None:
    memories = Memories(spool)
    session(memories, 65534)
    session(memories, 65534, 65535, 0, 1)
    assert memories.recall(METER) is None
