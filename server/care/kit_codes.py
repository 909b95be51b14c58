"""Kits with a sticker: a gateway and its devices under one random code, handed out to a patient together.

The code names nobody and opens nothing by itself: whoever scans or types it must be logged in and may hand out kits.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, and_, insert, or_, select

from server import audit
from server.access import Action, Actor, require, scope
from server.care.kits import AssignmentError, NewAssignment, assign, end_assignment
from server.care.people import NotFoundError
from server.db import tables

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is taken for another when it is read aloud
LENGTH = 8
LABEL_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device of a kit."""

    id: str
    address: str
    kind: str
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What stands on one sticker, and what belongs to it."""

    id: str
    code: str
    label: str
    gateway: str
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKit:
    """A kit to be put together of a gateway and devices (ids) of one municipality."""

    gateway: str
    label: str
    devices: tuple[str, ...]


def make_kit(connection: Connection, actor: Actor, new: NewKit, now: datetime) -> str:
    """Put a kit together; returns its code. Raises `RefusedError` and `NotFoundError`."""
    require(actor, Action.CHANGE_KITS)
    gateway, device, table = tables.gateway, tables.device, tables.kit
    known = scope(select(gateway.c.municipality_id).where(gateway.c.id == new.gateway), gateway, actor)
    municipality = connection.execute(known).scalar()
    own = select(device.c.id).where(device.c.id.in_(new.devices), device.c.municipality_id == municipality)
    found = set(connection.execute(scope(own, device, actor)).scalars())
    if municipality is None or not new.devices or found != set(new.devices):
        raise NotFoundError("no such gateway or device")
    kit = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "gateway_id": new.gateway,
        "code": "".join(secrets.choice(LETTERS) for _ in range(LENGTH)),
        "label": new.label,
        "created_at": now,
    }
    connection.execute(insert(table).values(kit))
    rows = [{"kit_id": kit["id"], "device_id": each, "municipality_id": municipality} for each in sorted(found)]
    connection.execute(insert(tables.kit_device), rows)
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_KITS, subject=str(kit["id"])), now)
    return str(kit["code"])


def as_read(typed: str) -> str:
    """A code as it was typed or scanned, without what people put in between."""
    return "".join(each for each in typed.upper() if each in LETTERS)


def find(connection: Connection, actor: Actor, typed: str) -> Kit:
    """The kit with this code; raises `NotFoundError`."""
    found = _kits(connection, actor, tables.kit.c.code == as_read(typed))
    if not found:
        raise NotFoundError("no such kit")
    return found[0]


def all_kits(connection: Connection, actor: Actor) -> Sequence[Kit]:
    """Every kit that the actor may know of, by its label."""
    return _kits(connection, actor, None)


def hand_out(connection: Connection, actor: Actor, kit: Kit, patient: str, now: datetime) -> None:
    """Give all of it to the patient from now on.

    Raises `NotFoundError` for a patient whom the actor may not know of, `AssignmentError` when somebody has any of it.
    """
    require(actor, Action.VISIT_HOME)
    table = tables.patient
    if connection.execute(scope(select(table.c.id).where(table.c.id == patient), table, actor)).first() is None:
        raise NotFoundError("no such patient")
    for each in kit.devices:
        new = NewAssignment(device=each.id, patient=patient, gateway=kit.gateway, starts_at=now)
        assign(connection, new, now)
    entry = audit.Entry(action=Action.VISIT_HOME, patient=patient, subject=kit.id)
    audit.write(connection, actor, entry, now)


def take_back(connection: Connection, actor: Actor, kit: Kit, patient: str, now: datetime) -> None:
    """Nothing of it is the patient's from now on; raises `AssignmentError` when nothing of it was."""
    require(actor, Action.VISIT_HOME)
    held = [row for row in held_now(connection, actor, patient, now) if row.gateway_id == kit.gateway]
    own = {each.id for each in kit.devices}
    ended = [row.id for row in held if row.device_id in own]
    if not ended:
        raise AssignmentError("kit: the patient has nothing of it now")
    for each in ended:
        end_assignment(connection, each, now, now)
    audit.write(connection, actor, audit.Entry(action=Action.VISIT_HOME, patient=patient, subject=kit.id), now)


def held_now(connection: Connection, actor: Actor, patient: str, now: datetime) -> list[Row[Any]]:
    """The assignments of a patient that hold now, with their device."""
    held, device = tables.assignment, tables.device
    current = and_(held.c.starts_at <= now, or_(held.c.ends_at.is_(None), held.c.ends_at > now))
    statement = (
        select(held, device.c.address, device.c.kind, device.c.model)
        .join(device, device.c.id == held.c.device_id)
        .where(held.c.patient_id == patient, current)
        .order_by(device.c.kind, device.c.address)
    )
    return list(connection.execute(scope(statement, held, actor)))


def _kits(connection: Connection, actor: Actor, which: Any) -> list[Kit]:
    kit, part, device = tables.kit, tables.kit_device, tables.device
    chosen = select(kit).order_by(kit.c.label, kit.c.code)
    rows = connection.execute(scope(chosen if which is None else chosen.where(which), kit, actor)).all()
    parts = (
        select(part.c.kit_id, device.c.id, device.c.address, device.c.kind, device.c.model)
        .join(device, device.c.id == part.c.device_id)
        .where(part.c.kit_id.in_([row.id for row in rows]))
        .order_by(device.c.kind, device.c.address)
    )
    devices: dict[str, list[Device]] = {}
    for row in connection.execute(scope(parts, part, actor)):
        one = Device(id=row.id, address=row.address, kind=row.kind, model=row.model)
        devices.setdefault(row.kit_id, []).append(one)
    return [
        Kit(id=row.id, code=row.code, label=row.label, gateway=row.gateway_id, devices=tuple(devices.get(row.id, ())))
        for row in rows
    ]
