"""From publishing to a committed alert, at a steady 500 readings a second."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import fixed_work_ms
from benchmarks.results import Book
from benchmarks.street.heard import Heard
from benchmarks.street.live import Live, Stream, quantile
from benchmarks.street.stage import Stage, opened
from benchmarks.street.template import HAMLET, TOWN, Past

SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
WHAT = "publish to committed alert"
PACE = "a fixed piece of work"  # before and after each round


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The town, how much a second and for how long, and how many rounds."""

    past: Past = TOWN
    rate: float = 500.0
    seconds: float = 20.0
    worried: int = 25
    rounds: int = 5


QUICK = Size(past=HAMLET, rate=50, seconds=3, worried=5, rounds=1)


def run(book: Book, size: Size) -> None:
    """All rounds on one town; nobody raises an alert twice."""
    book.note("size", {"rate": size.rate, "seconds": size.seconds, "worried": size.worried, "rounds": size.rounds})
    with (
        tempfile.TemporaryDirectory(prefix="varde-latency-") as name,
        opened(Path(name), size.past) as stage,
        Heard(stage.address) as heard,
    ):
        free = list(range(size.past.offline, size.past.patients))
        for number in range(1, size.rounds + 1):
            count = min(round(size.rate * size.seconds), len(free) // size.rounds)
            own, free = free[:count], free[count:]
            _round(book, (stage, heard), _stream(size, own), number)


def _stream(size: Size, patients: list[int]) -> Stream:
    return Stream(rate=size.rate, seconds=size.seconds, worried=size.worried, patients=patients)


def _round(book: Book, where: tuple[Stage, Heard], stream: Stream, number: int) -> None:
    stage, heard = where
    before = fixed_work_ms()
    live = Live(stage, stream).start()
    done = live.wait()
    stage.wait_until_judged(60)
    waits = live.waits(heard, done)
    book.add(PACE, (before + fixed_work_ms()) / 2, "ms", number)
    book.add("alerts missing", waits.missing, "", number)
    book.add("alerts seen", len(waits.seconds), "", number)
    for name, share in SHARES:
        book.add(f"{WHAT}, {name}", quantile(waits.seconds, share) * 1000, "ms", number)
