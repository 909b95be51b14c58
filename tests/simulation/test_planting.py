"""Bugs that the street must find: each is planted in one place of the real code, and a seed notices."""

import pytest

from tests.simulation.planting import BUGS, Bug, planted
from tests.simulation.street import Ground

# Seeds tried from the first that finds the bug on: what the seeds mean moves with every change of the simulation.
_AND_SOME_MORE = 10


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(built: Ground, bug: Bug) -> None:
    with planted(bug):
        tried = range(bug.seed, bug.seed + _AND_SOME_MORE)
        found = next((seed for seed in tried if built.run(seed).wrong), None)
    assert found is not None, f"{bug.name}: not by the seeds {tried}"
    assert not built.run(found).wrong  # and nothing is wrong without it
