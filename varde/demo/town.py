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
class Kin:
    """Somebody close to the patient of this key; `shares` as `server.own_rows.Share` has them."""

    key: str
    patient: str
    name: str
    relation: str
    phone: str
    shares: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message about the patient of this key, written so many minutes before the demo began."""

    patient: str
    by: str
    minutes: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpareKit:
    """A kit that nobody has."""

    label: str
    gateway: GatewayId
    devices: tuple[KitDevice, ...]


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
    phone: str
    phone_after_hours: str
    kin: tuple[Kin, ...]
    messages: tuple[Said, ...]
    spares: tuple[SpareKit, ...]

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
        phone=body["team"]["phone"],
        phone_after_hours=body["team"]["phone_after_hours"],
        kin=tuple(Kin(**{**each, "shares": tuple(each["shares"])}) for each in body.get("kin", ())),
        messages=tuple(Said(**each) for each in body.get("message", ())),
        spares=tuple(_spare(each) for each in body.get("spare", ())),
    )
    _check(town)
    return town


def _home(body: Mapping[str, Any]) -> Home:
    devices = tuple(_device(each) for each in body["device"])
    return Home(name=body["name"], label=body["label"], gateway=gateway_id(body["gateway"]), devices=devices)


def _spare(body: Mapping[str, Any]) -> SpareKit:
    devices = tuple(_device(each) for each in body["devices"])
    return SpareKit(label=body["label"], gateway=gateway_id(body["gateway"]), devices=devices)


def _device(body: Mapping[str, Any]) -> KitDevice:
    return KitDevice(
        address=DeviceId(body["address"]),
        kind=body["kind"],
        model=body.get("model"),
        script=body.get("script", False),
    )


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
    patients = {resident.key for resident in town.residents}
    named = {each.patient for each in town.kin} | {each.patient for each in town.messages}
    if named - patients:
        raise TownError(f"{', '.join(sorted(named - patients))}: no patient has this key")
    for resident in town.residents:
        if resident.rulebook not in town.texts:
            raise TownError(f"patient {resident.key}: rulebook {resident.rulebook!r} has no zone texts")
