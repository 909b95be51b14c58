"""Gateways, devices and whose they are. A gateway's word counts only for devices assigned together with it."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, or_, select, update

from server.db import tables
from server.db.dialect import due_at_latest
from server.vault import Vault
from vitals.topics import gateway_id

_KEY_BYTES = 32  # as long as the seal's digest


class AssignmentError(ValueError):
    """The device is in somebody's hands at that time, or the parts belong to different municipalities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGateway:
    """A gateway by the id of its topics; without a key it gets one."""

    id: str
    municipality: str
    key: bytes | None = None


def enrol_gateway(connection: Connection, vault: Vault, new: NewGateway, now: datetime) -> bytes:
    """Enrol a gateway; returns the key that it must seal with. Raises `TopicError` for an id no topic can carry."""
    key = new.key if new.key is not None else secrets.token_bytes(_KEY_BYTES)
    row = {
        "id": gateway_id(new.id),
        "municipality_id": new.municipality,
        "key": vault.close(key.hex()),
        "created_at": now,
    }
    connection.execute(insert(tables.gateway).values(row))
    return key


def revoke_gateway(connection: Connection, gateway: str) -> None:
    """From its next message on, the gateway is unknown."""
    connection.execute(update(tables.gateway).where(tables.gateway.c.id == gateway).values(active=False))


def connected_gateways(connection: Connection, since: datetime) -> frozenset[str]:
    """The ids of the gateways whose last word, heard at `since` or later, was that they are online."""
    table = tables.gateway_status
    told = select(table.c.gateway_id).where(table.c.online, table.c.received_at >= since)
    return frozenset(connection.execute(told).scalars())


def register_device(
    connection: Connection, municipality: str, address: str, kind: str, model: str | None = None
) -> str:
    """A device by its address or serial number. Returns its id."""
    row = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "address": address.upper(),
        "kind": kind,
        "model": model,
    }
    connection.execute(insert(tables.device).values(row))
    return str(row["id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAssignment:
    """A device in a patient's hands, heard by one gateway, from `starts_at` up to `ends_at`."""

    device: str
    patient: str
    gateway: str
    starts_at: datetime
    ends_at: datetime | None = None


def assign(connection: Connection, new: NewAssignment, now: datetime) -> str:
    """Give the device to the patient; readings taken in that time and claimed by nobody become theirs.

    Returns the assignment's id; raises `AssignmentError`.
    """
    municipality = _common_municipality(connection, new)
    table = tables.assignment
    overlapping = select(table.c.id).where(
        table.c.device_id == new.device,
        or_(table.c.ends_at.is_(None), table.c.ends_at > new.starts_at),
        # Two gateways may hear the device of one patient, as in a sheltered housing; never two patients' of one time.
        or_(table.c.patient_id != new.patient, table.c.gateway_id == new.gateway),
    )
    if new.ends_at is not None:
        overlapping = overlapping.where(table.c.starts_at < new.ends_at)
    if connection.execute(overlapping).first():
        raise AssignmentError("device: assigned to somebody in that time already; end that assignment first")
    row = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "device_id": new.device,
        "patient_id": new.patient,
        "gateway_id": new.gateway,
        "starts_at": new.starts_at,
        "ends_at": new.ends_at,
    }
    connection.execute(insert(table).values(row))
    _claim_waiting(connection, new, municipality, now)
    return str(row["id"])


def end_assignment(connection: Connection, assignment: str, ends_at: datetime) -> None:
    """The device is nobody's from `ends_at` on."""
    connection.execute(update(tables.assignment).where(tables.assignment.c.id == assignment).values(ends_at=ends_at))


def _common_municipality(connection: Connection, new: NewAssignment) -> str:
    found: set[Any] = {
        connection.execute(select(table.c.municipality_id).where(table.c.id == row)).scalar()
        for table, row in ((tables.device, new.device), (tables.patient, new.patient), (tables.gateway, new.gateway))
    }
    if len(found) != 1 or None in found:
        raise AssignmentError("device, patient and gateway must exist in one and the same municipality")
    return str(found.pop())


def _claim_waiting(connection: Connection, new: NewAssignment, municipality: str, now: datetime) -> None:
    reading = tables.reading
    address = select(tables.device.c.address).where(tables.device.c.id == new.device).scalar_subquery()
    waiting = select(reading.c.seq).where(
        reading.c.municipality_id == municipality,
        reading.c.unclaimed.is_not(None),
        reading.c.unclaimed != "heard_twice",
        reading.c.device == address,
        reading.c.gateway_id == new.gateway,
        reading.c.taken_at >= new.starts_at,
    )
    if new.ends_at is not None:
        waiting = waiting.where(reading.c.taken_at < new.ends_at)
    numbers = list(connection.execute(waiting).scalars())
    if not numbers:
        return
    theirs = {"patient_id": new.patient}
    connection.execute(update(reading).where(reading.c.seq.in_(numbers)).values(unclaimed=None, **theirs))
    values = tables.measurement
    connection.execute(update(values).where(values.c.reading_seq.in_(numbers)).values(**theirs))
    due_at_latest(connection, [(new.patient, municipality)], now)
