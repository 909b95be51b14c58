"""`varde doctor`: look at this installation and say in sentences what is wrong with it."""

import argparse
import importlib.util
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from varde.demo.broker import mosquitto_path
from varde.demo.folder import default_folder

_PARTS = (
    # what it is for, modules that must be importable, extra that brings them
    ("gateway", ("bleak", "paho.mqtt"), "gateway"),
    ("server", ("fastapi", "sqlalchemy", "alembic", "jinja2", "uvicorn", "apscheduler", "cryptography"), "server"),
    ("virtual devices", ("bumble",), "sims"),
)
_ASSETS = Path("server") / "web" / "static" / "vendor"


class Verdict(StrEnum):
    """How bad it is."""

    FINE = "fine"
    NOTE = "note"  # works, with a limit worth knowing
    WRONG = "wrong"  # something asked for will not work


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at; `words` say what was seen and, unless fine, what to do."""

    what: str
    verdict: Verdict
    words: str


def main(argv: Sequence[str]) -> int:
    """Print a line for everything looked at; returns 1 when something is wrong, else 0."""
    parser = argparse.ArgumentParser(prog="varde doctor", description="Check this installation.")
    parser.add_argument("--data", type=Path, default=default_folder(), help="the folder of a demo or server")
    findings = examine(parser.parse_args(argv).data.expanduser().absolute())
    for finding in findings:
        print(f"{finding.verdict:5} {finding.what}: {finding.words}")  # noqa: T201 - a command's output
    return exit_code(findings)


def examine(data: Path) -> tuple[Finding, ...]:
    """Everything the doctor looks at; `data` is the folder that a demo or server would use."""
    return (
        _python(),
        *_parts(),
        _broker(),
        _assets(),
        _data_folder(data),
        _notices(),
        _loopback(),
        _bluetooth(),
    )


def exit_code(findings: Sequence[Finding]) -> int:
    """1 when something is wrong, else 0."""
    return int(any(finding.verdict is Verdict.WRONG for finding in findings))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(what="Python", verdict=Verdict.FINE, words=f"{version} at {sys.executable}")


def _parts() -> tuple[Finding, ...]:
    return tuple(_part(what, modules, extra) for what, modules, extra in _PARTS)


def _part(what: str, modules: Sequence[str], extra: str) -> Finding:
    missing = [name for name in modules if not _importable(name)]
    if not missing:
        return Finding(what=what, verdict=Verdict.FINE, words="its libraries are installed")
    if len(missing) == len(modules):  # a gateway in a home has no server, and the other way round
        return Finding(what=what, verdict=Verdict.NOTE, words=f"not installed here; pip install 'varde[{extra}]'")
    words = f"{', '.join(missing)} missing; pip install 'varde[{extra}]'"
    return Finding(what=what, verdict=Verdict.WRONG, words=words)


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the package above it is missing
        return False


def _broker() -> Finding:
    program = mosquitto_path()
    if program:
        return Finding(what="broker", verdict=Verdict.FINE, words=f"Mosquitto at {program}")
    if _importable("amqtt"):
        words = "no Mosquitto; the demo falls back to amqtt, which can lose messages (receipts make that harmless)"
        return Finding(what="broker", verdict=Verdict.NOTE, words=words)
    if not _importable("fastapi"):  # a gateway uses a broker elsewhere
        return Finding(what="broker", verdict=Verdict.NOTE, words="none on this machine")
    words = "neither Mosquitto nor amqtt; apt install mosquitto, or pip install 'varde[demo]'"
    return Finding(what="broker", verdict=Verdict.WRONG, words=words)


def _assets() -> Finding:
    if not _importable("fastapi"):
        return Finding(what="pages", verdict=Verdict.NOTE, words="no server installed here")
    vendor = Path(__file__).parent.parent / _ASSETS
    if vendor.is_dir() and any(vendor.iterdir()):
        return Finding(what="pages", verdict=Verdict.FINE, words=f"styles and scripts in {vendor}")
    return Finding(what="pages", verdict=Verdict.WRONG, words=f"{vendor} is empty: pages have no style; run make setup")


def _data_folder(data: Path) -> Finding:
    place = next(each for each in (data, *data.parents) if each.exists())
    if os.access(place, os.W_OK | os.X_OK) and place.is_dir():
        return Finding(what="data", verdict=Verdict.FINE, words=f"{data} can be written")
    return Finding(what="data", verdict=Verdict.WRONG, words=f"{place} cannot be written; choose another with --data")


def _notices() -> Finding:
    """How people would be told, by the settings in the environment."""
    if not _importable("fastapi"):
        return Finding(what="notices", verdict=Verdict.NOTE, words="no server installed here")
    from server.settings import SettingsError, settings_from  # a gateway's doctor must do without it

    try:
        settings = settings_from({})
    except SettingsError as error:
        return Finding(what="notices", verdict=Verdict.WRONG, words=f"settings: {error}")
    ways = [("mail", settings.smtp_host), ("text messages", settings.webhook_url), ("browsers", settings.push_contact)]
    found = [way for way, place in ways if place is not None]
    if not found:
        words = "written to the log, which wakes nobody; set VARDE_SMTP_HOST or VARDE_WEBHOOK_URL for real use"
        return Finding(what="notices", verdict=Verdict.NOTE, words=words)
    if settings.public_url is None:
        words = f"by {' and '.join(found)}, without a link; set VARDE_PUBLIC_URL"
        return Finding(what="notices", verdict=Verdict.NOTE, words=words)
    return Finding(what="notices", verdict=Verdict.FINE, words=f"by {' and '.join(found)}")


def _loopback() -> Finding:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 0))
        except OSError as error:
            return Finding(what="network", verdict=Verdict.WRONG, words=f"no port on 127.0.0.1: {error.strerror}")
    return Finding(what="network", verdict=Verdict.FINE, words="127.0.0.1 has free ports")


def _bluetooth() -> Finding:
    adapters = Path("/sys/class/bluetooth")
    found = sorted(each.name for each in adapters.iterdir()) if adapters.is_dir() else []
    if found:
        return Finding(what="Bluetooth", verdict=Verdict.FINE, words=", ".join(found))
    words = "no adapter on this machine; only a real gateway needs one, the demo brings a virtual radio"
    return Finding(what="Bluetooth", verdict=Verdict.NOTE, words=words)
