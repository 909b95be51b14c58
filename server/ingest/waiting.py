"""Messages that came and wait for their batch: what was just measured goes before what was measured long ago.

Five hundred kits that come back after days send more at once than can be stored in seconds, and in between somebody
measures something that must be told at once. The broker hands messages out in the order in which it got them; so they
are taken from it as they come, held here unacknowledged, and put into batches fresh ones first.
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

MESSAGES_MAX = 65_535  # as many as a connection can have unacknowledged: their numbers have 16 bits
BYTES_MAX = 64 * 1024 * 1024
LATE_AT_ONCE = 250  # late ones in one batch: a fresh one that comes meanwhile waits for its COMMIT
_LATE_AT_LEAST = 50  # so that they move on under any load
_PUT_SECONDS = 0.5
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
        self._changed = threading.Condition()
        self._fresh: deque[Incoming] = deque()
        self._late: deque[Incoming] = deque()
        self._bytes = 0
        self._connection = 0

    def put(self, messages: Iterable[Incoming], is_over: Callable[[], bool]) -> None:
        """Add messages; waits for room, and with it the broker, until it `is_over`."""
        now = self._clock.now()
        placed = [(self._late if is_late(each.payload, now) else self._fresh, each) for each in messages]
        with self._changed:
            for lane, each in placed:
                if each.connection != self._connection:
                    self._begin(each.connection)
                while self._is_full():
                    if is_over():
                        return
                    self._changed.notify_all()
                    self._changed.wait(_PUT_SECONDS)
                lane.append(each)
                self._bytes += len(each.payload)
            self._changed.notify_all()

    def take(self, most: int, linger_seconds: float, wait_seconds: float) -> list[Incoming]:
        """Up to `most`: waits for the first, then `linger_seconds` for company; may be empty."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._fresh or self._late, wait_seconds):
                return []
            self._changed.wait_for(lambda: len(self._fresh) + len(self._late) >= most, linger_seconds)
            late = min(len(self._late), LATE_AT_ONCE, max(most - len(self._fresh), _LATE_AT_LEAST))
            fresh = min(len(self._fresh), most - late)
            batch = [self._fresh.popleft() for _ in range(fresh)] + [self._late.popleft() for _ in range(late)]
            self._bytes -= sum(len(each.payload) for each in batch)
            self._changed.notify_all()
        return batch

    def _begin(self, connection: int) -> None:
        """Forget what an earlier connection brought: nobody can acknowledge it any more, and it comes again."""
        self._connection = connection
        self._fresh.clear()
        self._late.clear()
        self._bytes = 0

    def _is_full(self) -> bool:
        return len(self._fresh) + len(self._late) >= MESSAGES_MAX or self._bytes >= BYTES_MAX


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
