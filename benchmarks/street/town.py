"""A made-up municipality by the thousand: each patient with a gateway and a device, a plan of the covid19 rulebook.

Rows are loaded in bulk, straight into the tables; what the rules remember of the past is made by the product's own
`evaluate`. Nobody in it exists. Time stands at `NOW`: between two slots of the plan, so that nobody is just late.
"""

import hashlib
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection

from alerts import rulebook
from alerts.plan import Plan, to_mapping
from benchmarks.street.mqtt import publication
from server.access import Role
from server.care import people
from server.care.people import Person
from server.db import tables
from server.db.bulk import add
from server.vault import Vault
from vitals.reading import ClockSource, DeviceId, GatewayId, Measurement, Reading, ReadingId
from vitals.seal import seal
from vitals.topics import Lane, topic
from vitals.wire import render_reading

NOW = datetime(2026, 3, 16, 10, 35, tzinfo=UTC)  # 11:35 in Oslo
DAYS = 14
PLAN_START = NOW - timedelta(days=DAYS) + timedelta(hours=4)  # the rulebook ends by itself after 14 days
_SLOT_HOURS = (7, 13, 19)  # UTC; 08:00, 14:00 and 20:00 in Oslo
_NAMESPACE = UUID("9d3f1c52-55c2-4d0e-8f0b-1f7f7a0b6a11")
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """Ids of what belongs to all."""

    municipality: str
    team: str
    nurse: str


def patient_id(number: int) -> str:
    """The id of patient `number`."""
    return f"patient-{number:06}"


def gateway_id(number: int) -> GatewayId:
    """The id of the gateway in the home of patient `number`."""
    return GatewayId(f"gw-{number:06}")


def address(number: int) -> DeviceId:
    """The address of the device of patient `number`."""
    digits = f"{number:06X}"
    return DeviceId(f"02:00:00:{digits[:2]}:{digits[2:4]}:{digits[4:]}")


@lru_cache(maxsize=100_000)
def key_of(number: int) -> bytes:
    """The key of gateway `number`."""
    return hashlib.sha256(f"benchmark gateway {number}".encode()).digest()


def reading(number: int, taken_at: datetime, values: Mapping[str, Decimal], mark: object = "") -> Reading:
    """A reading of patient `number`; the same arguments give the same id."""
    return Reading(
        id=ReadingId(str(uuid5(_NAMESPACE, f"{number} {taken_at.isoformat()} {mark}"))),
        device=address(number),
        taken_at=taken_at,
        clock=ClockSource.DEVICE,
        measurements=tuple(Measurement(metric=name, value=value) for name, value in sorted(values.items())),
        battery=80,
    )


def packet(number: int, made: Reading, place: int, qos: int = 1) -> bytes:
    """The reading sealed and ready to publish; `place` becomes the packet's number."""
    where = topic(gateway_id(number), Lane.READINGS)
    return publication(where, seal(key_of(number), where, render_reading(made)), place, qos)


def ordinary(chance: random.Random) -> dict[str, Decimal]:
    """Values that worry nobody."""
    return {"spo2": Decimal(chance.randint(95, 98)), "pulse": Decimal(chance.randint(62, 88))}


def worrying(chance: random.Random) -> dict[str, Decimal]:
    """Values that raise an alert at once."""
    return {"spo2": Decimal(chance.randint(80, 86)), "pulse": Decimal(chance.randint(70, 95))}


def settle(connection: Connection, vault: Vault, count: int, *, plans: bool) -> Town:
    """The municipality with `count` patients, their kits and, if wanted, their plans."""
    born = PLAN_START - timedelta(days=1)
    municipality = people.enrol_municipality(connection, "Målevik", "9990", born)
    team = people.create_team(connection, municipality, "Målevik oppfølging")
    nurse = people.employ(connection, vault, team, Role.NURSE, Person(name="Nora Nattevakt"))
    town = Town(municipality=municipality, team=team, nurse=nurse)
    for rows, table in (
        (_persons(vault, town, count), tables.person),
        (_patients(town, count, born), tables.patient),
        (_enrolments(town, count, born), tables.enrolment),
        (_gateways(vault, town, count, born), tables.gateway),
        (_statuses(town, count), tables.gateway_status),
        (_devices(town, count), tables.device),
        (_assignments(town, count, born), tables.assignment),
    ):
        _add(connection, table, rows)
    if plans:
        _add(connection, tables.plan_version, _plans(town, count))
    return town


def plan() -> Plan:
    """The plan of everybody: the shipped rulebook, whole."""
    facts = {"age": 71}
    settings = {
        "plan_id": "plan",
        "facts": facts,
        "timezone": "Europe/Oslo",
        "starts_at": PLAN_START.isoformat(),
    }
    return rulebook.draft(rulebook.load("covid19"), settings)


