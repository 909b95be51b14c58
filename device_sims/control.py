"""Speaking with a running air: is it there, and please let this device say these bytes.

One request a connection: a line of JSON over the unix socket `DIR/air.sock`, a line of JSON back. Light on purpose:
who only asks loads no radio.
"""

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOCKET = "air.sock"
LINE_BYTES_MAX = 16_384
_STOPPED = b'{"ok": false, "error": "the air was stopped before it could answer"}'
_PING_S = 2.0
_MARGIN_S = 10.0  # the air answers by itself when a record is not fetched in time


class ControlError(RuntimeError):
    """The air is not running or refuses; the message is for the person who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Bytes for a device to say. `cut`: lose the link once, after the indication and before its confirmation."""

    address: str
    frame: bytes
    characteristic: str | None = None
    cut: bool = False
    wait_s: float = 60.0


def default_data() -> Path:
    """The data folder meant when none is named: $VARDE_DATA, else that of the air that runs; raises `ControlError`."""
    named = os.environ.get("VARDE_DATA")
    if named:
        return Path(named)
    try:
        return Path(pointer().read_text().strip())
    except OSError:
        raise ControlError(
            "no demo is running here: start one with `varde demo`, or name its folder with --data DIR"
        ) from None


def pointer() -> Path:
    """Where a running air notes its data folder (XDG Base Directory)."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "varde" / "air"


def is_running(data: Path) -> bool:
    """Whether an air serves this data folder and answers."""
    try:
        return bool(_ask(data, {"do": "ping"}, _PING_S).get("ok"))
    except ControlError:
        return False


def send(data: Path, order: Send) -> str:
    """What happened, in a sentence, once the device has handed the record over; raises `ControlError`."""
    request = {
        "do": "send",
        "address": order.address,
        "frame": order.frame.hex(),
        "characteristic": order.characteristic,
        "cut": order.cut,
        "wait_s": order.wait_s,
    }
    answer = _ask(data, request, order.wait_s + _MARGIN_S)
    if not answer.get("ok"):
        raise ControlError(str(answer.get("error", "the air gave no reason")))
    return str(answer["said"])


def _ask(data: Path, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    path = data / SOCKET
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout_s)
            line.connect(str(path))
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as stream:
                answer = json.loads(stream.readline(LINE_BYTES_MAX) or _STOPPED)
    except (FileNotFoundError, ConnectionRefusedError):
        raise ControlError(f"no demo is running on {data} (nothing listens on {path})") from None
    except (OSError, ValueError) as error:
        raise ControlError(f"the air on {data} did not answer: {error}") from None
    return answer if isinstance(answer, dict) else {}
