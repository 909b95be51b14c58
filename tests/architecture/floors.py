"""Imports go down, never sideways, never up; outside libraries enter by a named door."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import PACKAGES, Module, imports, modules, once

# Which packages of the house each may import. Nobody imports tests, tools or benchmarks.
MAY_IMPORT = {
    "vitals": frozenset[str](),
    "alerts": frozenset({"vitals"}),
    "gateway": frozenset({"vitals"}),
    "device_sims": frozenset({"vitals", "alerts", "gateway"}),
    "server": frozenset({"vitals", "alerts"}),
    "varde": frozenset({"vitals", "alerts", "gateway", "device_sims", "server"}),
}
NOT_FOR_PRODUCT = frozenset({"tests", "tools", "benchmarks"})

# Of the gateway the simulator may use the port alone: with its decoders, both could be wrong together.
SIMULATOR_MAY_USE = ("gateway.radio",)

# The rooms of the pages, each built on those before it. The first three know no table: rows reach them as values.
ROOMS = ("words", "views", "forms", "gathering", "frame", "api", "routes")
NO_TABLES = ROOMS[:3]
_SHOWS = "server.web."

# One file per outside library and package; a folder (ending in a slash) where the library is the material itself.
DOORS = {
    "alembic": ("server/db/",),
    "amqtt": ("varde/demo/",),
    "apscheduler": ("server/watch/ticker.py",),
    "babel": ("server/web/",),
    "bleak": ("gateway/radio_bleak.py", "device_sims/bleak_bumble.py"),
    "bumble": ("device_sims/",),
    "cryptography": ("server/",),
    "distributed": ("varde/cohort_dask.py",),
    "dbus_fast": ("gateway/bluez.py",),
    "fastapi": ("server/web/",),
    "jinja2": ("server/web/",),
    "paho": ("gateway/uplink.py", "server/ingest/mqtt.py", "server/ingest/client.py", "device_sims/fleet.py"),
    "prometheus_client": ("server/",),
    "pydantic": ("server/",),
    "pydantic_settings": ("server/settings.py",),
    "rich": ("varde/",),
    "psycopg": ("server/db/",),
    "segno": ("server/web/views/stickers.py",),
    "sqlalchemy": ("server/",),
    "starlette": ("server/web/",),
    "structlog": ("server/", "varde/"),
    "typer": ("varde/",),
    "uvicorn": ("server/", "varde/"),
}


def guard(root: Path) -> list[str]:
    return [problem for module in modules(root) for problem in _problems(module)]


@once
def _problems(module: Module) -> Iterator[str]:
    told: set[tuple[str, int]] = set()
    for name, line in imports(module):
        top = name.split(".")[0]
        problem = _house(module, name) if top in PACKAGES or top in NOT_FOR_PRODUCT else _outside(module, top)
        if problem and (top, line) not in told:
            told.add((top, line))
            yield f"{module.path}:{line}: {problem}"


def _house(module: Module, name: str) -> str | None:
    top = name.split(".")[0]
    if top == module.package:
        return _table(module, name) or _upstairs(module, name)
    if top not in MAY_IMPORT[module.package]:
        return f"{module.package} must not import {top}"
    if module.package == "device_sims" and top == "gateway":
        port = any(name == each or name.startswith(f"{each}.") for each in SIMULATOR_MAY_USE)
        return None if port or name == "gateway" else f"device_sims may use {SIMULATOR_MAY_USE[0]} only, not {name}"
    return None


def _table(module: Module, name: str) -> str | None:
    room = _room(module.path.replace("/", "."))
    if room not in NO_TABLES or not name.startswith(("server.db", "sqlalchemy")):
        return None
    return f"{_SHOWS}{room} must not import {name}: it knows no table"


def _upstairs(module: Module, name: str) -> str | None:
    room, wanted = _room(module.path.replace("/", ".")), _room(name)
    if room is None or wanted is None or ROOMS.index(wanted) <= ROOMS.index(room):
        return None
    return f"{_SHOWS}{room} must not import {_SHOWS}{wanted}, which is built on it"


def _room(name: str) -> str | None:
    room = name.removeprefix(_SHOWS).split(".")[0]
    return room if name.startswith(_SHOWS) and room in ROOMS else None


def _outside(module: Module, top: str) -> str | None:
    if top in sys.stdlib_module_names:
        return None
    if told := _table(module, top):
        return told
    if module.package in ("vitals", "alerts"):
        return f"{module.package} uses the standard library only, not {top}"
    if top not in DOORS:
        return f"{top} has no door in this house (tests/architecture/floors.py)"
    if any(module.path == door or (door.endswith("/") and module.path.startswith(door)) for door in DOORS[top]):
        return None
    return f"{top} enters by {' or '.join(DOORS[top])} only"
