"""One number that one process writes and another reads: how far a consumer is. A file of eight bytes in memory."""

import mmap
import struct
from pathlib import Path


class Progress:
    """The number in `path`."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    @property
    def count(self) -> int:
        """How far it is."""
        found: int = struct.unpack_from("<Q", self._memory)[0]
        return found

    def set(self, count: int) -> None:
        """It is so far."""
        struct.pack_into("<Q", self._memory, 0, count)
