"""Child processes: started, watched, started again with back-off, ended by their own id and waited for."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

_LOG_BYTES_MAX = 5_000_000
_TAIL_LINES = 15
_BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)
_DEATHS_MAX = 5  # this many within the window mean that it will not come up
_DEATHS_WINDOW_S = 120.0
_TERM_GRACE_S = 8.0
_KILL_GRACE_S = 5.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class KeepsDyingError(RuntimeError):
    """A child that ended too often; the message carries the last lines of its log."""


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux: what a child calls before it becomes the program, so that a killed launcher leaves nobody behind."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True, kw_only=True)
class Child:
    """One program, its log in a file of bounded size. Not started until `start`.

    `ends`: children with a lower number have ended before those with a higher one are asked to.
    """

    name: str
    command: Sequence[str]
    log: Path
    ends: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _deaths: list[float] = field(default_factory=list)
    _again_at: float | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def ended_with(self) -> int | None:
        """The exit code, negative for a signal; None while it runs or before it was started."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Run the program in a session of its own: Ctrl-C reaches the launcher alone, which then ends all in order."""
        self._again_at = None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_end_with_parent(),  # safe: the launcher has one thread
            )

    def watch(self) -> str | None:
        """Start it again when it ended and its back-off has passed; a sentence when there is news, once an ending.

        Raises `KeepsDyingError`.
        """
        self._bound_log()
        if self._process is None or self.is_running:
            return None
        if self._again_at is None:
            return self._note_death(monotonic())
        if monotonic() >= self._again_at:
            self.start()
        return None

    def terminate(self) -> None:
        """Ask it to end; says nothing about whether it did."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def tail(self) -> str:
        """The last lines it logged."""
        if not self.log.exists():
            return "(no log)"
        with self.log.open("rb") as stream:
            stream.seek(max(0, self.log.stat().st_size - 20_000))
            return "\n".join(stream.read().decode(errors="replace").splitlines()[-_TAIL_LINES:])

    def _note_death(self, at: float) -> str:
        self._deaths = [when for when in self._deaths if at - when < _DEATHS_WINDOW_S] + [at]
        how = _ending(self._process.returncode if self._process else 0)
        if len(self._deaths) >= _DEATHS_MAX:
            raise KeepsDyingError(f"{self.name} keeps ending ({how}). The end of {self.log}:\n{self.tail()}")
        wait = _BACKOFF_S[min(len(self._deaths), len(_BACKOFF_S)) - 1]
        self._again_at = at + wait
        return f"{self.name} ended ({how}); starting it again in {wait:g} s"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _bound_log(self) -> None:
        # The child appends, so the file can be emptied under it; the newest full part is kept beside.
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES_MAX:
            self.log.with_name(self.log.name + ".1").write_bytes(self.log.read_bytes())
            os.truncate(self.log, 0)


def end_all(children: Sequence[Child]) -> None:
    """End every child, in their order, and wait; whoever does not listen is killed."""
    for stage in sorted({child.ends for child in children}):
        together = [child for child in children if child.ends == stage]
        for child in together:
            child.terminate()
        if not _all_ended(together, _TERM_GRACE_S):
            for child in together:
                child.kill()
            _all_ended(together, _KILL_GRACE_S)


def _all_ended(children: Sequence[Child], within_s: float) -> bool:
    deadline = monotonic() + within_s
    while any(child.is_running for child in children):
        if monotonic() > deadline:
            return False
        sleep(0.05)
    return True


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
