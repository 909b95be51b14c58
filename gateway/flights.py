"""Which messages are on their way, and when to send them again. Pure: monotonic seconds come in as `now`.

A message is in flight from its sending until a receipt names it. Without one it is sent again, later each time. The
window bounds what is sent fresh; a message that has waited long no longer holds a place in it, so that one which the
server never answers for cannot stop the others. What the broker has not yet taken is still on the line, and is not sent
again: on a slow one the copies would delay what is new, and in the end be all that it carries.

What is measured now goes before what has waited for days: a connection begins with a backlog, and whatever is kept
after that overtakes it and always finds a place in the window.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gateway.spool import Message
from vitals.reading import ReadingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what; seconds of real time.

    `resend_first`: a server commits in well under a second, a restarting one is back in five. `resend_max`: a receipt
    lost for good costs a minute. `reconnect_first` and `reconnect_max`: a broker's restart goes unnoticed, and a house
    without internet dials twice a minute. Each wait is moved at random by up to a quarter, so that a thousand gateways
    that lost the same broker do not come back as one.
    """

    resend_first: float = 5.0
    resend_max: float = 60.0
    reconnect_first: float = 0.5
    reconnect_max: float = 30.0
    heartbeat: float = 30.0
    window: int = 100


# After so many sendings a message gives its place in the window to a fresh one, and ...
_PATIENT_SENDINGS = 3
# ... as long as no more than this wait in memory, 0.5 MB.
_FLIGHTS_MAX = 1000


# The backlog leaves this part of the window to what is kept meanwhile.
_FOR_NEW = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Messages of the spool: those with a `seq` above `after`, up to `until` (None: to the end), at most `limit`."""

    after: int
    until: int | None
    limit: int


def backoff(first: float, most: float, attempt: int, rng: random.Random) -> float:
    """The wait after the `attempt`-th failure (from 0): doubling, capped, moved by up to a quarter either way."""
    return min(most, first * 2.0 ** min(attempt, 30)) * rng.uniform(0.75, 1.25)


def _at_once() -> bool:
    return True


@dataclass(slots=True)
class _Flight:
    message: Message
    due: float
    is_taken: Callable[[], bool]
    sendings: int = 1


class Flights:
    """The flights of one connection to the broker; `backlog`: the `seq` up to which the spool's messages are old."""

    def __init__(self, patience: Patience, rng: random.Random, backlog: int = 0) -> None:
        self._patience = patience
        self._rng = rng
        self._backlog = backlog
        self._flights: dict[ReadingId, _Flight] = {}
        # The `seq` up to which everything was sent on this connection, of the backlog and of what came after it.
        self._sent_old, self._sent_new = 0, backlog

    def spans(self) -> Iterator[Span]:
        """What to send fresh, in this order; each is true once the one before it was launched."""
        yield Span(after=self._sent_new, until=None, limit=self.room())
        left = self.room() - int(self._patience.window * _FOR_NEW)
        if self._sent_old < self._backlog and left > 0:
            yield Span(after=self._sent_old, until=self._backlog, limit=left)

    def has_sent(self, seq: int) -> bool:
        """Whether the message with this `seq` was sent on this connection."""
        return seq <= (self._sent_old if seq <= self._backlog else self._sent_new)

    def room(self) -> int:
        """How many fresh messages may be sent now."""
        holding = sum(flight.sendings < _PATIENT_SENDINGS for flight in self._flights.values())
        return max(0, min(self._patience.window - holding, _FLIGHTS_MAX - len(self._flights)))

    def launch(self, message: Message, now: float, is_taken: Callable[[], bool] = _at_once) -> None:
        """Note that `message` was sent for the first time on this connection; `is_taken`: whether the broker has it."""
        self._flights[message.id] = _Flight(message, now + self._wait(0), is_taken)
        if message.seq <= self._backlog:
            self._sent_old = max(self._sent_old, message.seq)
        else:
            self._sent_new = max(self._sent_new, message.seq)

    def overdue(self, now: float) -> list[Message]:
        """The messages to send again at `now`, oldest first; they count as sent."""
        late = sorted((each for each in self._flights.values() if each.due <= now), key=lambda each: each.message.seq)
        again = [flight for flight in late if flight.is_taken()]
        for flight in late:
            flight.due = now + self._wait(flight.sendings)
        for flight in again:
            flight.sendings += 1
        return [flight.message for flight in again]

    def follow(self, message: Message, is_taken: Callable[[], bool]) -> None:
        """Note that `message` was sent again."""
        self._flights[message.id].is_taken = is_taken

    def land(self, ids: Iterable[ReadingId]) -> None:
        """Note that the server has these."""
        for each in ids:
            self._flights.pop(each, None)

    def next_due(self) -> float | None:
        """When the next message is to be sent again; None when nothing is in flight."""
        return min((flight.due for flight in self._flights.values()), default=None)

    def _wait(self, attempt: int) -> float:
        return backoff(self._patience.resend_first, self._patience.resend_max, attempt, self._rng)
