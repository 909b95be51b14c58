"""The test run counts what it ran, and is red when anything was."""

from pathlib import Path

import pytest

from tools import run_tests

INI = "[pytest]\ntestpaths = tests\n"
GOOD = "def test_one(): ...\ndef test_two(): ...\n"
BAD = "def test_four(): assert False\n"


def _run(root: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> int:
    (root / "pytest.ini").write_text(INI)
    (root / "tests" / "chaos").mkdir(parents=True)
    (root / "tests" / "test_it.py").write_text(body)
    (root / "tests" / "chaos" / "test_kill.py").write_text(body.replace("_one", "_three").replace("_two", "_five"))
    monkeypatch.setattr(run_tests, "ROOT", root)
    monkeypatch.setattr(run_tests, "REPORTS", root / "reports")
    for choice in ("SHARED", "BY_FILE"):
        monkeypatch.setattr(run_tests, choice, ())  # without workers, whose start costs seconds
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cacheprovider")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return run_tests.main([])


def test_both_kinds_are_counted_and_one_failure_makes_it_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path, monkeypatch, GOOD + BAD) == 1
    assert "6 tests: 2 failed" in capsys.readouterr().out


def test_finding_no_test_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(tmp_path, monkeypatch, "") == 1
