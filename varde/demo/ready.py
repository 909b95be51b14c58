"""Is the demo ready? Pages answer, the server has heard every gateway, and the air runs."""

import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from device_sims import control
from server.care.kits import connected_gateways
from server.db.engine import Database
from varde.demo.folder import Folder

_ANSWER_WITHIN_S = 2.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that must be so; `words` say how far it is."""

    name: str
    done: bool
    words: str


def look(url: str, folder: Folder, address: str, gateways: Sequence[str], since: datetime) -> tuple[Step, ...]:
    """How far everything is, in the order in which it usually comes; `since` is the demo's time at this start."""
    return (_server(url), _air(folder), _gateways(address, gateways, since))


def _server(url: str) -> Step:
    try:
        with _DIRECT.open(f"{url}/readyz", timeout=_ANSWER_WITHIN_S):
            return Step(name="server", done=True, words="ready")
    except urllib.error.HTTPError as error:
        error.close()
        return Step(name="server", done=False, words=f"/readyz answers {error.code}")
    except OSError:
        return Step(name="server", done=False, words="does not answer yet")


def _air(folder: Folder) -> Step:
    if control.is_running(folder.root):
        return Step(name="air", done=True, words="the virtual radio runs")
    return Step(name="air", done=False, words="the virtual radio does not answer yet")


def _gateways(address: str, wanted: Sequence[str], since: datetime) -> Step:
    database = Database(address)
    try:
        with database.read() as connection:
            missing = sorted(set(wanted) - connected_gateways(connection, since))
    finally:
        database.close()
    if missing:
        return Step(name="gateways", done=False, words=f"not connected yet: {', '.join(missing)}")
    return Step(name="gateways", done=True, words=f"all {len(wanted)} connected")
