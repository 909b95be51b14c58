"""`make simulate`: runs seeds on every core and says which one failed; one seed alone is told line by line."""

import argparse
import os
import sys
import time
from itertools import count

from tests.simulation.running import hush, outcomes
from tests.simulation.street import ground

_TOLD_EVERY = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="which one first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument("--seed", type=int, help="only this one, told line by line")
    asked = parser.parse_args()
    return _one(asked.seed) if asked.seed is not None else _many(asked.first, asked.seeds, asked.jobs)


def _one(seed: int) -> int:
    hush()
    with ground() as built:
        outcome = built.run(seed, print)
    print(f"digest {outcome.digest}")
    print("\n".join(outcome.wrong) or "nothing wrong")
    return bool(outcome.wrong)


def _many(first: int, seeds: int, jobs: int) -> int:
    failed: list[int] = []
    readings = evaluations = facts = 0
    began = time.monotonic()
    for number, outcome in zip(count(1), outcomes(range(first, first + seeds), jobs), strict=False):
        readings, evaluations = readings + outcome.readings, evaluations + outcome.evaluations
        facts += outcome.facts
        if outcome.wrong:
            failed.append(outcome.seed)
            print(f"seed {outcome.seed}: {outcome.wrong[0]}\n    again: make simulate SEED={outcome.seed}", flush=True)
        if number % _TOLD_EVERY == 0:
            print(f"{number} of {seeds} in {time.monotonic() - began:.0f} s, {len(failed)} failed", flush=True)
    used = os.times()
    print(
        f"{seeds} seeds: {readings} readings, {evaluations} evaluations, {facts} facts in "
        f"{time.monotonic() - began:.0f} s ({used.children_user + used.children_system:.0f} s of CPU): "
        + (f"failed: {sorted(failed)}" if failed else "nothing wrong")
    )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
