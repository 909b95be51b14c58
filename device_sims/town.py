"""The town file, as far as pretending needs it: homes, their devices, and who measures with which."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from device_sims.frames import KINDS
from device_sims.scenario import Scenario, ScenarioError, load

_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")
PASSKEY_MAX = 999_999  # six digits
AWAKE_MAX_S = 86_400
_NAME = re.compile(r"[a-z0-9-]{1,40}")


class TownError(ValueError):
    """The town file cannot be used; the message names file, key and reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TownDevice:
    """One device of a home.

    `passkey` is what its display shows while it bonds; `awake_s` how long it waits for a gateway after a measurement
    (None: until one came).
    """

    address: str
    kind: str
    model: str
    public: bool
    bonded: bool
    passkey: int | None = None
    awake_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TownPerson:
    """Somebody who measures with `devices` (addresses in the same home)."""

    key: str
    scenario: Scenario
    seed: int
    devices: tuple[str, ...]
    zone: ZoneInfo
    baselines: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TownHome:
    """One home: one radio, one gateway."""

    name: str
    gateway: str
    devices: tuple[TownDevice, ...]
    persons: tuple[TownPerson, ...]


def read_town(path: Path) -> tuple[TownHome, ...]:
    """The homes in the file; keys that only others need are left alone. Raises `TownError`."""
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise TownError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TownError(f"{path}: not TOML: {error}") from None
    try:
        homes = tuple(_home(each, f"home {number}") for number, each in enumerate(_list(table, "home", "file"), 1))
        _check_unique(homes)
    except TownError as error:
        raise TownError(f"{path}: {error}") from None
    return homes


def _home(table: Mapping[str, Any], where: str) -> TownHome:
    name = _text(table, "name", where)
    if not _NAME.fullmatch(name):
        raise TownError(f"{where}, name: {name!r} must be small letters, digits and hyphens, at most 40")
    where = f"home {name}"
    devices = tuple(
        _device(each, f"{where}, device {number}") for number, each in enumerate(_list(table, "device", where), 1)
    )
    addresses = {device.address for device in devices}
    persons = tuple(
        _person(each, f"{where}, person {number}", addresses)
        for number, each in enumerate(_list(table, "person", where, needed=False), 1)
    )
    return TownHome(name=name, gateway=_text(table, "gateway", where), devices=devices, persons=persons)


def _device(table: Mapping[str, Any], where: str) -> TownDevice:
    address = _text(table, "address", where).upper()
    if not _ADDRESS.fullmatch(address):
        raise TownError(f"{where}, address: {address!r} is not a Bluetooth address such as C0:FF:EE:00:00:01")
    kind = _text(table, "kind", where)
    if kind not in KINDS:
        raise TownError(f"{where}, kind: {kind!r} is unknown; known: {', '.join(KINDS)}")
    public = _truth(table, "public", where)
    if not public and int(address[:2], 16) >> 6 != 0b11:
        raise TownError(f"{where}, address: {address} is not public, so its first two bits must be 1 (C0 to FF)")
    bonded = _truth(table, "bonded", where)
    passkey = _number(table, "passkey", where, PASSKEY_MAX)
    if passkey is not None and not bonded:
        raise TownError(f"{where}, passkey: only a bonded device asks for one")
    return TownDevice(
        address=address,
        kind=kind,
        model=_text(table, "model", where),
        public=public,
        bonded=bonded,
        passkey=passkey,
        awake_s=_number(table, "awake_s", where, AWAKE_MAX_S),
    )


def _person(table: Mapping[str, Any], where: str, addresses: set[str]) -> TownPerson:
    key = _text(table, "key", where)
    where = f"{where} ({key})"
    try:
        scenario = load(_text(table, "scenario", where))
    except ScenarioError as error:
        raise TownError(f"{where}, scenario: {error}") from None
    seed = table.get("seed")
    if type(seed) is not int:
        raise TownError(f"{where}, seed: must be a whole number")
    devices = tuple(str(each).upper() for each in _list(table, "devices", where))
    for address in devices:
        if address not in addresses:
            raise TownError(f"{where}, devices: {address} is not a device of this home")
    zone = _text(table, "timezone", where)
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise TownError(f"{where}, timezone: {zone!r} is unknown") from None
    return TownPerson(
        key=key, scenario=scenario, seed=seed, devices=devices, zone=place, baselines=_baselines(table, where)
    )


def _baselines(table: Mapping[str, Any], where: str) -> tuple[tuple[str, Decimal], ...]:
    given = table.get("baseline", {})
    if not isinstance(given, dict) or not all(isinstance(each, int | float) for each in given.values()):
        raise TownError(f"{where}, baseline: must be a table of metric and number")
    return tuple((metric, Decimal(str(value))) for metric, value in given.items())


def _check_unique(homes: tuple[TownHome, ...]) -> None:
    seen: set[str] = set()
    for home in homes:
        for name in (home.name, *(device.address for device in home.devices)):
            if name in seen:
                raise TownError(f"home {home.name}: {name} is there twice")
            seen.add(name)


def _list(table: Mapping[str, Any], key: str, where: str, *, needed: bool = True) -> list[Any]:
    found = table.get(key, [])
    if not isinstance(found, list) or (needed and not found):
        raise TownError(f"{where}, {key}: must be a list with at least one entry" if needed else f"{where}, {key}")
    return found


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise TownError(f"{where}, {key}: {'missing' if value is None else 'must be a text'}")
    return value


def _number(table: Mapping[str, Any], key: str, where: str, most: int) -> int | None:
    value = table.get(key)
    if value is not None and (type(value) is not int or not 0 < value <= most):
        raise TownError(f"{where}, {key}: must be a whole number from 1 to {most}")
    return value


def _truth(table: Mapping[str, Any], key: str, where: str) -> bool:
    value = table.get(key)
    if not isinstance(value, bool):
        raise TownError(f"{where}, {key}: {'missing' if value is None else 'must be true or false'}")
    return value
