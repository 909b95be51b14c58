"""What was measured, as JSON lines: one line a sample, so that parts measured at different times make one page.

A part that is measured again starts a new run; the page takes each part's newest run. Lines are never changed.
"""

import json
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vitals.clock import SystemClock

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("VARDE_BENCHMARKS", ROOT / "build" / "benchmarks"))


@dataclass(slots=True, kw_only=True)
class Book:
    """Where samples of one run of one part are written down."""

    part: str
    path: Path
    quick: bool = False
    run: str = field(default_factory=lambda: f"{SystemClock().now():%Y-%m-%dT%H:%M:%SZ}")

    def add(self, what: str, value: float, unit: str, number: int = 1) -> None:
        """One sample: what was measured in round `number`, and the machine's load just then."""
        load = os.getloadavg()[0]
        self._write({"what": what, "value": value, "unit": unit, "round": number, "load": round(load, 2)})
        print(f"{self.part}: {what}: {value:,.4g} {unit} (round {number}, load {load:.1f})", flush=True)

    def note(self, what: str, value: Any) -> None:
        """Something that is said beside the figures: a size, a setting, a series."""
        self._write({"note": what, "value": value})

    def _write(self, fields: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = {"part": self.part, "run": self.run, "quick": self.quick, **fields}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


@dataclass(frozen=True, slots=True)
class Figure:
    """Samples of one thing."""

    samples: tuple[float, ...]
    unit: str

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.samples)

    @property
    def low(self) -> float:
        """The least."""
        return min(self.samples)

    @property
    def high(self) -> float:
        """The most."""
        return max(self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One part's newest run."""

    part: str
    run: str
    quick: bool
    figures: dict[str, Figure]
    notes: dict[str, Any]
    loads: tuple[float, ...]

    def figure(self, what: str) -> Figure | None:
        """The samples of `what`; None when it was not measured."""
        return self.figures.get(what)

    def by_round(self, one: str, other: str) -> Figure | None:
        """`one` divided by `other`, round by round; None where one of them is missing."""
        above, below = self.figures.get(one), self.figures.get(other)
        if above is None or below is None:
            return None
        return Figure(tuple(a / b for a, b in zip(above.samples, below.samples, strict=False) if b), "")


def newest(path: Path) -> dict[str, Measured]:
    """Part to its newest run."""
    lines = list(_lines(path))
    found = {}
    for part in dict.fromkeys(line["part"] for line in lines):
        own = [line for line in lines if line["part"] == part]
        found[part] = _measured([line for line in own if line["run"] == own[-1]["run"]])
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _measured(lines: Sequence[dict[str, Any]]) -> Measured:
    samples: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if "what" in line:
            samples.setdefault(line["what"], []).append(line)
    figures = {
        what: Figure(tuple(each["value"] for each in sorted(found, key=lambda one: one["round"])), found[0]["unit"])
        for what, found in samples.items()
    }
    return Measured(
        part=lines[0]["part"],
        run=lines[0]["run"],
        quick=lines[0]["quick"],
        figures=figures,
        notes={line["note"]: line["value"] for line in lines if "note" in line},
        loads=tuple(line["load"] for line in lines if "load" in line),
    )
