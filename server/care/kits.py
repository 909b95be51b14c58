"""Gateways, devices and whose they are. A gateway's word counts only for devices assigned together with it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, insert, or_, select, update

from alerts import memory as memories
from server.db import tables
from server.db.dialect import devices_change_hands, due_at_latest, take_turn
from server.vault import Vault
from vitals.topics import gateway_id

_KEY_BYTES = 32  # as long as the seal's digest
_READINGS_AT_ONCE = 10_000  # numbers in one statement


class AssignmentError(ValueError):
    """The device is in somebody's hands then, the times make no span, or the parts do not belong together."""


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
    devices_change_hands(connection)
    municipality = _common_municipality(connection, new)
    _check_span(new.starts_at, new.ends_at)
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


def end_assignment(connection: Connection, assignment: str, ends_at: datetime, now: datetime) -> None:
    """The device is nobody's from `ends_at` on, also when that was a while ago: readings taken since wait for whoever
    had it then, and the rules are asked about the patient anew without them. Raises `AssignmentError`.
    """
    devices_change_hands(connection)
    table = tables.assignment
    ended = connection.execute(select(table).where(table.c.id == assignment)).one_or_none()
    if ended is None:
        raise AssignmentError("assignment: there is none of this id")
    _check_span(ended.starts_at, ends_at)
    connection.execute(update(table).where(table.c.id == assignment).values(ends_at=ends_at))
    numbers = _claimed(connection, ended, ends_at)
    if not numbers:
        return
    take_turn(connection, ended.patient_id, ended.municipality_id, now)  # a judge at work would write his memory last
    _give(connection, numbers, None, "not_assigned")
    _forget_readings(connection, ended.patient_id)
    due_at_latest(connection, [(ended.patient_id, ended.municipality_id)], now)
    others = select(table).where(table.c.device_id == ended.device_id, table.c.id != assignment)
    for row in connection.execute(others).all():  # what another gateway of the patient heard too counts again
        held = NewAssignment(
            device=row.device_id,
            patient=row.patient_id,
            gateway=row.gateway_id,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        _claim_waiting(connection, held, row.municipality_id, now)


def _check_span(starts_at: datetime, ends_at: datetime | None) -> None:
    if ends_at is not None and ends_at < starts_at:
        raise AssignmentError(f"ends_at: {ends_at:%Y-%m-%d %H:%M}Z is before the start, {starts_at:%Y-%m-%d %H:%M}Z")


def _common_municipality(connection: Connection, new: NewAssignment) -> str:
    found: set[Any] = {
        connection.execute(select(table.c.municipality_id).where(table.c.id == row)).scalar()
        for table, row in ((tables.device, new.device), (tables.patient, new.patient), (tables.gateway, new.gateway))
    }
    if len(found) != 1 or None in found:
        raise AssignmentError("device, patient and gateway must exist in one and the same municipality")
    return str(found.pop())


def _claim_waiting(connection: Connection, new: NewAssignment, municipality: str, now: datetime) -> None:
    reading, copy = tables.reading, tables.reading.alias("copy")
    waiting = and_(
        _heard(new.device, new.gateway, municipality, new.starts_at, new.ends_at), reading.c.unclaimed.is_not(None)
    )
    # What two gateways of one patient heard is theirs once (ingest/record.py says the same of what comes from now on).
    is_theirs = exists(select(copy.c.seq).where(copy.c.patient_id == new.patient, copy.c.id == reading.c.id))
    connection.execute(update(reading).where(waiting, is_theirs).values(unclaimed="heard_twice"))
    numbers = list(connection.execute(select(reading.c.seq).where(waiting, ~is_theirs)).scalars())
    if not numbers:
        return
    _give(connection, numbers, new.patient, None)
    due_at_latest(connection, [(new.patient, municipality)], now)


def _claimed(connection: Connection, ended: Row[Any], since: datetime) -> list[int]:
    """The numbers of what the assignment claimed from `since` on."""
    reading = tables.reading
    claimed = or_(reading.c.patient_id == ended.patient_id, reading.c.unclaimed == "heard_twice")
    heard = _heard(ended.device_id, ended.gateway_id, ended.municipality_id, since, ended.ends_at)
    return list(connection.execute(select(reading.c.seq).where(heard, claimed)).scalars())


def _heard(
    device: str, gateway: str, municipality: str, starts_at: datetime, ends_at: datetime | None
) -> ColumnElement[bool]:
    """Which rows of `reading` this gateway heard of the device in that time."""
    reading = tables.reading
    address = select(tables.device.c.address).where(tables.device.c.id == device).scalar_subquery()
    heard = and_(
        reading.c.municipality_id == municipality,
        reading.c.device == address,
        reading.c.gateway_id == gateway,
        reading.c.taken_at >= starts_at,
    )
    return heard if ends_at is None else and_(heard, reading.c.taken_at < ends_at)


def _give(connection: Connection, numbers: Sequence[int], patient: str | None, unclaimed: str | None) -> None:
    """Make these readings the patient's, or nobody's; the rules have not seen them for whoever has them now."""
    reading, value = tables.reading, tables.measurement
    for start in range(0, len(numbers), _READINGS_AT_ONCE):
        part = numbers[start : start + _READINGS_AT_ONCE]
        theirs = {"patient_id": patient, "unclaimed": unclaimed, "evaluation_seq": None, "quiet": False}
        connection.execute(update(reading).where(reading.c.seq.in_(part)).values(theirs))
        connection.execute(update(value).where(value.c.reading_seq.in_(part)).values(patient_id=patient))


def _forget_readings(connection: Connection, patient: str) -> None:
    """Have the rules make their memory anew from the readings; what people clicked is in it too, and stays."""
    table = tables.memory
    body = connection.execute(select(table.c.body).where(table.c.patient_id == patient)).scalar()
    if body is None:
        return
    stale = memories.dump(replace(memories.load(body), stale=True))
    connection.execute(update(table).where(table.c.patient_id == patient).values(body=stale))
