"""A backlog, and what it does to somebody who is ill just now: live alerts are timed while it drains.

Two of them. `wave`: every gateway comes back after an outage of the broker, each with a few readings, all at once.
`kits`: 500 gateways that were away for 72 hours, each sending what it kept, oldest first, with as much on its way as
the product's gateway allows itself.
"""

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import sleep

from benchmarks.results import Book
from benchmarks.street.heard import Heard
from benchmarks.street.live import Live, Stream, quantile
from benchmarks.street.load import Job, Load, Pace
from benchmarks.street.processes import BenchmarkError
from benchmarks.street.stage import Stage, opened
from benchmarks.street.template import AWAY, HAMLET, TOWN, Past

WINDOW = 100  # as the product's gateway sends by default (gateway/flights.py)
_LIMIT_S = 900.0
_LIVE_RATE, _LIVE_WORRIED = 50.0, 5
_WELL = 30  # who share the live readings that worry nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The town, how much comes at once, how many gateways were away and how often they had measured."""

    past: Past = TOWN
    wave: int = 250_000
    every: timedelta = timedelta(minutes=10)
    live_s: float = 30.0
    rounds: int = 1


QUICK = Size(past=HAMLET, wave=1_200, every=timedelta(hours=3), live_s=3.0, rounds=1)


def run(book: Book, size: Size) -> None:
    """The wave and the kits, each on a town of its own."""
    book.note("size", {"wave": size.wave, "kits": size.past.offline, "every_min": size.every.total_seconds() / 60})
    for number in range(1, size.rounds + 1):
        for name in ("wave", "kits"):
            with (
                tempfile.TemporaryDirectory(prefix="varde-backlog-") as folder,
                opened(Path(folder), size.past) as stage,
                Heard(stage.address) as heard,
            ):
                job = _wave(stage, size) if name == "wave" else _kits(stage, size)
                _drain(book, (stage, heard), size, job, number)


def _drain(book: Book, where: tuple[Stage, Heard], size: Size, job: Job, number: int) -> None:
    """Send the backlog beside a live stream that goes on until it is drained."""
    stage, heard = where
    load = Load(job, stage.folder)
    patients = list(range(_first_live(stage), stage.past.patients))
    lives = [_next_live(stage, size, patients, 0).start()]
    load.start()
    while not load.is_over():
        if lives[-1].is_over() and not load.is_over():
            lives.append(_next_live(stage, size, patients, len(lives)).start())
        sleep(0.1)
    done = load.wait()
    if done.gave_up or len(done.accepted) != len(job.packets):
        raise BenchmarkError(f"{job.name}: {len(job.packets)} sent, {len(done.accepted)} receipted")
    outcomes = [each.wait() for each in lives]
    over = stage.wait_until_judged(_LIMIT_S)
    name = job.name
    book.add(f"{name}: readings", len(job.packets), "", number)
    book.add(f"{name}: until all have receipts", done.seconds, "s", number)
    book.add(f"{name}: until nobody is due", over - done.began, "s", number)
    book.add(f"{name}: drained", len(job.packets) / (over - done.began), "readings/s", number)
    waits = [each.waits(heard, outcome) for each, outcome in zip(lives, outcomes, strict=True)]
    seconds = [second for each in waits for second in each.seconds]
    book.add(f"{name}: live alerts seen", len(seconds), "", number)
    book.add(f"{name}: live alerts missing", sum(each.missing for each in waits), "", number)
    for word, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
        book.add(f"{name}: live alert {word}", quantile(seconds, share), "s", number)


def _next_live(stage: Stage, size: Size, patients: list[int], place: int) -> Live:
    """The next stretch of the live stream: other patients, so that each alert is a new one."""
    ill = round(size.live_s * _LIVE_RATE / _LIVE_WORRIED) + 1
    own, patients[:] = patients[: ill + _WELL], patients[ill + _WELL :]
    if len(own) <= ill:
        raise BenchmarkError("the backlog outlasted everybody who could still raise an alert")
    stream = Stream(rate=_LIVE_RATE, seconds=size.live_s, worried=_LIVE_WORRIED, patients=own)
    return Live(stage, stream, f"live-{place}")


def _first_live(stage: Stage) -> int:
    """Who is in the live stream: two in five, because each of them raises an alert only once."""
    return stage.past.patients * 3 // 5


def _wave(stage: Stage, size: Size) -> Job:
    """Everybody's readings of the last hours, patient after patient in turns, as fast as the broker takes them."""
    numbers = range(stage.past.offline, _first_live(stage))
    each = -(-size.wave // len(numbers))
    packets = []
    for place in range(each):
        before = timedelta(minutes=5 * (each - place))
        packets += stage.packets(numbers, before=before)
    packets = packets[: size.wave]
    return Job(
        port=stage.broker.port,
        packets=packets,
        pace=Pace.WINDOW,
        window=len(packets),
        name="wave",
        limit_s=_LIMIT_S,
    )


def _kits(stage: Stage, size: Size) -> Job:
    """72 hours of each gateway that was away, in the order of a spool."""
    packets = []
    now = stage.clock.now()
    for number in range(stage.past.offline):
        times = (now - AWAY + place * size.every for place in range(int(AWAY / size.every)))
        packets += [stage.packet(number, False, at) for at in times]
    return Job(
        port=stage.broker.port,
        packets=packets,
        pace=Pace.KITS,
        window=WINDOW,
        name="kits",
        limit_s=_LIMIT_S,
    )
