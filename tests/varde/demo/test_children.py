"""Real child processes: said once, started again, given up on, ended however they resist."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from varde.demo import children
from varde.demo.children import Child, KeepsDyingError, end_all

_DEADLINE_S = 15.0


def _until(effect: Callable[[], bool]) -> None:
    deadline = monotonic() + _DEADLINE_S
    while not effect():
        assert monotonic() < deadline, "the effect did not come"
        sleep(0.02)


def _child(folder: Path, code: str) -> Child:
    return Child(name="sample", command=[sys.executable, "-c", code], log=folder / "sample.log")


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_BACKOFF_S", (0.05, 0.05))


def test_a_killed_child_is_said_once_and_started_again(tmp_path: Path) -> None:
    child = _child(tmp_path, "import time; time.sleep(600)")
    child.start()
    first = child.pid
    try:
        child.kill()
        _until(lambda: not child.is_running)
        news = [child.watch() for _ in range(3)]
        assert news == ["sample ended (signal 9); starting it again in 0.05 s", None, None]
        _until(lambda: child.watch() is None and child.is_running)
        assert child.pid != first
    finally:
        end_all([child])


def test_a_child_that_keeps_dying_is_given_up_with_its_last_lines(tmp_path: Path) -> None:
    child = _child(tmp_path, "import sys; print('no such port', flush=True); sys.exit(3)")
    child.start()
    with pytest.raises(KeepsDyingError, match=r"sample keeps ending \(exit code 3\).*\n(no such port\n?)+"):
        _until(lambda: child.watch() == "never")


def test_whoever_ignores_the_request_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_TERM_GRACE_S", 0.3)
    deaf = _child(
        tmp_path,
        "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
    )
    deaf.start()
    _until(lambda: "deaf" in deaf.log.read_text())
    end_all([deaf])
    assert not deaf.is_running


def test_children_end_in_their_order(tmp_path: Path) -> None:
    late = "import signal as s, sys, time; s.signal(s.SIGTERM, lambda *_: (time.sleep(0.5), sys.exit()));"
    first = _child(tmp_path, late + "print('up', flush=True); time.sleep(600)")
    first_still_ran: list[bool] = []

    class Last(Child):
        def terminate(self) -> None:
            first_still_ran.append(first.is_running)
            Child.terminate(self)

    last = Last(name="last", command=first.command, log=tmp_path / "last.log", ends=1)
    for child in (last, first):
        child.start()
    _until(lambda: all("up" in child.log.read_text() for child in (first, last)))
    end_all([last, first])
    assert first_still_ran == [False]
    assert not last.is_running


def test_a_log_that_grows_is_cut_and_the_newest_part_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_LOG_BYTES_MAX", 1_000)
    child = _child(tmp_path, "print('x' * 3000, flush=True); import time; time.sleep(1); print('after', flush=True)")
    child.start()
    _until(lambda: child.log.stat().st_size > 1_000)
    child.watch()
    assert (tmp_path / "sample.log.1").stat().st_size == 3_001
    _until(lambda: child.log.read_text() == "after\n")
    end_all([child])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent died")
def test_a_killed_launcher_leaves_nobody_behind(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from varde.demo.children import Child
command = [sys.executable, "-c", "import time; time.sleep(600)"]
child = Child(name="c", command=command, log=Path({str(tmp_path / "c")!r}))
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""
    launcher = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert launcher.stdout
    child_id = int(launcher.stdout.readline())
    assert psutil.pid_exists(child_id)
    launcher.kill()
    launcher.wait(_DEADLINE_S)
    launcher.stdout.close()
    _until(lambda: not psutil.pid_exists(child_id) or psutil.Process(child_id).status() == psutil.STATUS_ZOMBIE)
