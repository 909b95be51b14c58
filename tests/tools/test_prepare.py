"""Set-up says what is missing, in words that somebody can act on, and does nothing twice."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import prepare


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without `.venv` in which set-up may do what it likes."""
    for name, place in (("ROOT", ""), ("VENV", ".venv"), ("PYTHON", ".venv/bin/python")):
        monkeypatch.setattr(prepare, name, tmp_path / place)
    monkeypatch.setattr(prepare, "STAMPS", tmp_path / ".venv" / "stamps.json")
    monkeypatch.setattr(prepare, "POSTGRESQL", tmp_path / "postgresql")
    monkeypatch.setattr(prepare, "CLUSTERS", tmp_path / "etc")
    return tmp_path


def _program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _python(path: Path, *, new: bool = True, whole: bool = True, quick: bool = True) -> None:
    """A program that answers what it is asked about itself as a Python would."""
    able = {"CONFIG_ARGS": quick, "ensurepip": whole, "version_info": new}
    _program(path, "".join(f'case "$2" in *{word}*) exit {int(not yes)};; esac; ' for word, yes in able.items()))


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"python3": {}, "python3.12": {}}, "python3"),
        ({"python3": {"quick": False}, "python3.12": {}}, "python3.12"),
        ({"python3": {"quick": False}, "python3.12": {"quick": False}}, "python3"),
        ({"python3": {"whole": False}, "python3.12": {"quick": False}}, "python3.12"),
        ({"python3": {"new": False, "whole": False}, "python3.11": {"whole": False}}, "python3.11"),
        ({"python3": {"new": False, "whole": False}}, ""),
    ],
)
def test_a_python_that_was_compiled_for_speed_is_preferred(
    there: dict[str, dict[str, bool]], taken: str, tmp_path: Path
) -> None:
    script = (prepare.ROOT / "tools" / "find_python.sh").read_text()
    for name, answers in there.items():
        _python(tmp_path / name, **answers)
    done = subprocess.run(
        ["/bin/sh", "-c", script.replace("/usr/bin/python3", "")],  # the machine's own may be anything
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == taken


def test_a_python_without_venv_is_told_the_package(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(prepare.SetupError, match="apt install python3-venv"):
        prepare.environment()
    assert not (elsewhere / ".venv").exists()


def test_an_environment_is_made_once_and_anew_where_it_was_moved(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare.environment()
    assert "making .venv" in capsys.readouterr().out
    prepare.environment()
    assert capsys.readouterr().out == ""
    prepare.save("environment", "/somewhere/else/.venv")
    monkeypatch.setitem(sys.modules, "ensurepip", None)  # so that the second making is only tried
    with pytest.raises(prepare.SetupError):
        prepare.environment()
    assert "making .venv" in capsys.readouterr().out


def test_missing_programs_are_named_one_sentence_each(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(elsewhere))
    monkeypatch.setattr(prepare, "SBIN", "")
    prepare.system_packages()
    said = capsys.readouterr().out.splitlines()
    assert len(said) == len(prepare.SYSTEM)
    for (_, _, package, _), sentence in zip(prepare.SYSTEM, said, strict=True):
        assert f"apt install {package}" in sentence


def test_root_gets_only_what_is_missing_one_call_each(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _, programs, package, _ in prepare.SYSTEM:
        if package != "mosquitto":
            _program(elsewhere / programs[0], "")
    _program(elsewhere / "apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {elsewhere}/asked')
    monkeypatch.setenv("PATH", str(elsewhere))
    monkeypatch.setattr(prepare, "SBIN", "")
    monkeypatch.setattr(prepare.os, "geteuid", lambda: 0)
    prepare.system_packages()
    update, install = (elsewhere / "asked").read_text().splitlines()
    assert update.endswith("update")
    assert install.startswith("noninteractive")
    assert install.endswith("install mosquitto")
    assert capsys.readouterr().out == "set-up: installing Mosquitto (apt-get install mosquitto)\n"


def test_postgresql_comes_without_a_database_of_the_machines_own(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _, programs, package, _ in prepare.SYSTEM:
        if package != "postgresql":
            _program(elsewhere / programs[0], "")
    # What the package sees while it is being installed is what counts.
    conf = prepare.CLUSTERS / "createcluster.d" / "varde.conf"
    _program(elsewhere / "apt-get", f'[ "$5" != postgresql ] || /bin/cp {conf} {elsewhere}/seen')
    monkeypatch.setenv("PATH", str(elsewhere))
    monkeypatch.setattr(prepare, "SBIN", "")
    monkeypatch.setattr(prepare.os, "geteuid", lambda: 0)
    prepare.system_packages()
    assert "\ncreate_main_cluster = false\n" in (elsewhere / "seen").read_text()
    (elsewhere / "seen").unlink()
    (elsewhere / "postgresql" / "15" / "bin").mkdir(parents=True)  # where Debian puts it, off the PATH
    _program(elsewhere / "postgresql" / "15" / "bin" / "initdb", "")
    prepare.system_packages()
    assert not (elsewhere / "seen").exists()


def test_what_somebody_decided_about_clusters_stays(elsewhere: Path) -> None:
    prepare.CLUSTERS.mkdir()
    theirs = prepare.CLUSTERS / "createcluster.conf"
    theirs.write_text("create_main_cluster = true\n")
    prepare.without_cluster()
    assert [each.name for each in prepare.CLUSTERS.iterdir()] == ["createcluster.conf"]
    theirs.write_text("#create_main_cluster = true\n")  # as Debian ships it
    prepare.without_cluster()
    assert (prepare.CLUSTERS / "createcluster.d" / "varde.conf").exists()


def test_pip_shows_its_words_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "PYTHON", Path(sys.executable))
    with pytest.raises(prepare.SetupError, match="no-such-lock"):
        prepare.pip("install", "--no-index", "-r", "no-such-lock.txt")


def test_a_second_run_takes_under_two_seconds() -> None:
    """On this checkout, whose set-up is what runs this test."""
    words = [sys.executable, str(prepare.ROOT / "tools" / "prepare.py"), "run"]
    subprocess.run(words, check=True, capture_output=True)
    began = time.monotonic()
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert done.stdout == ""
    assert time.monotonic() - began < 2
