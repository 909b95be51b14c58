"""`python -m benchmarks.rules [--seeds 3] [--out docs] [--share 1.0] [--processes 2]`.

Writes the report and its figures under `--out`; the same seeds and share give the same bytes, however many processes.
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.rules import plots, report
from benchmarks.rules.running import Asked, run


def main(arguments: list[str] | None = None) -> int:
    """Measure as asked and write; 0, or 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many times each cohort is made up")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the report")
    parser.add_argument("--share", type=float, default=1.0, help="of each cohort's people; less is quicker and rougher")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(arguments)
    if asked.seeds < 1 or not 0 < asked.share <= 1:
        parser.error("at least one seed, and a share above 0 and at most 1")
    found = run(Asked(seeds=asked.seeds, share=asked.share, processes=asked.processes))
    print("drawing intervals", file=sys.stderr)
    for path in report.write(found, asked.out, plots.every(found)):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
