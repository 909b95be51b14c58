"""Looking at rulebooks, as it is typed."""

from pathlib import Path

import pytest

from alerts import rulebook
from varde.rulebook import main

BOOK = """
name = "own"
version = "1"
source = "tests"
reviewed_on = 2026-01-01
verified = true

[rules.spo2_low]
kind = "threshold"
metric = "spo2"
side = "below"
bands = [{ limit = 92, priority = "medium" }]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(BOOK)
    return path


def test_good_books_are_told_one_by_one(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = [str(Path(rulebook.__file__).parent / "rulebooks" / f"{name}.toml") for name in rulebook.shipped()]
    assert main(["check", str(own), *shipped]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"{own}: own, version 1, 1 rule"
    assert len(told) == 1 + len(shipped)


def test_a_wrong_key_is_named_with_its_file_and_the_others_are_still_read(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(BOOK.replace("limit = 92", 'limit = "low"'))
    assert main(["check", str(wrong), str(own)]) == 2
    told = capsys.readouterr()
    assert "wrong.toml: rules.spo2_low.bands[0].limit: must be a number" in told.err
    assert "own, version 1" in told.out
    assert main(["show", str(tmp_path / "nowhere.toml")]) == 2
    assert "nowhere.toml: cannot be read" in capsys.readouterr().err


def test_a_shipped_book_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "covid19"]) == 0
    told = capsys.readouterr().out
    book = rulebook.load("covid19")
    assert told.startswith(f"covid19, version {book.version} (not verified")
    assert book.reviewed_on.isoformat() in told
    assert "medium: limit = 94 %" in told


def test_two_books_differ_or_do_not(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(own), str(own)]) == 0
    assert capsys.readouterr().out == "no number differs\n"
    other = tmp_path / "other.toml"
    other.write_text(BOOK.replace("limit = 92", "limit = 91").replace('version = "1"', 'version = "2"'))
    assert main(["diff", str(own), str(other)]) == 1
    assert capsys.readouterr().out == "version: 1 | 2\nspo2_low.bands[medium].limit: 92 | 91\n"
    other.write_text("name = 3")
    assert main(["diff", str(own), str(other)]) == 2
