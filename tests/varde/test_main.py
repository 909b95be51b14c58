"""The command as a stranger types it, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_WITHOUT = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
from varde.__main__ import main
sys.exit(main({words!r}))
"""
_PI_LACKS = ("typer", "rich", "fastapi", "sqlalchemy", "pydantic", "bumble", "click", "structlog")


def _varde(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "varde", *words], capture_output=True, text=True, timeout=60)


def _on_a_pi(*words: str) -> subprocess.CompletedProcess[str]:
    program = _WITHOUT.format(names=_PI_LACKS, words=list(words))
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_help_shows_the_commands_in_groups() -> None:
    shown = _varde("--help").stdout
    for word in ("Try it", "Run it", "Set it up", "Look into it", "demo", "server", "gateway", "simulate", "story"):
        assert word in shown
    for word in ("decode", "migrate", "token", "enrol-gateway", "doctor", "rulebook", "replay", "backtest"):
        assert word in shown


def test_an_unknown_command_exits_2_and_names_it() -> None:
    answer = _varde("dance")
    assert answer.returncode == 2
    assert "dance" in answer.stderr


def test_decode_prints_one_json_line() -> None:
    answer = _varde("decode", "2A5E", "0062004800")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == '{"metrics": {"spo2": 98, "pulse": 72}, "taken_at": null, "special": {}, "flags": []}\n'


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("2A5E", "006200"), "truncated"),
        (("2A5E", "0062004800ff"), "1 byte"),
        (("2A5E", "zz"), "not hexadecimal"),
        (("2AFF", "00"), "no profile"),
        (("heart", "00"), "not a 16-bit"),
    ],
)
def test_decode_refuses_with_the_reason(words: tuple[str, str], reason: str) -> None:
    answer = _varde("decode", *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("refused: ")
    assert reason in answer.stderr


def test_decode_takes_a_models_deviations_into_account() -> None:
    frame = "4e6a07ea0707040c1a06aa00000000"
    assert _varde("decode", "2A9D", frame).returncode == 2
    answer = _varde("decode", "2A9D", frame, "--model", "Renpho ES-WBE28")
    assert json.loads(answer.stdout)["metrics"] == {"weight": 94.9}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("decode", "2A19", "50"), 0),
        (("gateway", "--help"), 0),
        (("story", "--help"), 0),
        (("rulebook", "show", "covid19"), 0),
        (("doctor", "--help"), 0),
    ],
)
def test_a_pi_with_the_gateway_alone_runs_these(words: tuple[str, ...], code: int) -> None:
    answer = _on_a_pi(*words)
    assert answer.returncode == code, answer.stderr
    assert answer.stdout


def test_a_pi_with_the_gateway_alone_says_what_the_rest_needs() -> None:
    assert _on_a_pi().returncode == 0
    assert "pip install" in _on_a_pi().stdout
    asked = _on_a_pi("server")
    assert asked.returncode == 1
    assert "pip install" in asked.stderr


def test_the_doctor_finds_nothing_wrong_here_and_says_what_it_saw(tmp_path: Path) -> None:
    answer = _varde("doctor", "--data", str(tmp_path / "demo"))
    assert answer.returncode == 0, answer.stdout
    assert "Mosquitto at" in answer.stdout


def test_the_doctor_finds_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    answer = _varde("doctor", "--data", str(tmp_path / "file"))
    assert answer.returncode == 1
    assert "cannot be written" in answer.stdout
