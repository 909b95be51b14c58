"""`varde backtest` as it is typed, on the database of a small municipality."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.conftest import database, migrated, world
from tests.server.plans import activate
from tests.server.reports.living import live
from tests.server.reports.test_proposals import measure
from tests.server.world import START, World
from varde.backtest import main

__all__ = ["database", "migrated", "world"]  # fixtures

LENIENT = '[rules.spo2_low]\nbands = [{ limit = 85, priority = "medium" }]\n'


@pytest.fixture
def limits(tmp_path: Path) -> Path:
    path = tmp_path / "lenient.toml"
    path.write_text(LENIENT)
    return path


def test_the_table_says_what_would_have_been(
    world: World, limits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(world)
    events = tmp_path / "events.toml"
    events.write_text(f"[[event]]\npatient = '{world.patient}'\nat = {START.isoformat()}")
    words = ["--data", str(world.folder), "--limits", str(limits), "--patient", "all", "--events", str(events)]
    assert main(words) == 0
    told = capsys.readouterr()
    assert told.err == ""
    lines = {line[:34].strip(): line[34:].split() for line in told.out.splitlines()}
    assert lines["spo2_low"][1] == "0"
    assert int(lines["spo2_low"][0]) >= 1
    assert lines["past events caught"] == ["1", "of", "1", "0", "of", "1"]
    assert lines["high"] == ["1", "0"]
    assert "Raised in force only: " in told.out
    assert "Raised by the candidate only: nothing" in told.out
    assert "not caught" in told.out
    assert "assumption, not measured" in told.out
    assert "Patient of Fjordvik" not in told.out


def test_the_json_is_the_same_to_the_byte_in_any_process(world: World, limits: Path) -> None:
    live(world)
    texts = set()
    for seed in ("0", "99"):
        asked = ["backtest", "--data", str(world.folder), "--limits", str(limits), "--json"]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        words = [sys.executable, "-m", "varde", *asked]
        done = subprocess.run(words, capture_output=True, timeout=120, check=True, env=environment)
        texts.add(done.stdout)
    (text,) = texts
    report = json.loads(text)
    assert [each["patient"] for each in report["patients"]] == [world.patient]
    assert len(report["digest"]) == 64


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "nothing to try"),
        (["--rulebook", "no_such_book"], "no_such_book.toml: cannot be read"),
        (["--rulebook", "covid19", "--patient", "nobody"], "no patient nobody"),
        (["--limits", "WRONG"], "wrong.toml: rules.spo2_low.bands[0].limit: must be a number"),
        (["--rulebook", "covid19", "--from", "2026-03-02", "--to", "2026-03-01"], "--to: must be after --from"),
    ],
)
def test_what_cannot_be_tried_is_said(
    world: World, tmp_path: Path, words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    live(world, (97,))
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(LENIENT.replace("85", '"low"'))
    given = [str(wrong) if each == "WRONG" else each for each in words]
    assert main(["--data", str(world.folder), *given]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("varde backtest: ")
    assert reason in told.err


def test_a_time_that_is_none_is_refused_by_name(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--data", str(world.folder), "--rulebook", "covid19", "--from", "yesterday"])
    assert end.value.code == 2
    assert "argument --from: must be a date or a time" in capsys.readouterr().err


def test_no_database_is_said_and_none_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--rulebook", "covid19"]) == 2
    assert "holds no database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_back_test_tries_what_is_proposed_for_each_patient(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    activate(world)
    measure(world, [88, 88, 89, 87, 88, 88, 88, 103])
    assert main(["--proposed", "--data", str(world.folder)]) == 0
    said = capsys.readouterr().out
    assert f"proposed: {world.patient}: pulse_high medium 108, pulse_high high 111" in said
    assert re.search(r"pulse_high +1 +0\n", said)
    assert main(["--proposed", "--rulebook", "covid19"]) == 2
    assert "--proposed" in capsys.readouterr().err
