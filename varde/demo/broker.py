"""The demo's broker: Mosquitto with a configuration of ours, never its defaults; else amqtt, labelled."""

import base64
import hashlib
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from vitals.reading import GatewayId
from vitals.topics import Lane, every_gateway, topic

# Debian installs Mosquitto where only root's PATH looks.
_SEARCH = os.pathsep.join(filter(None, (os.environ.get("PATH"), "/usr/local/sbin", "/usr/sbin", "/sbin")))
_QUEUED_MAX = 1_000_000  # Mosquitto's own 1,000 drops acknowledged messages in silence; 0 drops all in some releases
_INFLIGHT_MAX = 60_000  # what the server may hold unacknowledged, so that it can store first what is fresh
_PBKDF2_ROUNDS = 101  # Mosquitto's own figure for this format; the passwords are 128 random bits

FALLBACK_NOTICE = (
    "broker: Mosquitto is not installed, using amqtt instead: it can lose messages; the server's receipts make that "
    "harmless, since a gateway sends again until it has one"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who may connect, what it may publish to and what it may hear."""

    name: str
    password: str
    writes: tuple[str, ...]
    reads: tuple[str, ...]


def gateway_account(gateway: GatewayId, password: str) -> Account:
    """A kit gateway: its own lanes and nothing else."""
    return Account(
        name=gateway,
        password=password,
        writes=tuple(topic(gateway, lane) for lane in (Lane.READINGS, Lane.FRAMES, Lane.STATUS)),
        reads=tuple(topic(gateway, lane) for lane in (Lane.RECEIPTS, Lane.COMMANDS)),
    )


def script_account(gateway: GatewayId, password: str) -> Account:
    """The gateway of scripts: may publish readings in any gateway's name, so that the server's own check is seen."""
    own = gateway_account(gateway, password)
    return Account(
        name=own.name, password=password, writes=(*own.writes, every_gateway(Lane.READINGS)), reads=own.reads
    )


def server_account(password: str) -> Account:
    """The server: hears what gateways say, publishes receipts and commands."""
    return Account(
        name="varde-server",
        password=password,
        writes=tuple(every_gateway(lane) for lane in (Lane.RECEIPTS, Lane.COMMANDS)),
        reads=(*(every_gateway(lane) for lane in (Lane.READINGS, Lane.FRAMES, Lane.STATUS)), "$SYS/#"),
    )


def mosquitto_path() -> str | None:
    """Where Mosquitto is, None when it is not installed."""
    return shutil.which("mosquitto", path=_SEARCH)


def mosquitto_command(program: str, folder: Path, port: int, accounts: Sequence[Account]) -> list[str]:
    """Write Mosquitto's files into `folder` and say how to start it on loopback."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    _private(folder / "passwords", _password_lines(accounts))
    _private(folder / "acl", acl_lines(accounts))
    lines = mosquitto_lines(str(folder), str(data), [f"listener {port} 127.0.0.1"])
    if os.geteuid() == 0:
        lines.append("user root")  # else it becomes an account that may not enter the demo's folder
    return [program, "-c", str(_private(folder / "mosquitto.conf", lines))]


def mosquitto_lines(folder: str, data: str, listener: Sequence[str]) -> list[str]:
    """Mosquitto's configuration wherever Varde uses it, with `passwords` and `acl` beside it in `folder`."""
    return [
        *listener,
        "allow_anonymous false",
        f"password_file {folder}/passwords",
        f"acl_file {folder}/acl",
        f"max_queued_messages {_QUEUED_MAX}",
        f"max_inflight_messages {_INFLIGHT_MAX}",
        "set_tcp_nodelay true",
        "persistence true",
        f"persistence_location {data}/",
        "autosave_on_changes true",
        "autosave_interval 1000",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
    ]


def amqtt_command(folder: Path, port: int, accounts: Sequence[Account]) -> list[str]:
    """Write the stand-in's settings into `folder` and say how to start it."""
    settings = _private(folder / "amqtt.json", [_amqtt_settings(port, accounts)])
    return [sys.executable, "-m", "varde.demo.amqtt_broker", str(settings)]


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_open(port: int, within_s: float) -> bool:
    """Whether somebody accepts connections on the loopback `port` within the given real time."""
    deadline = monotonic() + within_s
    while monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0):
                return True
        except OSError:
            sleep(0.05)
    return False


def _amqtt_settings(port: int, accounts: Sequence[Account]) -> str:
    return json.dumps(
        {
            "port": port,
            "accounts": {
                account.name: {"password": account.password, "writes": account.writes, "reads": account.reads}
                for account in accounts
            },
        }
    )


def acl_lines(accounts: Sequence[Account]) -> list[str]:
    """Mosquitto's ACL file for these accounts."""
    lines: list[str] = []
    for account in accounts:
        lines.append(f"user {account.name}")
        lines += [f"topic write {each}" for each in account.writes]
        lines += [f"topic read {each}" for each in account.reads]
    return lines


def _password_lines(accounts: Sequence[Account]) -> list[str]:
    return [f"{account.name}:{_password_hash(account.password)}" for account in accounts]


def _password_hash(password: str) -> str:
    """As `mosquitto_passwd` writes it ($7$: PBKDF2 with SHA-512), which is not installed with every Mosquitto."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ROUNDS)
    return f"$7${_PBKDF2_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _private(path: Path, lines: Sequence[str]) -> Path:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("\n".join(lines) + "\n")
    return path


def environment_of(account: Account) -> Mapping[str, str]:
    """The server's account as its settings read it."""
    return {"VARDE_MQTT_USERNAME": account.name, "VARDE_MQTT_PASSWORD": account.password}
