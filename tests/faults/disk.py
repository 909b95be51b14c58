"""A disk that fails: calls of a running process to the system are answered with an error, by strace.

What fails is exact and the same on every machine; what a disk does that loses power in the middle is not shown by this.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

WRITE = ("pwrite64",)  # how SQLite writes its pages
SYNC = ("fdatasync", "fsync")
_ATTACH_S = 20.0
_LOOK_S = 0.01


class RefusedError(Exception):
    """This machine lets nobody trace a process; the text is strace's."""


def need_strace() -> None:
    """Skip the test where the machine refuses to trace; fail it where strace is only not installed."""
    assert shutil.which("strace"), "strace is not installed; on Debian and Ubuntu: sudo apt install strace"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as harmless:
        try:
            with failing(harmless.pid, SYNC, "EIO"):
                pass
        except RefusedError as refusal:
            pytest.skip(f"no disk fails here: this machine refuses ptrace, so strace may inject nothing ({refusal})")
        finally:
            harmless.kill()


@contextmanager
def failing(pid: int, calls: Sequence[str], error: str, only: Path | None = None) -> Iterator[None]:
    """While it lasts, each of `calls` of this process, of all its threads, does nothing and returns `error`.

    `only` calls on that file, if given. Raises `RefusedError`.
    """
    names = ",".join(calls)
    where = [] if only is None else ["-P", str(only)]
    command = ["strace", "-f", "-qq", "-e", f"trace={names}", "-e", f"inject={names}:error={error}", *where]
    with subprocess.Popen(
        [*command, "-o", "/dev/null", "-p", str(pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as strace:
        try:
            _wait_until_traced(pid, strace)
            yield
        finally:
            strace.terminate()  # it lets go of everybody, and they run on


def _wait_until_traced(pid: int, strace: subprocess.Popen[str]) -> None:
    deadline = monotonic() + _ATTACH_S
    while strace.poll() is None:
        if _tracers(pid) == {strace.pid}:
            return
        assert monotonic() < deadline, "strace does not get hold of the process"
        sleep(_LOOK_S)
    raise RefusedError((strace.stderr.read() if strace.stderr else "").strip()[-300:])


def _tracers(pid: int) -> set[int]:
    """Who traces its threads; 0 is nobody."""
    found = set()
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        found |= {int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("TracerPid:")}
    return found
