"""`make chaos`: one episode after the other, then docs/chaos.md from all results.

Seeds whose result is in the file already, for the product as it is checked out, are not run again.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests import postgres
from tests.chaos import results
from tests.chaos.episode import on_a_cluster, on_a_file
from tests.chaos.parts import ROOT
from tests.chaos.told import Size, Told

_RESULTS = ROOT / "build" / "chaos" / "results.jsonl"
_PAGE = ROOT / "docs" / "chaos.md"
_EMBEDDED_EVERY = 5  # of so many seeds one is on SQLite


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many; 20 make half a million readings")
    parser.add_argument("--first", type=int, default=1, help="which one first")
    parser.add_argument("--fresh", action="store_true", help="run also what the results file has")
    parser.add_argument("--only-write", action="store_true", help="run nothing, write the page from what there is")
    parser.add_argument("--results", type=Path, default=_RESULTS)
    parser.add_argument("--page", type=Path, default=_PAGE)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # in order: what was started is ended
    seeds = range(asked.first, asked.first + asked.seeds)
    product = results.product()
    fresh = asked.fresh or not product
    done = {row["seed"] for row in results.read(asked.results) if row["product"] == product and not fresh}
    if not asked.only_write:
        _run([seed for seed in seeds if seed not in done], Size(), asked.results)
    rows = [row for row in results.read(asked.results) if row["seed"] in seeds]
    asked.page.write_text(results.page(rows))
    wrong = sum(len(row["verdict"]["wrong"]) for row in rows)
    print(f"{len(rows)} seeds, {wrong} things wrong; {asked.page} is written")
    return 1 if wrong else 0


def _run(seeds: Sequence[int], size: Size, path: Path) -> None:
    """Every seed, its result into the file as soon as it is there."""
    much = {"homes": size.homes, "devices": size.devices, "readings": size.readings}
    about = {"size": much, "product": results.product(), "commit": results.commit(), "cores": os.cpu_count()}
    with ExitStack() as held:
        cluster = held.enter_context(postgres.running()) if any(each % _EMBEDDED_EVERY for each in seeds) else None
        for seed in seeds:
            with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as name:
                folder = Path(name)
                if cluster is not None and seed % _EMBEDDED_EVERY:
                    told = asyncio.run(on_a_cluster(seed, size, folder, cluster))
                else:
                    told = asyncio.run(on_a_file(seed, size, folder))
            results.add(path, told.line() | about)
            print(_words(told), flush=True)


def _words(told: Told) -> str:
    verdict = told.verdict
    kills = ", ".join(f"{kind} {count}" for kind, count in told.kills.items())
    return (
        f"seed {told.seed}, {told.database}: {verdict.handed_over} readings, killed {kills}; lost {verdict.lost}, "
        f"twice {verdict.duplicate}, missed {verdict.missed}, ghost {verdict.ghost}, wrong {len(verdict.wrong)}; "
        f"{told.seconds:.0f} s" + "".join(f"\n    {each}" for each in verdict.wrong[:5])
    )


if __name__ == "__main__":
    sys.exit(main())
