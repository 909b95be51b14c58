"""The commands, as they are typed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.__main__ import main
from server.access import Role
from server.care.credentials import actor_of_token
from server.db import tables
from tests.server.world import START, World


def place(world: World) -> tuple[str, ...]:
    return "--data", str(world.folder), "--database", world.database.address


def test_migrate_makes_todays_tables_and_again_is_harmless(tmp_path: Path) -> None:
    for _ in range(2):
        assert main(["migrate", "--data", str(tmp_path / "data")]) == 0
    assert (tmp_path / "data" / "varde.db").exists()


def test_a_token_is_shown_once_and_works(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["token", "create", *place(world), "--role", "coordinator", "--team", "Fjordvik oppfølging"]
    assert main(given) == 0
    secret = capsys.readouterr().out.strip()
    with world.database.read() as connection:
        actor = actor_of_token(connection, secret, START)
    assert actor is not None
    assert (actor.role, actor.municipality, actor.team) == (Role.COORDINATOR, world.municipality, world.team)


def test_a_gateway_is_let_in_and_its_key_shown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enrol-gateway", "gw-new-1", *place(world)]) == 0
    key = bytes.fromhex(capsys.readouterr().out.strip())
    stored = next(row for row in world.rows(tables.gateway) if row["id"] == "gw-new-1")
    assert world.vault.open(stored["key"]) == key.hex()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["serve", "--role", "watch"], "one process"),
        (["serve", "--login", "demo", "--host", "0.0.0.0"], "login: demo"),
        (["migrate", "--database", "mysql://h/d"], "not supported"),
        (["migrate", "--database", "postgresql://u:secret@127.0.0.1:1/d"], "does not answer"),
        (["token", "create", "--role", "nurse", "--team", "nobody"], "varde migrate"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], words: str
) -> None:
    assert main([*given, "--data", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert "secret" not in told


def test_an_unknown_team_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", *place(world), "--role", "nurse", "--team", "nobody"]) == 2
    assert "no team is called 'nobody'" in capsys.readouterr().err


def test_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server", "serve", "--data", str(tmp_path), "--port", "0", "--mqtt-port", "1"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VARDE_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith(b"serving: http://127.0.0.1:")
        running.send_signal(signal.SIGTERM)
        _, told = running.communicate(timeout=20)
    assert (running.returncode, b"Traceback" in told) == (0, False), told
