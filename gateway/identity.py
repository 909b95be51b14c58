"""The id of a reading, made where it is heard, so that any repeat anywhere later is harmless.

The same record has the same id however often it is sent; the same value measured anew has another. What tells records
apart is, in this order: the record's sequence number, the device's own time when it is trusted, the start of the
connection. A connection that follows a cut link at once inherits the start of the one before (`spool.Sessions`), for
after a cut link the device sends again what was not confirmed.
"""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from vitals.reading import ReadingId

# Fixed for ever: another namespace would make every stored reading new. uuid5(NAMESPACE_DNS, "readings.varde").
_NAMESPACE = UUID("d2c102fd-5e3e-57d2-8ca2-1c818e12be51")


def by_sequence(sequence: int) -> str:
    """The mark of a record that carries its own number."""
    return f"sequence {sequence}"


def by_device_time(device_time: datetime) -> str:
    """The mark of a record with a trusted device time: as the device wrote it (naive), before any zone."""
    return f"time {device_time.isoformat()}"


def by_connection(start: datetime) -> str:
    """The mark of a record that has neither: when the connection, or the one it continues, began."""
    return f"connection {start.astimezone(UTC).isoformat()}"


def reading_id(device: str, characteristic: str, frame: bytes, mark: str) -> ReadingId:
    """The id of what `device` said in `frame`, told apart from other records of the same bytes by `mark`."""
    return ReadingId(str(uuid5(_NAMESPACE, "\n".join((device.upper(), characteristic, frame.hex(), mark)))))
