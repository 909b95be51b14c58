"""Plan versions: what is judged, by which numbers. A version is never changed; a new one replaces it."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, func, insert, select, update

from alerts.plan import Period, Plan, from_mapping, to_mapping
from server.db import tables
from server.db.dialect import due_at_latest


def activate(connection: Connection, patient: str, plan: Plan, approved_by: str, now: datetime) -> int:
    """Make `plan` the patient's active version from now on, replacing the one before. Returns its number.

    The number is given here; `plan.version` as it comes is not used.
    """
    table = tables.plan_version
    of_patient = table.c.patient_id == patient
    municipality = connection.execute(
        select(tables.patient.c.municipality_id).where(tables.patient.c.id == patient)
    ).scalar_one()
    newest = connection.execute(select(func.max(table.c.version)).where(of_patient)).scalar() or 0
    plan = replace(plan, version=newest + 1)
    connection.execute(update(table).where(of_patient, table.c.state == "active").values(state="replaced"))
    row = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "patient_id": patient,
        "version": plan.version,
        "state": "active",
        "rulebook": plan.rulebook,
        "rulebook_version": plan.rulebook_version,
        "body": to_mapping(plan),
        "active_from": now,
        "approved_by": approved_by,
    }
    connection.execute(insert(table).values(row))
    due_at_latest(connection, [(patient, municipality)], now)
    return plan.version


def active(connection: Connection, patient: str) -> Plan | None:
    """The plan that judges this patient, with the times in which the gateway was silent; None: nothing is judged."""
    table = tables.plan_version
    body = connection.execute(
        select(table.c.body).where(table.c.patient_id == patient, table.c.state == "active")
    ).scalar()
    if body is None:
        return None
    plan = from_mapping(body)
    offline = tuple(each for each in silence(connection, patient) if each.end is None or each.end >= plan.starts_at)
    return replace(plan, offline=(*plan.offline, *offline))


def silence(connection: Connection, patient: str) -> tuple[Period, ...]:
    """When the gateways that speak for this patient were offline, oldest first."""
    outage, assignment = tables.gateway_outage, tables.assignment
    gateways = select(assignment.c.gateway_id).where(assignment.c.patient_id == patient)
    rows = connection.execute(
        select(outage.c.starts_at, outage.c.ends_at)
        .where(outage.c.gateway_id.in_(gateways))
        .order_by(outage.c.starts_at, outage.c.seq)
    )
    return tuple(Period(start=row.starts_at, end=row.ends_at) for row in rows)
