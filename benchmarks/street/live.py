"""Fresh readings beside whatever else goes on, and how long each worrying one took to become a committed alert."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.street import town
from benchmarks.street.heard import Heard
from benchmarks.street.load import Job, Load, Outcome, Pace
from benchmarks.street.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Readings a second, for so long; every `worried`-th raises an alert, of another patient each time."""

    rate: float
    seconds: float
    worried: int
    patients: Sequence[int]

    @property
    def count(self) -> int:
        """How many readings."""
        return round(self.rate * self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Seconds from a worrying reading's publishing to its alert's COMMIT; `missing`: alerts that never came."""

    seconds: tuple[float, ...]
    missing: int


class Live:
    """A stream being sent."""

    def __init__(self, stage: Stage, stream: Stream, name: str = "live") -> None:
        ill = -(-stream.count // stream.worried)
        well = stream.patients[ill:]
        if not well:
            raise ValueError(f"{len(stream.patients)} patients are too few: {ill} must fall ill")
        patients = [well[place % len(well)] for place in range(stream.count)]
        self.worried = {  # place in the stream -> patient
            place: stream.patients[place // stream.worried] for place in range(0, stream.count, stream.worried)
        }
        patients = [self.worried.get(place, number) for place, number in enumerate(patients)]
        at = stage.clock.now() - timedelta(seconds=1)
        packets = [stage.packet(number, place in self.worried, at) for place, number in enumerate(patients)]
        job = Job(port=stage.broker.port, packets=packets, pace=Pace.RATE, rate=stream.rate, name=name)
        self._load = Load(job, stage.folder)

    def start(self) -> "Live":
        """Begin."""
        self._load.start()
        return self

    def is_over(self) -> bool:
        """Whether all of it has its receipt."""
        return self._load.is_over()

    def wait(self) -> Outcome:
        """Until then."""
        return self._load.wait()

    def waits(self, heard: Heard, done: Outcome) -> Waits:
        """How long each alert took; ask when nobody is due any more."""
        found, missing = [], 0
        for place, number in self.worried.items():
            committed = heard.at.get(town.patient_id(number))
            if committed is None:
                missing += 1
            else:
                found.append(committed - done.sent_at[place])
        return Waits(seconds=tuple(found), missing=missing)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share lies."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
