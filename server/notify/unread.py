"""Messages from home that nobody has read: after some hours of service whoever is on duty is told, once for all.

Never outside the patient's service hours, and not again before as many hours of service have gone by.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, func, insert, select

from alerts.fact import Role
from alerts.keys import KeyProblem
from alerts.plan import read_hours
from alerts.service_hours import Service
from server.access import AT_HOME
from server.care import routing
from server.care.messages import unread_of
from server.db import tables
from server.parts import Parts

_LOOK_SECONDS = 5.0
_log = structlog.get_logger("varde.notify")


class Unread:
    """Looks for teams with unread messages; one for each process that notifies."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._looked_at = float("-inf")

    def look_sometimes(self) -> None:
        """Look, unless that was a moment ago."""
        if time.monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self.look()

    def look(self) -> int:
        """Put a notice in the outbox for every team that is to be told now; returns how many."""
        now = self._parts.clock.now()
        with self._parts.database.read() as connection:
            teams = [team for team in _waiting(connection) if _longest(connection, team, now) is not None]
        return sum(self._tell(team, now) for team in teams)

    def _tell(self, team: str, now: datetime) -> bool:
        with self._parts.database.write() as connection:
            # Two processes that notify take turns, so that it is one notice.
            connection.execute(select(tables.team.c.id).where(tables.team.c.id == team).with_for_update())
            patient = _longest(connection, team, now)
            if patient is None:
                return False
            home = select(tables.patient.c.municipality_id).where(tables.patient.c.id == patient)
            row = {
                "municipality_id": connection.execute(home).scalar_one(),
                "patient_id": patient,
                "unread_of": team,
                "to": Role.PRIMARY.value,
                "state": "waiting",
                "created_at": now,
            }
            connection.execute(insert(tables.outbox).values(row))
        _log.info("messages unread", team=team)
        return True


def overdue(
    unread: Mapping[str, datetime],
    services: Mapping[str, Service],
    told: datetime | None,
    wait: timedelta,
    now: datetime,
) -> str | None:
    """Who has waited longest, if a notice is due: for so much service time nobody has read, and nobody was told.

    Pure. Whoever has no service hours, or is outside them, is not told of.
    """
    for patient, since in unread.items():
        service = services.get(patient)
        if service is None or not service.is_open(now):
            continue
        begins = since if told is None else max(since, told)
        reached = service.after(begins, wait)
        if reached is not None and reached[0] <= now:
            return patient
    return None


def _longest(connection: Connection, team: str, now: datetime) -> str | None:
    hours = connection.execute(select(tables.team.c.unread_after_h).where(tables.team.c.id == team)).scalar_one()
    wait = timedelta(hours=hours)
    unread = {patient: since for patient, since in unread_of(connection, team).items() if since + wait <= now}
    outbox = tables.outbox
    told = connection.execute(select(func.max(outbox.c.created_at)).where(outbox.c.unread_of == team)).scalar()
    if told is not None and told + wait > now:
        return None
    found = {patient: _service(connection, patient, team) for patient in unread}
    services = {patient: service for patient, service in found.items() if service is not None}
    return overdue(unread, services, told, wait, now)


def _waiting(connection: Connection) -> list[str]:
    """The teams for whom any message is unread."""
    message, enrolment = tables.message, tables.enrolment
    home = tuple(role.value for role in AT_HOME)
    statement = (
        select(enrolment.c.team_id)
        .join(message, message.c.patient_id == enrolment.c.patient_id)
        .where(message.c.read_at.is_(None), message.c.role.in_(home), enrolment.c.state != "ended")
        .distinct()
    )
    return sorted(connection.execute(statement).scalars())


def _service(connection: Connection, patient: str, team: str) -> Service | None:
    """When the patient's service is at work: by the plan that judges, else by what was agreed with the team."""
    planned = routing.service_of(connection, patient)
    if planned is not None:
        return planned
    agreement, whose = tables.service_agreement, tables.patient
    statement = (
        select(agreement.c.hours, whose.c.timezone)
        .join(whose, whose.c.municipality_id == agreement.c.municipality_id)
        .where(whose.c.id == patient, agreement.c.team_id == team, agreement.c.state == "active")
        .where(agreement.c.kind == "follows")
    )
    row = connection.execute(statement.limit(1)).first()
    if row is None:
        return None
    try:
        return Service(hours=read_hours(row.hours, "hours"), closed=frozenset(), zone=ZoneInfo(row.timezone))
    except KeyProblem:  # hours across midnight: of a team that is not one of the daytime
        return None
