"""The machine as far as a reader needs it: how many cores, which system, which versions, and who works how much."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.street.postgres import programs
from varde.demo.broker import mosquitto_path

_TICKS = os.sysconf("SC_CLK_TCK")
_LOOPS, _TURNS = 9, 300_000
_AFTER_NAME = 3  # fields of /proc/PID/stat are counted from here, because a name may hold blanks


def described() -> dict[str, str]:
    """Cores, system and versions; nothing that names the machine."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return {
        "cores": str(os.cpu_count()),
        "system": f"{system}, {platform.machine()}",
        "Python": platform.python_version(),
        "PostgreSQL": _said([str(programs() / "postgres"), "--version"]),
        "Mosquitto": _said([mosquitto_path() or "mosquitto", "-h"]),
        "paho-mqtt": version("paho-mqtt"),
        "psycopg": version("psycopg"),
        "SQLAlchemy": version("sqlalchemy"),
    }


def fixed_work_ms() -> float:
    """How long one processor takes just now for a piece of work that is always the same, the middle one of nine.

    A rented machine's pace changes by half with what its neighbours do, and waits change with it.
    """
    took = []
    for _ in range(_LOOPS):
        began = perf_counter()
        sum(number * number for number in range(_TURNS))
        took.append(perf_counter() - began)
    return median(took) * 1000


def processor_seconds(pids: Iterable[int]) -> float:
    """Processor time that these processes and their ended children have had."""
    return sum(_seconds(pid) for pid in pids)


def family(pid: int) -> list[int]:
    """A process and all that came of it."""
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        found.append(each)
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                waiting += [int(word) for word in children.read_text().split()]
            except OSError:
                continue
    return found


def resident_kb(pid: int) -> int:
    """Resident memory of a process, in kB; 0 when it is gone."""
    try:
        found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    own = (14, 15, 16, 17)  # utime, stime and those of children that ended, as proc(5) counts
    return sum(int(fields[place - _AFTER_NAME]) for place in own) / _TICKS


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found[0] if found else "?"
