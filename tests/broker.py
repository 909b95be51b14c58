"""A real Mosquitto on a loopback port of its own, to be started, stopped, killed and emptied by a test.

with Mosquitto(tmp_path / "broker") as broker:
    connect(broker.host, broker.port)
    broker.kill()   # as a power cut would
    broker.wipe()   # and with a new disk
    broker.start()  # on the same port
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from varde.demo.broker import free_port, mosquitto_path, wait_until_open

__all__ = ["BrokerConfig", "BrokerError", "Mosquitto", "free_port", "mosquitto_path"]

LOOPBACK = "127.0.0.1"
_START_S = 10.0  # a loaded machine needs one; more means that it will not come
_LOOK_S = 0.2  # how soon we see that it ended instead
_STOP_S = 10.0
_ATTEMPTS = 5  # a port can be taken by somebody else between our look and the broker's bind


class BrokerError(RuntimeError):
    """Mosquitto did not do as told; the message carries the end of its log."""


@dataclass(slots=True, kw_only=True)
class BrokerConfig:
    """What a test may choose.

    `users` are names and passwords (None: anyone may connect); `acl` is the text of an ACL file;
    `extra` are further lines of configuration. Queues are long: Mosquitto's own 1,000 drop in silence.
    """

    users: Mapping[str, str] | None = None
    acl: str | None = None
    extra: tuple[str, ...] = ()
    port: int | None = None


@dataclass(slots=True)
class Mosquitto:
    """One broker, its data in `folder`. A context manager: started on entry, killed on exit if need be."""

    folder: Path
    config: BrokerConfig = field(default_factory=BrokerConfig)
    host: str = LOOPBACK
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it accepts connections; the port stays the same over restarts."""
        if self.is_running:
            raise BrokerError("already running")
        chosen = self.port or self.config.port
        for _ in range(1 if chosen else _ATTEMPTS):
            self.port = chosen or free_port()
            self._write_files()
            if self._launch():
                return
        raise BrokerError(f"Mosquitto did not start on port {self.port}:\n{self.log_tail()}")

    def stop(self) -> None:
        """Ask it to end (it then saves its data) and wait."""
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """SIGKILL: nothing is saved."""
        self._end(subprocess.Popen.kill)

    def wipe(self) -> None:
        """Forget every session, queue and retained message; only while it is down."""
        if self.is_running:
            raise BrokerError("stop or kill it first")
        for path in self._data.glob("*"):
            path.unlink()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise BrokerError("not running")
        return self._process.pid

    def log_tail(self) -> str:
        """The end of its log."""
        log = self.folder / "mosquitto.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.is_running:
            self.stop()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _write_files(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        lines = [
            f"listener {self.port} {self.host}",
            "persistence true",
            f"persistence_location {self._data}/",
            "max_queued_messages 100000",
            "max_inflight_messages 1000",
            f"allow_anonymous {'true' if self.config.users is None else 'false'}",
            *self.config.extra,
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it drops to an account that cannot enter a test's folder
        if self.config.users is not None:
            lines.append(f"password_file {self._write_passwords(self.config.users)}")
        if self.config.acl is not None:
            acl = self.folder / "acl"
            acl.write_text(self.config.acl)
            acl.chmod(0o600)
            lines.append(f"acl_file {acl}")
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def _write_passwords(self, users: Mapping[str, str]) -> Path:
        path = self.folder / "passwords"
        path.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
        path.chmod(0o600)
        program = shutil.which("mosquitto_passwd") or "mosquitto_passwd"
        subprocess.run([program, "-U", str(path)], check=True, capture_output=True)
        return path

    def _launch(self) -> bool:
        """Whether the process came up; False when it ended at once, as with a port that is taken."""
        program = mosquitto_path()
        if program is None:
            raise BrokerError("Mosquitto is not installed; `make setup` says how to get it")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + _START_S
        while self.is_running and time.monotonic() < deadline:
            if wait_until_open(self.port, _LOOK_S):
                return self.is_running
        if self.is_running:
            self.kill()
        return False

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._process is None:
            raise BrokerError("not running")
        how(self._process)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)
        self._process = None
