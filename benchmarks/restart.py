"""SIGKILL to ingest and watch in the middle of a live stream, started again at once: how long until the next alert."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from benchmarks.results import Book
from benchmarks.street.heard import Heard
from benchmarks.street.live import Live, Stream
from benchmarks.street.processes import BenchmarkError, wait_until
from benchmarks.street.stage import Stage, opened
from benchmarks.street.template import HAMLET, TOWN, Past

WHAT = "SIGKILL to the first new alert"
_LIMIT_S = 120.0
_RATE, _WORRIED = 40.0, 2
_DYING_S = 0.2  # a COMMIT that was on its way when its process died is no new alert
_BEFORE = 5  # alerts that must have been seen before the kill


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The town, how long the stream of each round is, how many rounds."""

    past: Past = TOWN
    seconds: float = 15.0
    rounds: int = 5


QUICK = Size(past=HAMLET, seconds=6, rounds=1)


def run(book: Book, size: Size) -> None:
    """All rounds on one town, each with people of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="varde-restart-") as name,
        opened(Path(name), size.past) as stage,
        Heard(stage.address) as heard,
    ):
        free = list(range(size.past.offline, size.past.patients))
        for number in range(1, size.rounds + 1):
            count = min(round(_RATE * size.seconds), len(free) // size.rounds)
            own, free = free[:count], free[count:]
            _round(book, (stage, heard), own, number)


def _round(book: Book, where: tuple[Stage, Heard], own: list[int], number: int) -> None:
    stage, heard = where
    before = len(heard.order)
    live = Live(stage, Stream(rate=_RATE, seconds=len(own) / _RATE, worried=_WORRIED, patients=own)).start()
    wait_until(lambda: len(heard.order) >= before + _BEFORE, "alerts before the kill", _LIMIT_S)
    for each in (stage.ingest, stage.watch):
        each.kill()
    killed = monotonic()
    stage.ingest.start()
    stage.watch.start()
    new = killed + _DYING_S
    wait_until(lambda: heard.order[-1] > new, "an alert after the kill", _LIMIT_S, look_s=0.01)
    first = next(at for at in heard.order if at > new)
    done = live.wait()
    stage.wait_until_judged(_LIMIT_S)
    waits = live.waits(heard, done)
    if waits.missing:
        raise BenchmarkError(f"{waits.missing} alerts never came")
    book.add(WHAT, first - killed, "s", number)
    book.add("longest wait for an alert over the kill", max(waits.seconds), "s", number)
