"""Whether this machine's own time may be believed. A Raspberry Pi has no clock: without power it forgets.

Known only where systemd's own time service keeps time: it makes a file when a time server was reached. Elsewhere the
time is taken for right.
"""

from pathlib import Path

_TIMESYNC = Path("/run/systemd/timesync")


def is_synchronised(folder: Path = _TIMESYNC) -> bool:
    """Whether a time server was reached since this machine started."""
    return not folder.is_dir() or (folder / "synchronized").exists()
