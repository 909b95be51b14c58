"""`python -m benchmarks [PART...] [--quick] [--rounds N] [--results FILE] [--out docs]`: measure, and write the page.

Without a part: all but `memory`, which runs for twenty minutes by itself, and the page. What was measured lies in
`build/benchmarks/results.jsonl`; `page` writes `docs/benchmarks.md` and its figures from each part's newest run there.
`--quick` measures little, to see that everything works; its figures mean nothing, and the page says so.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks import backlog, backtest, judge, latency, memory, page, record, restart, saturation, screen, worklist
from benchmarks.machine import described
from benchmarks.results import FOLDER, Book
from benchmarks.street import postgres

# part -> what runs it, its whole size, its small one
PARTS: MappingProxyType[str, tuple[Callable[[Book, Any], None], Any, Any]] = MappingProxyType(
    {
        "record": (record.run, record.Size(), record.QUICK),
        "judge": (judge.run, judge.Size(), judge.QUICK),
        "latency": (latency.run, latency.Size(), latency.QUICK),
        "saturation": (saturation.run, saturation.Size(), saturation.QUICK),
        "backlog": (backlog.run, backlog.Size(), backlog.QUICK),
        "restart": (restart.run, restart.Size(), restart.QUICK),
        "screen": (screen.run, screen.Size(), screen.QUICK),
        "worklist": (worklist.run, worklist.Size(), worklist.QUICK),
        "backtest": (backtest.run, backtest.Size(), backtest.QUICK),
        "memory": (memory.run, memory.Size(), memory.QUICK),
    }
)
_BY_ITSELF = frozenset({"memory"})
_PAGE = "page"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as asked, one part after the other, and write the page; 0, or 2 for wrong arguments."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that whatever was started is ended too
    chosen = asked.parts or [name for name in PARTS if asked.quick or name not in _BY_ITSELF] + [_PAGE]
    results = asked.results or FOLDER / ("quick.jsonl" if asked.quick else "results.jsonl")
    with postgres.running() if set(chosen) - {_PAGE} else nullcontext():
        for name in chosen:
            if name != _PAGE:
                _measure(name, asked, results)
    if _PAGE in chosen:
        for path in page.write(results, asked.out or (FOLDER / "quick" if asked.quick else Path("docs"))):
            print(path)
    return 0


def _measure(name: str, asked: argparse.Namespace, results: Path) -> None:
    run, whole, small = PARTS[name]
    size = small if asked.quick else whole
    if asked.rounds and hasattr(size, "rounds"):
        size = replace(size, rounds=asked.rounds)
    if asked.minutes is not None and hasattr(size, "minutes"):
        size = replace(size, minutes=asked.minutes)
    if asked.wave is not None and hasattr(size, "wave"):
        size = replace(size, wave=asked.wave)
    book = Book(part=name, path=results, quick=asked.quick)
    book.note("machine", described())
    book.note("load before", os.getloadavg()[0])
    began = time.monotonic()
    run(book, size)
    book.note("took", round(time.monotonic() - began, 1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, _PAGE, []], metavar="PART", help=", ".join((*PARTS, _PAGE))
    )
    parser.add_argument("--quick", action="store_true", help="little of everything, within a minute")
    parser.add_argument("--rounds", type=int, help="rounds of each part")
    parser.add_argument("--minutes", type=float, help="for the large back-test")
    parser.add_argument("--wave", type=int, help="readings of the backlog that comes all at once")
    parser.add_argument("--results", type=Path, help="where samples are written down")
    parser.add_argument("--out", type=Path, help="folder of the page; docs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
