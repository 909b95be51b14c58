"""A demo's life: refused when it cannot be, repaired when a part dies, ended without a trace, and begun again."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.broker import free_port
from tests.journeys.running import Demo, wait_for
from varde.demo.town import read_town


@pytest.fixture
def short_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("d")


def _refused(data: Path, port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "varde", "demo", "--data", str(data), "--port", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def _gone(family: list[psutil.Process]) -> bool:
    return not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def _kept(demo: Demo) -> dict[str, Any]:
    """What a second start must find as it was."""
    handover = demo.handover
    mqtt = {name: handover["mqtt"][name] for name in ("gateway", "password", "key", "devices")}
    return {"token": handover["token"], **mqtt}


def test_one_life_from_refusals_to_a_second_start(short_folder: Path, address: str | None) -> None:
    demo = Demo(data=short_folder / "demo", port=free_port(), database=address, arguments=("--speed", "1")).start()
    try:
        # With life's own speed, too, the first alert is there within a minute.
        (alert, *_) = wait_for(lambda: demo.alerts(rule="spo2_low"), "an alert at speed 1", 60)
        _a_second_demo_is_refused(demo)
        _a_killed_part_comes_back(demo)
        before, kept, readings = demo.now(), _kept(demo), len(demo.readings())
        family = demo.family()
        server = 1 if address is None else 4  # a process for each role
        assert len(family) == 3 + server + len(read_town().homes)  # launcher, broker, air, server, gateways
        assert demo.interrupt() == 0
        assert wait_for(lambda: _gone(family), "the end of every process", 15)
        arguments = ("--speed", "30", "--exit-after", "3")
        again = Demo(data=demo.data, port=free_port(), database=address, arguments=arguments).start()
        assert _kept(again) == kept
        assert again.now() > before
        assert len(again.readings()) >= readings
        assert alert["id"] in [each["id"] for each in again.alerts()]
        family = again.family()
        assert again.ended() == 0
        assert wait_for(lambda: _gone(family), "the end of every process", 15)
    finally:
        demo.stop()


def _a_second_demo_is_refused(demo: Demo) -> None:
    answer = _refused(demo.data, free_port())
    assert answer.returncode == 2
    assert f"another demo runs on {demo.data} (process {demo.process.pid})" in answer.stdout
    assert "--data" in answer.stdout


def _of(demo: Demo, gateway: str) -> list[psutil.Process]:
    """The process of this gateway."""
    settings = str(demo.data / "gateways" / gateway)
    return [each for each in demo.family() if settings in " ".join(each.cmdline())]


def _a_killed_part_comes_back(demo: Demo) -> None:
    (gateway,) = [
        each for each in demo.family() if str(demo.data / "gateways" / "gw-toppen") in " ".join(each.cmdline())
    ]
    os.kill(gateway.pid, signal.SIGKILL)
    wait_for(lambda: [line for line in demo.lines if line.startswith("gw-toppen ended (signal 9)")], "a line about it")
    wait_for(
        lambda: (
            "level=INFO from=gateway.relay start" in (demo.data / "log" / "gw-toppen.log").read_text()[-4000:]
            and [each for each in demo.family() if "gw-toppen" in " ".join(each.cmdline()) and each.pid != gateway.pid]
        ),
        "the gateway's next life",
    )
    assert len([line for line in demo.lines if line.startswith("gw-toppen ended")]) == 1


def test_a_busy_port_is_refused_before_anything_starts(short_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = _refused(short_folder / "demo", port)
    assert answer.returncode == 2
    assert f"port {port} cannot be used" in answer.stdout
    assert "--port" in answer.stdout
    assert not (short_folder / "demo" / "varde.db").exists()


def test_a_database_that_does_not_answer_is_refused_without_its_password(short_folder: Path) -> None:
    command = [sys.executable, "-m", "varde", "demo", "--data", str(short_folder / "demo")]
    command += ["--port", str(free_port()), "--database", f"postgresql://varde:secret@127.0.0.1:{free_port()}/varde"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 2
    assert "does not answer" in answer.stdout
    assert "--database" in answer.stdout
    assert "secret" not in answer.stdout + answer.stderr


def test_a_path_too_long_for_sockets_is_refused(short_folder: Path) -> None:
    answer = _refused(short_folder / ("x" * 90), free_port())
    assert answer.returncode == 2
    assert "too long" in answer.stdout


def test_a_part_that_keeps_dying_ends_the_demo_with_its_last_words(short_folder: Path) -> None:
    in_the_way = short_folder / "demo" / "gateways" / "gw-toppen" / "spool.db"
    in_the_way.mkdir(parents=True)
    answer = _refused(short_folder / "demo", free_port())
    assert answer.returncode == 1
    assert "failed: gw-toppen keeps ending" in answer.stdout
    assert "spool" in answer.stdout.partition("keeps ending")[2]
    assert "ready:" not in answer.stdout
    running = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
    assert not [each for each in running if str(short_folder) in each]


def test_a_key_that_opens_nothing_is_said(short_folder: Path) -> None:
    (short_folder / "demo").mkdir()
    (short_folder / "demo" / "vault.key").write_text("not a key\n")
    answer = _refused(short_folder / "demo", free_port())
    assert answer.returncode == 1
    assert "failed: the vault's key file does not hold a key; remove" in answer.stdout
    assert "or name another --data" in answer.stdout


def test_without_mosquitto_the_stand_in_serves_and_is_named(short_folder: Path) -> None:
    program = (
        "import sys; from varde.demo import broker; broker.mosquitto_path = lambda: None;"
        "from varde.__main__ import main; sys.exit(main())"
    )
    demo = Demo(data=short_folder / "demo", port=free_port(), command=("-c", program)).start()
    try:
        assert [line for line in demo.lines if "using amqtt instead: it can lose messages" in line]
        device = demo.device("oximeter")
        sent = demo.simulate(device["address"], "0053004800")
        assert sent.returncode == 0, sent.stderr
        (alert,) = wait_for(lambda: demo.alerts(patient=device["patient"], rule="spo2_low"), "the alert of 83 %")
        assert alert["why"]["value"] == 83
    finally:
        demo.stop()
