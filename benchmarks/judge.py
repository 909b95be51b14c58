"""Recording and judging: the full covid19 rulebook over two weeks of history, and where the time goes.

Every patient sends one reading, all at once; the clock stops when each has its receipt and nobody is due any more.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.results import Book
from benchmarks.street.load import Job, Pace, send
from benchmarks.street.processes import BenchmarkError
from benchmarks.street.stage import Stage, opened
from benchmarks.street.template import HAMLET, TOWN, Past
from server.db import tables
from server.db.engine import Database

RATE = "record and judge"
RECORDED = "recorded, while judging goes on beside it"
_WORRIED = 0.01
_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The town, and how many rounds."""

    past: Past = TOWN
    rounds: int = 5


QUICK = Size(past=HAMLET, rounds=1)


def run(book: Book, size: Size) -> None:
    """All rounds on one town; each adds a reading to everybody's past."""
    book.note("size", {"patients": size.past.patients, "rounds": size.rounds, "worrying": _WORRIED})
    with tempfile.TemporaryDirectory(prefix="varde-judge-") as name, opened(Path(name), size.past) as stage:
        book.note("history", _counts(stage))
        for number in range(1, size.rounds + 1):
            _round(book, stage, number)


def _round(book: Book, stage: Stage, number: int) -> None:
    patients = range(stage.past.offline, stage.past.patients)
    packets = stage.packets(patients, worried=_WORRIED)
    before = stage.processor()
    done = send(Job(port=stage.broker.port, packets=packets, pace=Pace.WINDOW, limit_s=_LIMIT_S), stage.folder)
    if done.gave_up or len(done.accepted) != len(packets):
        raise BenchmarkError(f"{len(packets)} sent, {len(done.accepted)} receipted: {stage.ingest.tail()}")
    over = stage.wait_until_judged(_LIMIT_S)
    after = stage.processor()
    book.add(RATE, len(packets) / (over - done.began), "readings/s", number)
    book.add(RECORDED, len(packets) / done.seconds, "readings/s", number)
    for part, seconds in after.items():
        book.add(f"processor: {part}", (seconds - before[part]) / len(packets) * 1e6, "us a reading", number)
    book.add("processor: load", done.processor_s / len(packets) * 1e6, "us a reading", number)
    book.add("processor: share of all cores", _share(before, after, over - done.began), "", number)


def _share(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> float:
    return sum(after[part] - before[part] for part in after) / seconds / (os.cpu_count() or 1)


def _counts(stage: Stage) -> dict[str, int]:
    database = Database(stage.address)
    with database.read() as connection:
        found = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.patient, tables.reading, tables.measurement, tables.alert)
        }
    database.close()
    return found
