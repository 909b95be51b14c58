"""Run every test and count, on two workers: first the small ones; then the browser's, which keep an event loop of their
own running; then those that start and kill whole products, a file at a time, because what they start serves a file.

With words of your own they go to pytest as they are, in one run.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "tests"
WORKERS = "2"  # what CI has; more on one machine only make the tests that watch the time nervous
NONE_COLLECTED = 5

# Folders that run by themselves, after all others.
APART = (("browser", ("tests/browser",)), ("products", ("tests/chaos", "tests/faults", "tests/journeys")))
SHARED = ("-n", WORKERS, "--dist", "worksteal")
BY_FILE = ("-n", WORKERS, "--dist", "loadfile")


def main(words: list[str]) -> int:
    pytest = [sys.executable, "-m", "pytest"]
    if words:
        return subprocess.run([*pytest, *words], cwd=ROOT, check=False).returncode
    REPORTS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    code = 0
    counts: dict[str, int] = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for name, choice in _runs():
        report = REPORTS / f"{name}.xml"
        report.unlink(missing_ok=True)
        done = subprocess.run([*pytest, "-q", f"--junitxml={report}", *choice], cwd=ROOT, check=False).returncode
        code = max(code, 0 if done == NONE_COLLECTED else done)
        if report.exists():
            for suite in ElementTree.parse(report).getroot().iter("testsuite"):
                for key in counts:
                    counts[key] += int(suite.get(key, 0))
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    print(
        f"\n{counts['tests']} tests: {counts['failures'] + counts['errors']} failed, "
        f"{counts['skipped']} skipped, in {minutes} min {seconds:02d} s"
    )
    return code or (0 if counts["tests"] else 1)


def _runs() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name and words of each run of pytest."""
    yield "shared", (*SHARED, *(f"--ignore={folder}" for _, folders in APART for folder in folders))
    for name, folders in APART:
        there = tuple(folder for folder in folders if (ROOT / folder).is_dir())
        if there:
            yield name, (*BY_FILE, *there)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
