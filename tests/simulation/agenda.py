"""One line of events in virtual time: whatever happens in a simulated street happens here, one after the other."""

import hashlib
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 3, 2, 5, 30, tzinfo=UTC)
_EVENTS_MAX = 30_000  # some hundred are usual; a loop that never rests would go on for ever


class Killed(BaseException):
    """The process in which this is raised is dead from here on; nothing of it runs any more, as after SIGKILL."""

    def __init__(self, point: str) -> None:
        super().__init__(point)
        self.point = point


class Restless(AssertionError):  # noqa: N818
    """Something rings again and again without ever coming to rest."""


class Agenda:
    """What is to happen, and when. Seconds count from `START`; no two events happen at the same moment.

    `digest` grows with everything noted: two runs with equal digests were the same run.
    """

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self._microseconds = 0
        self._coming: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._digest = hashlib.sha256()
        self._tell = tell
        self.events = 0

    @property
    def seconds(self) -> float:
        """How long it has run; never jumps."""
        return self._microseconds / 1e6

    @property
    def now(self) -> datetime:
        """The true time, which no clock in the street need show."""
        return START + timedelta(microseconds=self._microseconds)

    @property
    def digest(self) -> str:
        """Of everything noted so far."""
        return self._digest.hexdigest()

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        """Do `what` in so many seconds."""
        at = self._microseconds + max(1, round(seconds * 1e6))
        heapq.heappush(self._coming, (at, next(self._order), what))

    def at(self, seconds: float, what: Callable[[], None]) -> None:
        """Do `what` at that second of the run, or at once when it is past."""
        self.after(seconds - self.seconds, what)

    def spend(self, seconds: float) -> None:
        """What is being done takes so long; everybody else who is due meanwhile is late."""
        self._microseconds += round(seconds * 1e6)

    def run(self, until: float) -> None:
        """Let everything happen up to that second; raises `Restless`."""
        end = round(until * 1e6)
        while self._coming and self._coming[0][0] <= end:
            at, _, what = heapq.heappop(self._coming)
            self._microseconds = max(self._microseconds + 1, at)
            self.events += 1
            if self.events > _EVENTS_MAX:
                raise Restless(f"more than {_EVENTS_MAX} events")
            what()
        self._microseconds = max(self._microseconds, end)

    def note(self, *words: object) -> None:
        """Write down what happens."""
        line = f"{self.seconds:13.6f} {' '.join(map(str, words))}"
        self._digest.update(line.encode() + b"\n")
        if self._tell is not None:
            self._tell(line)


class StreetClock:
    """A clock of the street: the true time, moved by `off` seconds (drift and jumps of the machine it is in)."""

    def __init__(self, agenda: Agenda, off: float = 0.0) -> None:
        self._agenda = agenda
        self.off = off

    def now(self) -> datetime:
        return self._agenda.now + timedelta(seconds=self.off)

    def seconds_until(self, moment: datetime) -> float:
        return max(0.0, (moment - self.now()).total_seconds())
