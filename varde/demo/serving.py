"""The server's processes: one with every role on the embedded database, else at least one for each role."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.db.engine import is_embedded
from server.settings import RoleName
from varde.demo.broker import free_port
from varde.demo.children import Child

_ROLES = (RoleName.INGEST, RoleName.WATCH, RoleName.NOTIFY, RoleName.WEB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A server to be started: where its data and logs are, and the settings that all its processes share."""

    address: str  # of the database
    log: Path  # a folder
    environment: Mapping[str, str]
    twice: Sequence[RoleName] = ()  # roles of which two processes run, where roles have processes
    ends: int = 0


def children(serving: Serving) -> tuple[Child, ...]:
    """The processes, not started."""
    shared = {"VARDE_DATABASE": serving.address, **serving.environment}
    if is_embedded(serving.address):
        return (_child(serving, "server", RoleName.ALL, shared),)
    found: list[Child] = []
    for role in (*_ROLES, *serving.twice):
        before = sum(each.name.startswith(f"server-{role}") for each in found)
        name = f"server-{role}" + (f"-{before + 1}" if before else "")
        own = {"VARDE_MQTT_CLIENT_ID": f"varde-{name}"}  # two connections of one name would push each other out
        if role is RoleName.INGEST and role in serving.twice:
            own["VARDE_MQTT_SHARED"] = "true"
        if role is not RoleName.WEB:
            own["VARDE_METRICS_PORT"] = str(free_port())
        found.append(_child(serving, name, role, shared | own))
    return tuple(found)


def metrics(serving: Sequence[Child], web: str) -> list[str]:
    """Where each process says what it has counted; `web` is the address of the pages."""
    ports = [each.environment["VARDE_METRICS_PORT"] for each in serving if "VARDE_METRICS_PORT" in each.environment]
    return [f"{web}/metrics", *(f"http://127.0.0.1:{port}/metrics" for port in ports)]


def _child(serving: Serving, name: str, role: RoleName, environment: dict[str, str]) -> Child:
    return Child(
        name=name,
        command=[sys.executable, "-m", "varde", "server", "--role", role.value],
        log=serving.log / f"{name}.log",
        ends=serving.ends,
        environment=environment,
    )
