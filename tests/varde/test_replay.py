"""`varde replay` on the database of a small municipality."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.conftest import database, migrated, world
from tests.server.reports.living import live
from tests.server.world import World
from varde.replay import main

__all__ = ["database", "migrated", "world"]  # fixtures


def test_what_is_stored_equals_its_replay(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    live(world)
    assert main(["--data", str(world.folder)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"equal   {world.patient}: ")
    assert "Patient of Fjordvik" not in told
    assert "A difference means" not in told
    assert main(["--data", str(world.folder), "--patient", world.patient]) == 0


def test_a_difference_is_told_and_the_exit_code_is_1(world: World) -> None:
    live(world)
    with sqlite3.connect(world.folder / "varde.db") as raw:  # by hand, past everything that would refuse it
        raw.execute("UPDATE alert SET body = ?", (json.dumps({"rule": "spo2_low"}),))
    raw.close()
    words = [sys.executable, "-m", "varde", "replay", "--data", str(world.folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(f"DIFFERS {world.patient}: ")
    assert "stored " in done.stdout
    assert ", replayed " in done.stdout
    assert "not the version that judged then" in done.stdout


@pytest.mark.parametrize("words", [["--patient", "nobody"], ["--database", "mysql://h/d"]])
def test_what_cannot_be_asked_is_said(world: World, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(world.folder), *words]) == 2
    told = capsys.readouterr().err
    assert told.startswith("varde replay: ")
    assert "Traceback" not in told


def test_no_database_is_said_and_none_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "holds no database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
