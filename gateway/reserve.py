"""Room on the disk that is held for one purpose: to forget on a full disk what the server has.

Deleting needs room, too: the log that makes it safe is written first. Without a reserve a full disk would stay full,
for the receipts that free the spool could not be taken.
"""

import contextlib
import os
from pathlib import Path

# The spool's log is folded back every 0.4 MB (`spool._LOG_PAGES`). This holds such a log, the pages of the database
# that it may add, and the deletion of a whole window.
RESERVE_BYTES = 2 * 1024 * 1024
_FILE_MODE = 0o600


class Reserve:
    """A file of `RESERVE_BYTES` zeros at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_held = path.exists() and path.stat().st_size == RESERVE_BYTES

    def hold(self) -> bool:
        """Make the file when it is not there; False when the disk has no room for it."""
        if not self._is_held:
            try:
                self._path.touch(mode=_FILE_MODE)
                with self._path.open("wb") as file:
                    file.write(bytes(RESERVE_BYTES))
                    file.flush()
                    os.fsync(file.fileno())
            except OSError:  # half a reserve would only take room from those who need it
                self.release()
                return False
            self._is_held = True
        return True

    def release(self) -> None:
        """Give the room back to the disk."""
        self._is_held = False
        with contextlib.suppress(OSError):  # not there, or not to be removed: then there is nothing to gain
            self._path.unlink()
