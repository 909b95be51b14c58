"""How far each device's memory is known, so that it need not be asked for everything each time.

Written down only when a session ended in order, with the whole answer kept; else the same is asked again.
"""

from gateway.radio import Recall
from gateway.records import sequence_of
from gateway.spool import Spool

_WRAPPED = 1 << 15  # more than half of all numbers apart: the count has begun anew, and "newer" means nothing


class Memories:
    """The newest kept record of every device that has a memory, in the spool's file."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._heard: dict[str, dict[int, bytes]] = {}

    def recall(self, device: str) -> Recall | None:
        """How far `device` is known; None: ask for everything."""
        row = self._spool.database.execute("SELECT sequence, frame FROM memory WHERE device = ?", (device,)).fetchone()
        return None if row is None else Recall(sequence=row[0], frame=row[1])

    def begin(self, device: str) -> None:
        """A session with `device` opens."""
        self._heard.pop(device, None)

    def note(self, device: str, frame: bytes) -> None:
        """A record of `device` was kept."""
        sequence = sequence_of(frame)
        if sequence is not None:
            self._heard.setdefault(device, {})[sequence] = frame

    def settle(self, device: str) -> None:
        """The session ended in order: what it brought is the memory as it is. Raises `SpoolFull` or `SpoolBroken`."""
        heard = self._heard.pop(device, None)
        if not heard:
            return
        newest = max(heard)
        with self._spool.writing() as database:
            if newest - min(heard) >= _WRAPPED:
                database.execute("DELETE FROM memory WHERE device = ?", (device,))
            else:
                database.execute("INSERT OR REPLACE INTO memory VALUES (?, ?, ?)", (device, newest, heard[newest]))
