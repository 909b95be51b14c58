"""How quick the rules are: a cohort replayed through `alerts.engine`, beside a bare loop over the same questions.

`python -m benchmarks.engine [--patients 1000] [--days 28] [--rounds 3] [--profile]`. Prints a table; the digest of all
facts is the same in every process and under every hash seed, and the run says so or fails. Times are processor time of
this process, because other work on the machine is not the rules' cost; wall time stands beside it.
"""

import argparse
import cProfile
import hashlib
import os
import pstats
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from alerts import codec
from alerts.replay import Replay, run
from benchmarks.cohort import START, Patient, cohort

_SEED = 20261122
_STEP_LIMIT_US = 200  # a step may not cost more: 10,000 evaluations a second are wanted of a few cores
_DIGEST_PATIENTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """Patients gone through the rules: how many steps, what they cost in seconds, the digest of all facts in order."""

    steps: int
    cost: float  # of processor time
    wall: float
    digest: str


def replay(patients: Sequence[Patient], days: int) -> Ran:
    """Every patient through the rules; the digest is made outside the measured time."""
    digest, steps, cost, wall = hashlib.sha256(), 0, 0.0, 0.0
    for patient in patients:
        one = Replay(plan=patient.plan, patient=patient.key)
        started, began = time.process_time(), time.perf_counter()
        run(one, patient.arrivals, (), START + timedelta(days=days))
        cost, wall = cost + time.process_time() - started, wall + time.perf_counter() - began
        steps += one.steps
        for fact in one.facts:
            digest.update(repr(codec.encode(fact)).encode())
    return Ran(steps=steps, cost=cost, wall=wall, digest=digest.hexdigest())


def bare(patients: Sequence[Patient]) -> int:
    """The same readings against one naive limit each: what merely looking at the numbers costs."""
    beyond = 0
    for patient in patients:
        for arrival in patient.arrivals:
            for metric, value in arrival.values.items():
                if metric == "spo2" and value <= 92:  # type: ignore[operator]
                    beyond += 1
    return beyond


def _rounds(patients: Sequence[Patient], days: int, rounds: int) -> int:
    readings = sum(len(patient.arrivals) for patient in patients)
    costs, walls, bares, digests = [], [], [], set()
    steps = 0
    for number in range(rounds):
        ran = replay(patients, days)
        steps = ran.steps
        costs.append(ran.cost / steps * 1e6)
        walls.append(ran.wall / steps * 1e6)
        started = time.process_time()
        bare(patients)
        bares.append((time.process_time() - started) / readings * 1e6)
        digests.add(ran.digest)
        print(f"round {number + 1} of {rounds}: {costs[-1]:.1f} us a step", file=sys.stderr)
    cost, loop = statistics.median(costs), statistics.median(bares)
    print("| what | median | range |\n| --- | --- | --- |")
    print(f"| patients x days, readings, steps | {len(patients)} x {days}, {readings}, {steps} | |")
    print(f"| microseconds a step (limit {_STEP_LIMIT_US}) | {cost:.1f} | {min(costs):.1f}-{max(costs):.1f} |")
    print(f"| wall time, microseconds a step | {statistics.median(walls):.1f} | {min(walls):.1f}-{max(walls):.1f} |")
    print(f"| steps a second, one process | {1e6 / cost:,.0f} | |")
    print(f"| bare loop, microseconds a reading | {loop:.2f} | {min(bares):.2f}-{max(bares):.2f} |")
    print(f"| a reading through the rules / bare loop | {cost * steps / readings / loop:,.0f} | |")
    return 0 if len(digests) == 1 and cost < _STEP_LIMIT_US else 1


def _digests_agree(days: int) -> bool:
    """The same digest from other processes under other hash seeds."""
    command = [sys.executable, "-m", "benchmarks.engine", "--digest", "--days", str(days)]
    said = {
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    print(f"| digests of 3 processes with 3 hash seeds | {'equal' if len(said) == 1 else 'DIFFERENT'} | |")
    return len(said) == 1


def main() -> int:
    """Measure as asked; 1 when the limit is passed or two runs differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead of the table")
    parser.add_argument("--digest", action="store_true", help="only the digest of a small cohort")
    asked = parser.parse_args()
    patients = list(cohort(_DIGEST_PATIENTS if asked.digest else asked.patients, asked.days, _SEED))
    if asked.digest:
        print(replay(patients, asked.days).digest)
        return 0
    if asked.profile:
        profile = cProfile.Profile()
        profile.runcall(replay, patients, asked.days)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return 0
    code = _rounds(patients, asked.days, asked.rounds)
    return code if _digests_agree(min(asked.days, 14)) else 1


if __name__ == "__main__":
    sys.exit(main())
