"""A process that carries a failpoint ends exactly there; every named point lies somewhere."""

import ast
import os
import signal
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT, modules, nodes
from vitals import failpoint

_PASSES = """
from vitals import failpoint
for number in range(5):
    failpoint.reach("gateway.heard")
    failpoint.reach("gateway.kept")
    print(number, flush=True)
"""


def passing(text: str | None) -> subprocess.CompletedProcess[str]:
    """A process that passes two points five times."""
    environment = {name: value for name, value in os.environ.items() if name != failpoint.VARIABLE}
    if text is not None:
        environment[failpoint.VARIABLE] = text
    words = [sys.executable, "-c", _PASSES]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30)


def test_unarmed_it_is_nothing():
    done = passing(None)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, list("01234"), "")


def test_armed_it_kills_its_process_at_the_given_passing_and_says_so_before():
    done = passing("gateway.kept:3")
    assert (done.returncode, done.stdout.split()) == (-signal.SIGKILL, ["0", "1"])
    assert "will end itself at gateway.kept:3" in done.stderr


def test_a_point_that_is_passed_too_seldom_kills_nobody():
    assert passing("gateway.kept:6").returncode == 0


@pytest.mark.parametrize("text", ["gateway.nowhere:1", "gateway.kept", "gateway.kept:0", "gateway.kept:-1", ":1"])
def test_a_point_that_is_not_there_ends_the_process_with_a_sentence(text):
    done = passing(text)
    assert done.returncode == 1
    assert "vitals/failpoint.py" in done.stderr


def test_every_point_lies_in_the_product_and_on_the_side_that_its_name_says():
    found: set[str] = set()
    for module in modules(ROOT):
        for node in nodes(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "failpoint.reach":
                name = ast.literal_eval(node.args[0])
                side = name.split(".")[0]
                assert module.path.startswith("gateway/" if side == "gateway" else f"server/{side}/"), module.path
                found.add(name)
    assert found == set(failpoint.POINTS)
