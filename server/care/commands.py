"""What people ask of a gateway: a pairing window, a new measurement, another list of devices.

A command is a row; whoever is connected to the broker sends it after the COMMIT (`ingest/commands.py`). Nothing of a
patient is in it: addresses, kinds and models of devices, and the wall clock that they show.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, and_, insert, or_, select

from server import audit
from server.access import Action, Actor, require, scope
from server.care.people import NotFoundError
from server.db import tables
from server.vault import Vault

WINDOW_S = 120
WINDOW_MAX_S = 600
PASSKEY_MAX = 999_999


class Kind(StrEnum):
    """What can be asked."""

    PAIRING_WINDOW = "pairing_window"
    MEASURE_AGAIN = "measure_again"
    CONFIGURATION = "configuration"


# How long it is worth obeying: a person stands beside the device, a nurse waits for the value, or nobody waits.
WORTH = {
    Kind.PAIRING_WINDOW: timedelta(minutes=10),
    Kind.MEASURE_AGAIN: timedelta(minutes=30),
    Kind.CONFIGURATION: timedelta(days=7),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks of a gateway; `device` is an address, `passkey` what the device shows."""

    gateway: str
    kind: Kind
    device: str | None = None
    seconds: int = WINDOW_S
    passkey: int | None = field(default=None, repr=False)


class WishError(ValueError):
    """It cannot be asked so; `field` says what is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


def ask(connection: Connection, vault: Vault, actor: Actor, wish: Wish, now: datetime) -> str:
    """Write the command down to be sent, and that it was asked; returns its id.

    Raises `NotFoundError` for a gateway or device that the actor may not know of, `WishError`.
    """
    municipality = _municipality(connection, actor, wish.gateway)
    if wish.kind is Kind.CONFIGURATION:
        require(actor, Action.CHANGE_KITS)  # the list names the devices of whoever else the gateway hears
    devices = held_devices(connection, actor, wish.gateway, now)
    body = _body(wish, devices)
    command, expires_at = str(uuid4()), now + WORTH[wish.kind]
    address = None if wish.device is None else wish.device.upper()
    said = {"id": command, "expires_at": expires_at.isoformat(), "kind": wish.kind.value, **body}
    row = {
        "id": command,
        "municipality_id": municipality,
        "gateway_id": wish.gateway,
        "kind": wish.kind.value,
        "device": address,
        "body": vault.close(json.dumps(said, separators=(",", ":"))),
        "asked_by": actor.id,
        "asked_at": now,
        "expires_at": expires_at,
    }
    connection.execute(insert(tables.gateway_command).values(row))
    patients = {each.patient_id for each in devices if each.address == address} or {None}
    for patient in sorted(patients, key=str):
        entry = audit.Entry(action=Action.COMMAND_KIT, patient=patient, subject=command)
        audit.write(connection, actor, entry, now)
    return command


def held_devices(connection: Connection, actor: Actor, gateway: str, now: datetime) -> list[Row[Any]]:
    """The devices that this gateway is to hear now, of patients whom the actor may know of: address, kind, model,
    their patient and his time zone."""
    held, device, patient = tables.assignment, tables.device, tables.patient
    current = and_(held.c.starts_at <= now, or_(held.c.ends_at.is_(None), held.c.ends_at > now))
    statement = (
        select(device.c.address, device.c.kind, device.c.model, held.c.patient_id, patient.c.timezone)
        .join(device, device.c.id == held.c.device_id)
        .join(patient, patient.c.id == held.c.patient_id)
        .where(held.c.gateway_id == gateway, current)
        .order_by(device.c.address)
    )
    return list(connection.execute(scope(statement, held, actor)))


def _municipality(connection: Connection, actor: Actor, gateway: str) -> str:
    table = tables.gateway
    known = select(table.c.municipality_id).where(table.c.id == gateway, table.c.active)
    found = connection.execute(scope(known, table, actor)).scalar()
    if found is None:
        raise NotFoundError("no such gateway")
    return str(found)


def _body(wish: Wish, devices: list[Row[Any]]) -> Mapping[str, Any]:
    if wish.kind is Kind.CONFIGURATION:
        if not devices:
            raise WishError("devices", "no device is assigned together with this gateway")
        return {"devices": [_device(each) for each in devices]}
    if wish.device is None or wish.device.upper() not in {each.address for each in devices}:
        raise WishError("device", "not one that is assigned together with this gateway")
    if wish.kind is Kind.MEASURE_AGAIN:
        return {"device": wish.device.upper()}
    if not 1 <= wish.seconds <= WINDOW_MAX_S:
        raise WishError("seconds", f"must be from 1 to {WINDOW_MAX_S}")
    if wish.passkey is not None and not 0 <= wish.passkey <= PASSKEY_MAX:
        raise WishError("passkey", "must be at most six digits")
    window: dict[str, Any] = {"device": wish.device.upper(), "seconds": wish.seconds}
    return window if wish.passkey is None else window | {"passkey": wish.passkey}


def _device(row: Row[Any]) -> dict[str, str]:
    known = {"address": row.address, "kind": row.kind, "timezone": row.timezone}
    return known if row.model is None else known | {"model": row.model}
