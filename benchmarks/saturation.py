"""Saturation: more readings a second, step by step, until alerts come late.

What is sent past that comes late; none of it may be lost.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import Book
from benchmarks.street.heard import Heard
from benchmarks.street.live import Live, Stream, quantile
from benchmarks.street.stage import Stage, opened
from benchmarks.street.template import HAMLET, TOWN, Past

KNEE = "most that is judged in time"
PAST = "offered past it"
P95 = "alert p95"
_LATE_S = 1.0  # an alert this late, for one in twenty, is past the knee
_JUDGED_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The town, the first rate and how much more each step offers, for how long, and how many steps at the most."""

    past: Past = TOWN
    first: float = 400.0
    factor: float = 1.25
    seconds: float = 10.0
    worried: int = 50
    steps: int = 16


QUICK = Size(past=HAMLET, first=20, seconds=2, worried=10, steps=2)


def run(book: Book, size: Size) -> None:
    """Step after step on one town; nobody raises an alert twice. Ends at the first step past the knee."""
    book.note("size", {"seconds": size.seconds, "factor": size.factor, "worried": size.worried})
    with (
        tempfile.TemporaryDirectory(prefix="varde-saturation-") as name,
        opened(Path(name), size.past) as stage,
        Heard(stage.address) as heard,
    ):
        free, rate, in_time = list(range(size.past.offline, size.past.patients)), size.first, 0.0
        for step in range(1, size.steps + 1):
            ill = -(-round(rate * size.seconds) // size.worried)
            if len(free) < 2 * ill:
                book.note("ended", "no more patients")
                break
            stream = Stream(rate=rate, seconds=size.seconds, worried=size.worried, patients=free)
            late = _step(book, stage, heard, stream, step)
            free = free[ill:]
            if late > _LATE_S:
                book.add(PAST, rate, "readings/s")
                break
            in_time, rate = rate, rate * size.factor
        book.add(KNEE, in_time, "readings/s")


def _step(book: Book, stage: Stage, heard: Heard, stream: Stream, step: int) -> float:
    """The 95th percentile of the alerts' delays, in seconds."""
    live = Live(stage, stream).start()
    done = live.wait()
    stage.wait_until_judged(_JUDGED_S)
    waits = live.waits(heard, done)
    late = quantile(waits.seconds, 0.95)
    book.add("offered", stream.rate, "readings/s", step)
    book.add(P95, late * 1000, "ms", step)
    book.add("receipts behind the last sending", done.last_receipt - done.last_sent, "s", step)
    book.add("alerts missing", waits.missing, "", step)
    book.add("receipts missing", stream.count - len(done.accepted), "", step)
    return late
