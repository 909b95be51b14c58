"""Processes that a benchmark starts and ends: the broker, roles of the server, loads. Each with a log of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

from varde.demo import broker
from varde.demo.broker import Account, free_port, mosquitto_path, server_account
from vitals.topics import Lane, every_gateway

LOAD = Account(
    name="load",
    password="load-password",
    writes=(every_gateway(Lane.READINGS), "bare/#"),
    reads=(every_gateway(Lane.RECEIPTS),),
)
SERVER = server_account("server-password")
_END_S = 20.0


class BenchmarkError(RuntimeError):
    """A measurement that cannot be trusted, or did not come to an end; the text says why."""


@dataclass(slots=True)
class Child:
    """One process."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> Path:
        """What it said."""
        return self.folder / f"{self.name}.log"

    def start(self) -> "Child":
        """Start it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command), stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        return self

    def is_running(self) -> bool:
        """Whether it lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(_END_S)

    def stop(self) -> None:
        """Ask it to end; kill it when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def tail(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""


@contextmanager
def running(children: Sequence[Child]) -> Iterator[None]:
    """All of them started in their order, and ended the other way round."""
    try:
        for each in children:
            each.start()
        yield
    finally:
        for each in reversed(children):
            each.stop()


@dataclass(frozen=True, slots=True)
class BrokerRun:
    """A broker that runs."""

    child: Child
    port: int


@contextmanager
def mosquitto(folder: Path) -> Iterator[BrokerRun]:
    """A Mosquitto with the product's own configuration, accounts and ACL; nothing kept from before."""
    program = mosquitto_path()
    if program is None:
        raise BenchmarkError("Mosquitto is not installed; `make setup` says how to get it")
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    for old in (folder / "data").glob("*"):
        old.unlink()
    child = Child("broker", broker.mosquitto_command(program, folder, port, (LOAD, SERVER)), folder)
    with running([child]):
        if not broker.wait_until_open(port, 10):
            raise BenchmarkError(f"Mosquitto does not answer: {child.tail()}")
        yield BrokerRun(child, port)


def role(name: str, folder: Path, settings: Mapping[str, str]) -> Child:
    """A process of the server: `varde server --role NAME`."""
    command = [sys.executable, "-m", "varde", "server", "--role", name]
    return Child(name, command, folder, {"VARDE_LOG_LEVEL": "warning", **settings})


def server_settings(folder: Path, address: str | None, port: int, clock: Path | None = None) -> dict[str, str]:
    """What every role is told: data, database, broker, clock."""
    told = {"VARDE_DATA": str(folder), "VARDE_MQTT_PORT": str(port), **broker.environment_of(SERVER)}
    if address is not None:
        told["VARDE_DATABASE"] = address
    if clock is not None:
        told["VARDE_CLOCK"] = str(clock)
    return told


def wait_until(effect: object, what: str, within_s: float, look_s: float = 0.05) -> None:
    """Until `effect()` is true; raises `BenchmarkError` after `within_s`."""
    assert callable(effect)
    deadline = monotonic() + within_s
    while not effect():
        if monotonic() > deadline:
            raise BenchmarkError(f"waited {within_s:g} s in vain: {what}")
        sleep(look_s)