def history(number: int, until: datetime, *, ends_badly: bool = False) -> Iterator[Reading]:
    """What patient `number` measured since the plan began: oximeter three times a day, thermometer in the morning.

    `ends_badly`: with a value, a minute ago, that raises an alert.
    """
    chance = random.Random(f"history {number}")
    day = PLAN_START.replace(hour=0, minute=0)
    while day < until:
        for hour in _SLOT_HOURS:
            at = day + timedelta(hours=hour, minutes=chance.randint(0, 59))
            values = ordinary(chance)
            if hour == _SLOT_HOURS[0]:
                values["temperature"] = Decimal(chance.randint(364, 372)) / 10
            if PLAN_START <= at < until:
                yield reading(number, at, values)
        day += timedelta(days=1)
    if ends_badly:
        yield reading(number, until - timedelta(minutes=1), worrying(chance))


def remember(
    connection: Connection,
    town: Town,
    numbers: Sequence[tuple[int, datetime]],
    ill: Collection[int] = (),
    after: int = 0,
) -> int:
    """Store the histories of these patients, each up to its moment, as if they had come one by one. How many.

    Those of the `ill` end badly; rows are numbered from `after` on.
    """
    made = [(number, each) for number, until in numbers for each in history(number, until, ends_badly=number in ill)]
    made.sort(key=lambda one: one[1].taken_at)
    numbered = [(seq, number, each) for seq, (number, each) in enumerate(made, after + 1)]
    _add(connection, tables.reading, (_reading_row(town, *each) for each in numbered))
    _add(connection, tables.measurement, (row for each in numbered for row in _value_rows(town, *each)))
    return len(made)


def _add(connection: Connection, table: Any, rows: Any) -> None:
    part: list[Mapping[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == _AT_ONCE:
            add(connection, table, part)
            part = []
    add(connection, table, part)


def _reading_row(town: Town, seq: int, number: int, made: Reading) -> dict[str, Any]:
    return {
        "seq": seq,
        "id": made.id,
        "municipality_id": town.municipality,
        "gateway_id": gateway_id(number),
        "patient_id": patient_id(number),
        "unclaimed": None,
        "device": made.device,
        "model": None,
        "taken_at": made.taken_at,
        "received_at": made.taken_at + timedelta(seconds=20),
        "clock": made.clock.value,
        "offset_s": 0,
        "quality": made.quality.value,
        "flags": [],
        "battery": made.battery,
    }


def _value_rows(town: Town, seq: int, number: int, made: Reading) -> Iterator[dict[str, Any]]:
    for each in made.measurements:
        yield {
            "reading_seq": seq,
            "metric": each.metric,
            "municipality_id": town.municipality,
            "patient_id": patient_id(number),
            "taken_at": made.taken_at,
            "value": each.value,
        }


def _persons(vault: Vault, town: Town, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        name = vault.close(f"Innbygger {number}")
        yield {
            "id": f"person-{number:06}",
            "municipality_id": town.municipality,
            "name": name,
            "national_id": None,
        }


def _patients(town: Town, count: int, born: datetime) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": patient_id(number),
            "municipality_id": town.municipality,
            "person_id": f"person-{number:06}",
            "timezone": "Europe/Oslo",
            "matters": None,
            "created_at": born,
        }


def _enrolments(town: Town, count: int, born: datetime) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": f"enrolment-{number:06}",
            "municipality_id": town.municipality,
            "patient_id": patient_id(number),
            "team_id": town.team,
            "state": "active",
            "replaces": None,
            "starts_at": born,
            "ends_at": None,
        }


def _gateways(vault: Vault, town: Town, count: int, born: datetime) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": gateway_id(number),
            "municipality_id": town.municipality,
            "key": vault.close(key_of(number).hex()),
            "created_at": born,
        }


def _statuses(town: Town, count: int) -> Iterator[dict[str, Any]]:
    """Every device was heard a moment ago, so that nobody looks for one that is silent. No gateway says more than that:
    as one that is online would be waited for, they are not.
    """
    for number in range(count):
        yield {
            "gateway_id": gateway_id(number),
            "municipality_id": town.municipality,
            "online": False,
            "heard": {address(number): NOW.isoformat()},
            "versions": {},
            "received_at": NOW,
        }


def _devices(town: Town, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": f"device-{number:06}",
            "municipality_id": town.municipality,
            "address": address(number),
            "kind": "oximeter",
            "model": None,
        }


def _assignments(town: Town, count: int, born: datetime) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": f"assignment-{number:06}",
            "municipality_id": town.municipality,
            "device_id": f"device-{number:06}",
            "patient_id": patient_id(number),
            "gateway_id": gateway_id(number),
            "starts_at": born,
            "ends_at": None,
        }


def _plans(town: Town, count: int) -> Iterator[dict[str, Any]]:
    made = plan()
    body = to_mapping(made)
    for number in range(count):
        yield {
            "id": f"plan-{number:06}",
            "municipality_id": town.municipality,
            "patient_id": patient_id(number),
            "version": made.version,
            "state": "active",
            "rulebook": made.rulebook,
            "rulebook_version": made.rulebook_version,
            "body": body,
            "active_from": PLAN_START,
            "approved_by": town.nurse,
        }
