"""The town file as values: who is enrolled, which kit stands where."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from vitals.reading import DeviceId, GatewayId
from vitals.topics import gateway_id

TOWN_FILE = Path(__file__).with_name("town.toml")


class TownError(ValueError):
    """The town file contradicts itself; says which entry and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KitDevice:
    """A device in a home; `script`: nobody measures with it, scripts speak for it."""

    address: DeviceId
    kind: str
    model: str | None
    script: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home and its one gateway; `name` is also that of its air."""

    name: str
    label: str
    gateway: GatewayId
    devices: tuple[KitDevice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    key: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A patient. `facts` are a plan's patient facts, `rules` the individual limits, as in a story file."""

    key: str
    name: str
    national_id: str
    born: date
    rulebook: str
    devices: tuple[DeviceId, ...]
    matters: str
    facts: Mapping[str, Any]
    rules: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """Everybody and everything; `texts` are the zone texts by rulebook, then zone."""

    municipality: str
    number: str
    team: str
    timezone: str
    hours: str
    outside: str
    staff: tuple[StaffMember, ...]
    homes: tuple[Home, ...]
    script_gateway: GatewayId
    residents: tuple[Resident, ...]
    texts: Mapping[str, Mapping[str, str]]

    def home_of(self, address: DeviceId) -> Home:
        """Where the device stands."""
        return next(home for home in self.homes if any(device.address == address for device in home.devices))

    def script_devices(self) -> tuple[KitDevice, ...]:
        """The devices that scripts speak for, in the file's order."""
        return tuple(device for home in self.homes for device in home.devices if device.script)

    def resident_with(self, address: DeviceId) -> Resident:
        """Whose device it is."""
        return next(resident for resident in self.residents if address in resident.devices)


def read_town(path: Path = TOWN_FILE) -> Town:
    """The town in a file; raises `TownError`, or KeyError naming what is missing."""
    body = tomllib.loads(path.read_text(), parse_float=Decimal)
    town = Town(
        municipality=body["municipality"]["name"],
        number=body["municipality"]["number"],
        team=body["team"]["name"],
        timezone=body["team"]["timezone"],
        hours=body["team"]["hours"],
        outside=body["team"]["outside"],
        staff=tuple(StaffMember(**each) for each in body["staff"]),
        homes=tuple(_home(each) for each in body["home"]),
        script_gateway=gateway_id(body["script"]["gateway"]),
        residents=tuple(_resident(each) for each in body["patient"]),
        texts=body["texts"],
    )
    _check(town)
    return town


def _home(body: Mapping[str, Any]) -> Home:
    devices = tuple(
        KitDevice(
            address=DeviceId(each["address"]),
            kind=each["kind"],
            model=each.get("model"),
            script=each.get("script", False),
        )
        for each in body["device"]
    )
    return Home(name=body["name"], label=body["label"], gateway=gateway_id(body["gateway"]), devices=devices)


def _resident(body: Mapping[str, Any]) -> Resident:
    return Resident(
        key=body["key"],
        name=body["name"],
        national_id=body["national_id"],
        born=body["born"],
        rulebook=body["rulebook"],
        devices=tuple(DeviceId(each) for each in body["devices"]),
        matters=body["matters"],
        facts=body.get("facts", {}),
        rules=body.get("rules", {}),
    )


def _check(town: Town) -> None:
    present = [device.address for home in town.homes for device in home.devices]
    assigned = [address for resident in town.residents for address in resident.devices]
    if sorted(present) != sorted(set(present)) or sorted(assigned) != sorted(present):
        raise TownError("every device must stand in one home and belong to one patient")
    for resident in town.residents:
        if resident.rulebook not in town.texts:
            raise TownError(f"patient {resident.key}: rulebook {resident.rulebook!r} has no zone texts")
