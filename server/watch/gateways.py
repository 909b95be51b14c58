"""Gateways that no longer say how they are, though nobody has said that they went: an outage from their last word.

A gateway sends its status every 30 seconds, and the broker speaks its last will when the connection dies. One that
hangs with its connection open, or that we hear no more because the broker is away, does neither. Its silence is
measured in real time and by this process: after our own standstill every gateway has its time again. The outage itself
is told on the installation's clock, like the readings that did not come.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, insert, or_, select

from server.db import tables
from server.db.dialect import due_at_latest, take_turn
from server.parts import Parts

SILENT_AFTER = timedelta(seconds=60)  # of real time: one status missed, and half a minute for the way

_log = structlog.get_logger("varde.watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """The last word of a gateway: when it came on the installation's clock, and since when we know it in real time."""

    at: datetime
    seen: datetime


class Gateways:
    """Looks at the last word of every gateway; one for each process that watches."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._heard: dict[str, _Heard] = {}

    def look(self) -> int:
        """Open an outage for every gateway that has been silent for too long; returns how many."""
        wall = self._parts.wall.now()
        status = tables.gateway_status
        with self._parts.database.read() as connection:
            online = select(status.c.gateway_id, status.c.received_at).where(status.c.online)
            last = dict(connection.execute(online).all())
            running = tables.gateway_outage.c
            told = set(connection.execute(select(running.gateway_id).where(running.ends_at.is_(None))).scalars())
        before = self._heard
        self._heard = {
            gateway: before[gateway] if gateway in before and before[gateway].at == at else _Heard(at=at, seen=wall)
            for gateway, at in last.items()
        }
        silent = [
            gateway
            for gateway, heard in self._heard.items()
            if gateway not in told and wall - heard.seen >= SILENT_AFTER
        ]
        return sum(self._open(gateway, self._heard[gateway].at) for gateway in silent)

    def _open(self, gateway: str, last: datetime) -> bool:
        with self._parts.database.write() as connection:
            if not _still_silent(connection, gateway, last):
                return False
            patients = _patients(connection, gateway, last)
            for patient, municipality in patients:  # whoever judges them now does so before or after, never between
                take_turn(connection, patient, municipality, self._parts.clock.now())
            now = self._parts.clock.now()
            home = select(tables.gateway.c.municipality_id).where(tables.gateway.c.id == gateway)
            row = {
                "municipality_id": connection.execute(home).scalar_one(),
                "gateway_id": gateway,
                "starts_at": last,
                "known_at": now,
            }
            connection.execute(insert(tables.gateway_outage).values(row))
            due_at_latest(connection, patients, now)
        _log.warning("gateway silent", gateway=gateway, since=last.isoformat())
        self._parts.changed.ring()
        return True


def _still_silent(connection: Connection, gateway: str, last: datetime) -> bool:
    """Whether nothing came meanwhile, and no other process was faster."""
    status, outage = tables.gateway_status.c, tables.gateway_outage.c
    own = select(status.received_at).where(status.gateway_id == gateway, status.online).with_for_update()
    if connection.execute(own).scalar() != last:
        return False
    running = select(outage.seq).where(outage.gateway_id == gateway, outage.ends_at.is_(None))
    return connection.execute(running).first() is None


def _patients(connection: Connection, gateway: str, since: datetime) -> list[tuple[str, str]]:
    """Whose devices it spoke for then or later (patient, municipality), sorted."""
    held = tables.assignment.c
    whose = select(held.patient_id, held.municipality_id).where(held.gateway_id == gateway)
    whose = whose.where(or_(held.ends_at.is_(None), held.ends_at > since)).distinct()
    return sorted((patient, municipality) for patient, municipality in connection.execute(whose))
