"""What devices handed over: an append-only file, on the disk before the device forgets the record.

*Handed over* means that the gateway has confirmed the record, which it does after its spool's COMMIT. From then on the
gateway alone answers for it: whatever is killed later, it must be in the server's tables once.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One measurement in a device's memory. `shown`: the device's own time (naive, local); None: it has no clock."""

    device: str
    number: int
    spo2: Decimal
    pulse: Decimal
    shown: datetime | None

    @property
    def frame(self) -> bytes:
        """As the device sends it: a spot-check (2A5E) of PLXS 1.0.1, both values with one decimal."""
        flags = 0 if self.shown is None else 0x01
        frame = bytes([flags]) + _sfloat(self.spo2) + _sfloat(self.pulse)
        if self.shown is None:
            return frame
        clock = bytes([self.shown.month, self.shown.day, self.shown.hour, self.shown.minute, self.shown.second])
        return frame + self.shown.year.to_bytes(2, "little") + clock


def _sfloat(value: Decimal) -> bytes:
    """IEEE 11073 SFLOAT with the exponent -1."""
    return (0xF000 | int(value * 10)).to_bytes(2, "little")


class Ledger:
    """The file at `path`, which must not exist yet."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb", buffering=0)
        self._path = path
        self.count = 0

    def write(self, record: Record) -> None:
        """Return when it is on the disk."""
        self._file.write(json.dumps(asdict(record), default=str).encode() + b"\n")
        os.fdatasync(self._file.fileno())
        self.count += 1

    def read(self) -> Iterator[Record]:
        """Every record, in the order in which they were handed over."""
        with self._path.open() as file:
            for line in file:
                said = json.loads(line)
                shown = None if said["shown"] is None else datetime.fromisoformat(said["shown"])
                yield Record(
                    device=said["device"],
                    number=said["number"],
                    spo2=Decimal(said["spo2"]),
                    pulse=Decimal(said["pulse"]),
                    shown=shown,
                )

    def close(self) -> None:
        """Close the file."""
        self._file.close()
