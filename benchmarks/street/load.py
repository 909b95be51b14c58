"""A load in a process of its own: publishes packets that were made beforehand and listens for receipts as kits do.

`python -m benchmarks.street.load JOB` reads a pickled `Job` and leaves a pickled `Outcome` beside it. Times are of the
monotonic clock, which all processes of a machine share.
"""

import json
import pickle
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from time import monotonic, process_time

from benchmarks.street.mqtt import Line
from benchmarks.street.processes import LOAD, Child
from benchmarks.street.progress import Progress
from vitals.topics import Lane, every_gateway

_CHUNK = 200  # packets in one go
_TICK_S = 0.002


class Pace(Enum):
    """What decides when the next reading is sent."""

    WINDOW = auto()  # at most `window` that nobody has finished with
    RATE = auto()  # `rate` a second, come what may
    KITS = auto()  # at most `window` without a receipt from each gateway, as the product's gateway keeps it


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to send and how, in the order of `packets`; no two jobs at a time speak for one gateway.

    Finished is what has a receipt or, with `progress`, what the consumer says there.
    """

    port: int
    packets: Sequence[bytes]
    pace: Pace
    window: int = 5000
    rate: float = 0.0
    progress: Path | None = None
    name: str = "load"
    limit_s: float = 600.0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it: when the first was sent, when the last receipt came, and which ids were receipted."""

    sent: int = 0
    began: float = 0.0
    last_sent: float = 0.0
    last_receipt: float = 0.0
    accepted: set[str] = field(default_factory=set)
    rejected: int = 0
    sent_at: list[float] = field(default_factory=list)
    processor_s: float = 0.0
    gave_up: bool = False

    @property
    def seconds(self) -> float:
        """From the first reading sent to the last receipt."""
        return self.last_receipt - self.began


class _Sender:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._line = Line(job.port, job.name, (LOAD.name, LOAD.password))
        self._progress = Progress(job.progress) if job.progress else None
        self._receipts: list[bytes] = []
        self._receipted = 0
        self._waiting = _queues(job)
        self._own = {_receipts_of(packet) for packet in job.packets}
        self.outcome = Outcome()
        if self._progress is None:
            self._line.subscribe(every_gateway(Lane.RECEIPTS), 1)

    def run(self) -> Outcome:
        """Send it all and wait until all is finished."""
        job, outcome = self._job, self.outcome
        outcome.began = monotonic()
        if job.pace is Pace.KITS:
            self._start_kits()
        while self._finished() < len(job.packets):
            if monotonic() - outcome.began > job.limit_s:
                outcome.gave_up = True
                break
            busy = self._send()
            self._hear(0.0 if busy else _TICK_S)
        if self._progress is not None:
            outcome.last_receipt = monotonic()
        self._line.close()
        self._read_receipts()
        outcome.processor_s = process_time()
        return outcome

    def _finished(self) -> int:
        return self._progress.count if self._progress else self._receipted

    def _send(self) -> bool:
        """Whether anything was sent."""
        job, outcome = self._job, self.outcome
        if job.pace is Pace.KITS or outcome.sent == len(job.packets):
            return False
        if job.pace is Pace.RATE:
            due = int((monotonic() - outcome.began) * job.rate) + 1 - outcome.sent
        else:
            due = job.window - (outcome.sent - self._finished())
        if due <= 0:
            return False
        self._publish(job.packets[outcome.sent : outcome.sent + min(due, _CHUNK)])
        return True

    def _publish(self, packets: Sequence[bytes]) -> None:
        if self._job.pace is Pace.RATE:
            self.outcome.sent_at += [monotonic()] * len(packets)
        self._line.send(b"".join(packets))
        self.outcome.sent += len(packets)
        self.outcome.last_sent = monotonic()

    def _start_kits(self) -> None:
        for queue in self._waiting.values():
            self._publish([queue.popleft() for _ in range(min(self._job.window, len(queue)))])

    def _hear(self, seconds: float) -> None:
        for topic, payload in self._line.receive(seconds).messages:
            if topic not in self._own:
                continue  # another load's gateway
            count = payload.count(b'"') // 2 - 2  # each id in quotes, and the two names of the receipt
            self._receipted += count
            self._receipts.append(payload)
            self.outcome.last_receipt = monotonic()
            queue = self._waiting.get(topic)
            if queue:
                self._publish([queue.popleft() for _ in range(min(count, len(queue)))])

    def _read_receipts(self) -> None:
        for payload in self._receipts:
            said = json.loads(payload.partition(b"\n")[2])
            self.outcome.accepted.update(said["accepted"])
            self.outcome.rejected += len(said["rejected"])


def _queues(job: Job) -> dict[bytes, deque[bytes]]:
    queues: dict[bytes, deque[bytes]] = {}
    if job.pace is Pace.KITS:
        for packet in job.packets:
            queues.setdefault(_receipts_of(packet), deque()).append(packet)
    return queues


def _receipts_of(packet: bytes) -> bytes:
    """Where the receipt for a packet will come."""
    start = packet.index(b"varde/v1/")
    return packet[start : packet.index(b"/readings", start)] + b"/receipts"


class Load:
    """A job given to a process: started, and asked later what came of it."""

    def __init__(self, job: Job, folder: Path) -> None:
        self._path = folder / f"{job.name}.job"
        self._outcome = self._path.with_suffix(".outcome")
        self._outcome.unlink(missing_ok=True)
        self._path.write_bytes(pickle.dumps(job))
        command = [sys.executable, "-m", "benchmarks.street.load", str(self._path)]
        self._limit_s = job.limit_s + 60
        self.child = Child(job.name, command, folder)

    def start(self) -> "Load":
        """Begin to send."""
        self.child.start()
        return self

    def is_over(self) -> bool:
        """Whether it has ended."""
        return not self.child.is_running()

    def wait(self) -> Outcome:
        """What came of it, once it has."""
        assert self.child.process is not None
        self.child.process.wait(self._limit_s)
        if not self._outcome.exists():
            raise RuntimeError(f"the load failed: {self.child.tail()}")
        found: Outcome = pickle.loads(self._outcome.read_bytes())
        return found


def send(job: Job, folder: Path) -> Outcome:
    """Send it all in a process of its own; what came of it."""
    return Load(job, folder).start().wait()


def main(words: Iterable[str]) -> int:
    """Do the job of that file."""
    (path,) = (Path(word) for word in words)
    job: Job = pickle.loads(path.read_bytes())
    outcome = _Sender(job).run()
    draft = path.with_suffix(".draft")
    draft.write_bytes(pickle.dumps(outcome))
    draft.rename(path.with_suffix(".outcome"))
    return 0


if __name__ == "__main__":
    # Under its own name, or what is pickled here could not be read there.
    from benchmarks.street import load

    sys.exit(load.main(sys.argv[1:]))
