"""What reports are made of: patients, plans and readings as stored, each read through the actor's eyes."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from alerts.arrival import Arrival
from alerts.plan import Plan
from server.access import Action, Actor, require, scope
from server.care import plans
from server.care.people import NotFoundError
from server.db import tables
from server.db.engine import Database
from server.db.migrate import check
from server.settings import Settings, SettingsError
from server.watch.patient import readings


def open_database(settings: Settings) -> Database:
    """The database that is there already; raises `SettingsError` or `WrongTablesError`. A report never makes one."""
    if settings.database is None and not (settings.data / "varde.db").exists():
        raise SettingsError(f"data: {settings.data} holds no database")
    database = Database(settings.database_address)
    check(database)
    return database


def patients(connection: Connection, actor: Actor) -> tuple[str, ...]:
    """Ids of the patients whom the actor may know of and the rules have been asked about, in their order."""
    require(actor, Action.SEE_READINGS)
    patient, version = tables.patient, tables.plan_version
    planned = select(patient.c.id).where(patient.c.id.in_(select(version.c.patient_id)))
    return tuple(connection.execute(scope(planned, patient, actor).order_by(patient.c.id)).scalars())


def check_known(connection: Connection, actor: Actor, patient: str) -> None:
    """Raise `NotFoundError` unless there is such a patient for this actor."""
    require(actor, Action.SEE_READINGS)
    table = tables.patient
    if connection.execute(scope(select(table.c.id).where(table.c.id == patient), table, actor)).first() is None:
        raise NotFoundError(f"no patient {patient}")


def plan_in_force(connection: Connection, patient: str) -> Plan | None:
    """The active plan, with the times in which the gateway was silent; None: nothing is judged."""
    return plans.active(connection, patient)


def arrivals(connection: Connection, patient: str, plan: Plan) -> tuple[Arrival, ...]:
    """Every stored reading since the plan began, in the order of arrival, as if nobody had judged it yet."""
    rows = readings(connection, patient, tables.reading.c.taken_at >= plan.starts_at)
    return tuple(replace(each, judged=False) for _, each in rows)


def known_until(connection: Connection, patient: str) -> datetime | None:
    """The last moment of which the tables know anything: a reading came or the rules were asked; None: never."""
    reading, evaluation = tables.reading, tables.evaluation
    moments = (
        connection.execute(select(func.max(reading.c.received_at)).where(reading.c.patient_id == patient)).scalar(),
        connection.execute(select(func.max(evaluation.c.at)).where(evaluation.c.patient_id == patient)).scalar(),
    )
    return max((each for each in moments if each is not None), default=None)
