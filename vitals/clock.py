"""The only place that reads the wall clock. Everyone else is given a `Clock`, or better: `now`."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the time as aware UTC."""

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        ...

    def seconds_until(self, moment: datetime) -> float:
        """How many real seconds pass until this clock shows `moment`; 0 when it already has."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds_until(self, moment: datetime) -> float:
        return max(0.0, (moment - self.now()).total_seconds())


class ManualClock:
    """A clock that stands still until it is moved; for tests and replays."""

    def __init__(self, start: datetime) -> None:
        self._now = _aware(start)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def seconds_until(self, moment: datetime) -> float:
        return 0.0 if moment <= self.now() else 0.01  # nobody knows when it will be moved: look again soon

    def advance(self, by: timedelta) -> datetime:
        """Move forward by `by` and return the new time; a clock never goes back."""
        with self._lock:
            if by < timedelta(0):
                raise ValueError(f"a clock does not go back (asked for {by})")
            self._now += by
            return self._now

    def set(self, moment: datetime) -> datetime:
        """Move forward to `moment`."""
        return self.advance(_aware(moment) - self.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledClock:
    """Fast time shared by processes: `factor` seconds a real second, `epoch` at the real moment `started`."""

    epoch: datetime
    started: datetime
    factor: float

    def __post_init__(self) -> None:
        _aware(self.epoch)
        _aware(self.started)
        if not 0 < self.factor <= 86_400:  # a day a second is the fastest that processes on one machine can share
            raise ValueError(f"factor must be above 0 and at most 86400, not {self.factor}")

    def now(self) -> datetime:
        return self.epoch + (datetime.now(UTC) - self.started) * self.factor

    def seconds_until(self, moment: datetime) -> float:
        return max(0.0, (moment - self.now()).total_seconds() / self.factor)

    def write(self, path: Path) -> None:
        """Store the clock where other processes find it; the file appears whole or not at all."""
        _store(path, {"epoch": self.epoch.isoformat(), "started": self.started.isoformat(), "factor": self.factor})

    @classmethod
    def read(cls, path: Path) -> "ScaledClock":
        """The clock stored at `path`; raises OSError or ValueError."""
        body = json.loads(path.read_text())
        return cls(
            epoch=datetime.fromisoformat(body["epoch"]),
            started=datetime.fromisoformat(body["started"]),
            factor=float(body["factor"]),
        )


class HeldClock:
    """Time shared by processes that stands still until one of them moves it; for journeys that need exact moments.

    The file is the clock, and it is read whenever somebody asks: whoever sees what was done after a move has the time
    of the move. Decision 0011.
    """

    def __init__(self, path: Path) -> None:
        """The clock stored at `path`; raises OSError or ValueError when there is none."""
        self._path = path
        self._lock = threading.Lock()
        self._shown = self._stored()

    @classmethod
    def start(cls, path: Path, moment: datetime) -> "HeldClock":
        """Store a clock that shows `moment`."""
        _store_held(path, _aware(moment))
        return cls(path)

    def now(self) -> datetime:
        with self._lock:
            self._shown = max(self._shown, self._stored())
            return self._shown

    def seconds_until(self, moment: datetime) -> float:
        return 0.0 if moment <= self.now() else 0.01  # nobody knows when it will be moved: look again soon

    def move(self, moment: datetime) -> None:
        """Show `moment` to every process from now on; one process alone moves a clock."""
        if _aware(moment) < self.now():
            raise ValueError(f"a clock does not go back (asked for {moment.isoformat()})")
        _store_held(self._path, moment)

    def _stored(self) -> datetime:
        return _aware(datetime.fromisoformat(json.loads(self._path.read_text())["held_at"]))


def clock_from(path: Path | None) -> Clock:
    """The shared clock stored at `path`, or the machine's own when there is none."""
    if path is None:
        return SystemClock()
    return HeldClock(path) if "held_at" in json.loads(path.read_text()) else ScaledClock.read(path)


def _store_held(path: Path, moment: datetime) -> None:
    _store(path, {"held_at": moment.astimezone(UTC).isoformat()})


def _store(path: Path, body: Mapping[str, object]) -> None:
    """The file appears whole or not at all."""
    draft = path.with_suffix(path.suffix + ".new")
    draft.write_text(json.dumps(body))
    os.replace(draft, path)  # noqa: PTH105 - the one call that is atomic on every system


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment
