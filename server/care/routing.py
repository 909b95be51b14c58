"""Who answers for a patient when the own team does not, and since when that team may know of the patient.

A municipality agrees with a team, its own or another's, that this one answers outside the service hours. It then knows
only of the patients who were routed to it, and only until the service opens (`access` asks for these rows).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from alerts.fact import Role
from alerts.plan import PlanError
from alerts.service_hours import Service
from server.care import plans
from server.db import tables


class Reason(StrEnum):
    """Why a patient is routed to another team."""

    ESCALATED = "escalated"  # the ladder told it of an alert
    HANDED_OVER = "handed_over"  # somebody of the own team asked it to look after the patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`patient` is to be known to `team` for now."""

    patient: str
    team: str
    reason: Reason


def answering(connection: Connection, patient: str, priority: str | None = None) -> tuple[str, ...]:
    """The teams that answer for this patient when nobody of the own does; those alone that agreed on the priority."""
    agreement, whose = tables.service_agreement, tables.patient
    rows = connection.execute(
        select(agreement.c.team_id, agreement.c.priorities)
        .join(whose, whose.c.municipality_id == agreement.c.municipality_id)
        .where(whose.c.id == patient, agreement.c.kind == "answers", agreement.c.state == "active")
        .order_by(agreement.c.team_id)
    )
    return tuple(row.team_id for row in rows if priority is None or priority in row.priorities)


def service_of(connection: Connection, patient: str) -> Service | None:
    """When the patient's own service is at work, by the plan that judges; None where none does, or none can be read."""
    try:
        plan = plans.active(connection, patient)
    except (PlanError, ValueError):
        return None
    return None if plan is None else plan.service


def route(connection: Connection, wanted: Route, now: datetime) -> None:
    """Let that team know of the patient from now until the own service opens; nothing while it is open.

    Harmless when they are routed there already.
    """
    service = service_of(connection, wanted.patient)
    opens = None if service is None else service.opens(now)
    if opens is None or opens <= now:
        return
    table = tables.routing
    same = select(table.c.id).where(
        table.c.patient_id == wanted.patient, table.c.team_id == wanted.team, table.c.ends_at >= opens
    )
    if connection.execute(same).first() is not None:
        return
    home = select(tables.patient.c.municipality_id).where(tables.patient.c.id == wanted.patient)
    row = {
        "id": str(uuid4()),
        "municipality_id": connection.execute(home).scalar_one(),
        "patient_id": wanted.patient,
        "team_id": wanted.team,
        "reason": wanted.reason.value,
        "starts_at": now,
        "ends_at": opens,
    }
    connection.execute(insert(table).values(row))


def route_escalated(connection: Connection, facts: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Route the patients of those notices (rows of `fact`) that go to the response centre, in their transaction."""
    for fact in facts:
        if fact["to"] != Role.RESPONSE_CENTRE.value:
            continue
        for team in answering(connection, fact["patient_id"], fact["priority"]):
            route(connection, Route(patient=fact["patient_id"], team=team, reason=Reason.ESCALATED), now)
