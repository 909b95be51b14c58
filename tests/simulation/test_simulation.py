"""Simulated streets hold their promises whatever goes wrong, and a seed is the same run everywhere.

60 seeds here, some 15 s of one core; `make simulate SEEDS=10000` goes on, `make simulate SEED=4711` tells one of them.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.simulation.street import Ground

FIRST, SEEDS = 30, 60  # from here on processes die everywhere
# Where processes die in these.
POINTS = {
    "gateway: between hear and keep",
    "gateway: between keep and confirm",
    "gateway: between publish and receipt",
    "gateway: between receipt and forget",
    "server: before COMMIT",
    "server: in a transaction",
    "server: after COMMIT",
    "server: before a receipt",
    "server: after a receipt",
    "server: before a notice",
    "server: between two notices",
}
# Seeds that once found something, and what; they stay. None of them has found a fault of the product so far.
FOUND = {
    143: "the street itself: a verdict in the second in which the doorbell rings",
    385: "the street itself: two pauses at once",
}


def test_nothing_is_lost_doubled_missed_or_made_up(built: Ground) -> None:
    crashes: set[str] = set()
    readings = 0
    for seed in range(FIRST, FIRST + SEEDS):
        outcome = built.run(seed)
        assert not outcome.wrong, f"seed {seed} ({outcome.troubles}): {outcome.wrong}"
        readings += outcome.readings
        crashes |= set(outcome.crashes)
    assert readings > 2 * SEEDS  # a street in which nobody measures would prove nothing
    assert crashes == POINTS


def test_what_was_found_once_is_not_found_again(built: Ground) -> None:
    for seed, what in FOUND.items():
        assert not built.run(seed).wrong, what


def test_a_seed_is_the_same_run_everywhere(built: Ground) -> None:
    seed, lines = 7, []
    first, again = built.run(seed, lines.append), built.run(seed)
    assert first == again
    assert len(lines) > 100
    program = (
        f"from tests.simulation.street import ground\nwith ground() as built:\n    print(built.run({seed}).digest)"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert elsewhere.stdout.splitlines()[-1] == first.digest


def test_another_seed_is_another_run(built: Ground) -> None:
    assert built.run(7).digest != built.run(8).digest
