"""Messages that came and wait for their batch: what was just measured goes before what was measured long ago.

Five hundred kits that come back after days send more at once than can be stored in seconds, and in between somebody
measures something that must be told at once. The broker hands messages out in the order in which it got them; so they
are taken from it as they come, held here unacknowledged, and put into batches fresh ones first.

Two loops may take from here. Readings need no order among each other; what a gateway says of itself does, and goes to
one of the two alone.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from alerts.intake import LATE_AFTER
from vitals.clock import Clock
from vitals.frozen import quick
from vitals.topics import Lane

MESSAGES_MAX = 65_535  # as many as a connection can have unacknowledged: their numbers have 16 bits
BYTES_MAX = 64 * 1024 * 1024
LATE_AT_ONCE = 250  # late ones in one batch: a fresh one that comes meanwhile waits for its COMMIT
_TOLD_AT_ONCE = 250  # likewise
_LATE_AT_LEAST = 50  # so that they move on under any load
PLENTY = 250  # readings that wait: more than come while one batch is stored, so that a second loop finds its own
_PUT_SECONDS = 0.5
_READINGS = f"/{Lane.READINGS}"
_TAKEN_AT = re.compile(rb'"taken_at":\s?"([^"]{20,32})"')


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One message from the broker, not yet acknowledged."""

    topic: str
    payload: bytes
    mid: int
    connection: int  # which connection brought it; a later one cannot acknowledge it


class Waiting:
    """The messages between the thread that listens and the loop that stores."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        lock = threading.RLock()
        self._changed, self._plenty = threading.Condition(lock), threading.Condition(lock)
        self._told: deque[Incoming] = deque()  # by gateways of themselves, or by nobody we know
        self._fresh: deque[Incoming] = deque()
        self._late: deque[Incoming] = deque()
        self._bytes = 0
        self._connection = 0

    def put(self, messages: Iterable[Incoming], is_over: Callable[[], bool]) -> None:
        """Add messages; waits for room, and with it the broker, until it `is_over`."""
        now = self._clock.now()
        placed = [(self._lane(each, now), each) for each in messages]
        with self._changed:
            for lane, each in placed:
                if each.connection != self._connection:
                    self._begin(each.connection)
                while self.is_full():
                    if is_over():
                        return
                    self._changed.notify_all()
                    self._changed.wait(_PUT_SECONDS)
                lane.append(each)
                self._bytes += len(each.payload)
            self._changed.notify_all()
            if self._has_plenty():
                self._plenty.notify()

    def take(self, most: int, linger_seconds: float, wait_seconds: float) -> list[Incoming]:
        """Up to `most`: waits for the first, then `linger_seconds` for company; may be empty."""
        with self._changed:
            if not self._changed.wait_for(self._count, wait_seconds):
                return []
            self._changed.wait_for(lambda: self._count() >= most, linger_seconds)
            told = [self._told.popleft() for _ in range(min(len(self._told), _TOLD_AT_ONCE, most))]
            return self._taken(told + self._readings(most - len(told)))

    def take_plenty(self, most: int, wait_seconds: float) -> list[Incoming]:
        """Up to `most` readings for a second loop, once more of them wait than the first one takes; may be empty."""
        with self._plenty:
            return self._taken(self._readings(most) if self._plenty.wait_for(self._has_plenty, wait_seconds) else [])

    def is_full(self) -> bool:
        """Whether who brings more must wait until some are taken."""
        return self._count() >= MESSAGES_MAX or self._bytes >= BYTES_MAX

    def _lane(self, message: Incoming, now: datetime) -> deque[Incoming]:
        if not message.topic.endswith(_READINGS):
            return self._told
        return self._late if is_late(message.payload, now) else self._fresh

    def _readings(self, most: int) -> list[Incoming]:
        late = min(len(self._late), LATE_AT_ONCE, max(most - len(self._fresh), _LATE_AT_LEAST), most)
        fresh = min(len(self._fresh), most - late)
        return [self._fresh.popleft() for _ in range(fresh)] + [self._late.popleft() for _ in range(late)]

    def _taken(self, batch: list[Incoming]) -> list[Incoming]:
        self._bytes -= sum(len(each.payload) for each in batch)
        self._changed.notify_all()
        return batch

    def _begin(self, connection: int) -> None:
        """Forget what an earlier connection brought: nobody can acknowledge it any more, and it comes again."""
        self._connection = connection
        for lane in (self._told, self._fresh, self._late):
            lane.clear()
        self._bytes = 0

    def _count(self) -> int:
        return len(self._told) + len(self._fresh) + len(self._late)

    def _has_plenty(self) -> bool:
        return len(self._fresh) + len(self._late) >= PLENTY


def is_late(payload: bytes, now: datetime) -> bool:
    """Whether the message says that it was measured long ago. Believed only as far as its place in the queue goes."""
    found = _TAKEN_AT.search(payload)
    if found is None:
        return False
    try:
        taken_at = datetime.fromisoformat(found[1].decode())
        return taken_at.tzinfo is not None and now - taken_at > LATE_AFTER
    except (ValueError, OverflowError):  # whatever it is, it is looked at when its turn comes
        return False
