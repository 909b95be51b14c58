"""The benchmarks run: a little of the parts that use the most of the street, in a folder of their own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where PostgreSQL's own user may enter, which pytest's folders are not."""
    made = Path(tempfile.mkdtemp(prefix="varde-bench-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_little_of_the_street_is_measured_and_told(folder: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "record", "latency", "page", "--quick"]
    environment = {**os.environ, "VARDE_BENCHMARKS": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in (folder / "quick.jsonl").read_text().splitlines()]
    found = {(line["part"], line["what"]): line["value"] for line in lines if "what" in line}
    assert found["latency", "alerts seen"] == 30
    assert found["latency", "alerts missing"] == 0
    assert found["record", "record, SQLite"] > 0
    assert found["record", "record, PostgreSQL"] > 0
    page = (folder / "quick" / "benchmarks.md").read_text()
    assert "Its figures mean nothing" in page
    assert "Not measured yet: `python -m benchmarks judge`" in page
