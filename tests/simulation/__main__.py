"""`make simulate`: runs seeds and says which one failed; one seed alone is told line by line."""

import argparse
import logging
import sys
import time

import structlog

from tests.simulation.street import Outcome, ground


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="which one first")
    parser.add_argument("--seed", type=int, help="only this one, told line by line")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if asked.seed is not None:
        return _one(asked.seed)
    return _many(asked.first, asked.seeds)


def _one(seed: int) -> int:
    with ground() as built:
        outcome = built.run(seed, print)
    print(f"digest {outcome.digest}")
    print("\n".join(outcome.wrong) or "nothing wrong")
    return bool(outcome.wrong)


def _many(first: int, seeds: int) -> int:
    failed: list[Outcome] = []
    readings = evaluations = facts = 0
    began = time.process_time()
    with ground() as built:
        for number in range(first, first + seeds):
            outcome = built.run(number)
            readings, evaluations = readings + outcome.readings, evaluations + outcome.evaluations
            facts += outcome.facts
            if outcome.wrong:
                failed.append(outcome)
                print(
                    f"\nseed {number}: {outcome.wrong[0]}\n    replay it with: make simulate SEED={number}", flush=True
                )
            if sys.stderr.isatty() or (number - first + 1) % 500 == 0:
                print(f"\r{number - first + 1} of {seeds}", end="", file=sys.stderr, flush=True)
    took = time.process_time() - began
    print(
        f"\n{seeds} seeds, {readings} readings, {evaluations} evaluations, {facts} facts in {took:.0f} s of CPU "
        f"({took / seeds * 1000:.0f} ms each): {len(failed)} failed"
    )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
