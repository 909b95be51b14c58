"""The demo's folder: what lies where, who may use it, and what time it was when it last ran."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from vitals.clock import ScaledClock

# After a clean end nothing runs any more; after a killed launcher its children live on for the moment they need to end.
_MARGIN_CLEAN = timedelta(seconds=1)
_MARGIN_KILLED = timedelta(seconds=15)
ZONE = ZoneInfo("Europe/Oslo")


class FolderBusyError(RuntimeError):
    """Another demo runs on this folder."""


def default_folder() -> Path:
    """The demo's folder when none is named: the same from wherever it is started (XDG Base Directory)."""
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "varde" / "demo"


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths inside the demo's data folder."""

    root: Path

    @property
    def clock(self) -> Path:
        return self.root / "clock.json"

    @property
    def stamp(self) -> Path:
        return self.root / "stamp.json"

    @property
    def handover(self) -> Path:
        """What scripts read: address, token and a gateway of their own."""
        return self.root / "demo.json"

    @property
    def keys(self) -> Path:
        return self.root / "keys.json"

    @property
    def database(self) -> Path:
        """The server's embedded database."""
        return self.root / "varde.db"

    @property
    def people(self) -> Path:
        """Who is enrolled, by opaque id."""
        return self.root / "people.json"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    def gateway(self, name: str) -> Path:
        return self.root / "gateways" / name

    def make(self) -> None:
        """Create the folders, closed to other users: keys and national ids live below."""
        for path in (self.root, self.log, self.broker):
            path.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one demo; raises `FolderBusyError`. The system lets go when the process ends, however."""
        with (self.root / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise FolderBusyError(
                    f"another demo runs on {self.root} (process {lock.read().strip() or 'unknown'}); "
                    "stop it, or choose another folder with --data"
                ) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield


def write_private(path: Path, body: Any) -> None:
    """Store `body` as JSON, readable by the owner alone from its first byte, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(body, stream, indent=2, ensure_ascii=False)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


def start_clock(folder: Folder, now: datetime, factor: float) -> ScaledClock:
    """The demo's time, stored for all its processes: goes on from the last stamp, else starts at the machine's time.

    `now` is the machine's time; a script that stamps with it is then late, never ahead of the demo. Scaled time never
    goes back, whatever the factor of the run before and however it ended.
    """
    clock = ScaledClock(epoch=_last_time(folder) or now, started=now, factor=factor)
    clock.write(folder.clock)
    stamp_time(folder, clock)
    return clock


def stamp_time(folder: Folder, clock: ScaledClock, *, clean: bool = False) -> None:
    """Remember what time it is in the demo; `clean` once nothing runs any more."""
    write_private(folder.stamp, {"at": clock.now().isoformat(), "factor": clock.factor, "clean": clean})


def _last_time(folder: Folder) -> datetime | None:
    if not folder.stamp.exists():
        return None
    body = json.loads(folder.stamp.read_text())
    margin = _MARGIN_CLEAN if body["clean"] else _MARGIN_KILLED
    return datetime.fromisoformat(body["at"]) + margin * float(body["factor"])
