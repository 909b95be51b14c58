"""Municipalities, teams, staff and patients. A name goes in here and comes out here, and lies encrypted in between."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Select, func, insert, or_, select, update

from server.access import AT_HOME, Actor, Role, scope
from server.db import tables
from server.scoped import asked_of_all
from server.vault import Vault

_ALL_PRIORITIES = ("low", "medium", "high", "critical")


class NotFoundError(Exception):
    """There is no such row, or the actor may not know of it; nobody is told which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A name and a national id, on their way to or from the vault."""

    name: str
    national_id: str | None = None


def enrol_municipality(connection: Connection, name: str, number: str, now: datetime) -> str:
    """A municipality by its four-digit number; the first one hosts the installation. Returns its id."""
    if len(number) != 4 or not number.isdigit():
        raise ValueError(f"municipality number {number!r} must be four digits")
    table = tables.municipality
    first = connection.execute(select(func.count()).select_from(table)).scalar() == 0
    row = {"municipality_id": str(uuid4()), "name": name, "number": number, "hosts": first, "created_at": now}
    connection.execute(insert(table).values(row))
    return str(row["municipality_id"])


def create_team(connection: Connection, municipality: str, name: str, hours: str = "00:00-24:00") -> str:
    """A team that watches its own municipality's patients in `hours` ("08:00-15:30 mon-fri"). Returns its id."""
    team = create_centre(connection, municipality, name)
    agree_on_service(connection, municipality, team, hours)
    return team


def create_centre(connection: Connection, municipality: str, name: str) -> str:
    """A team that follows nobody by itself: it answers for those with whom it is agreed. Returns its id."""
    row = {"id": str(uuid4()), "municipality_id": municipality, "name": name}
    connection.execute(insert(tables.team).values(row))
    return row["id"]


def agree_on_service(connection: Connection, municipality: str, team: str, hours: str, kind: str = "follows") -> str:
    """`team`, whose own municipality may be another, watches patients of `municipality`. Returns the agreement's id.

    `kind`: follows those who are enrolled with it, or answers, outside the service hours, for whom is routed to it.
    """
    row = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "team_id": team,
        "hours": hours,
        "priorities": list(_ALL_PRIORITIES),
        "kind": kind,
        "state": "active",
    }
    connection.execute(insert(tables.service_agreement).values(row))
    return str(row["id"])


def end_service(connection: Connection, agreement: str) -> None:
    """From now on the team sees nobody by this agreement."""
    table = tables.service_agreement
    connection.execute(update(table).where(table.c.id == agreement).values(state="ended"))


def employ(connection: Connection, vault: Vault, team: str, role: Role, person: Person) -> str:
    """A staff member of `team`, and so of its municipality. Returns the id."""
    if role is Role.SYSTEM or role in AT_HOME:
        raise ValueError(f"role: nobody is employed as {role.value}")
    municipality = _municipality_of_team(connection, team)
    row = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "person_id": _remember(connection, vault, municipality, person),
        "team_id": team,
        "role": role.value,
    }
    connection.execute(insert(tables.staff).values(row))
    return row["id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPatient:
    """Somebody who is to be followed up by `team`."""

    municipality: str
    team: str
    person: Person
    timezone: str = "Europe/Oslo"
    replaces: str | None = None  # the visits or travel that the follow-up replaces
    matters: str | None = None  # what matters to the patient, in their own words


def enrol_patient(connection: Connection, vault: Vault, new: NewPatient, now: datetime) -> str:
    """A patient with an active enrolment from `now`. Returns the opaque id."""
    patient = {
        "id": str(uuid4()),
        "municipality_id": new.municipality,
        "person_id": _remember(connection, vault, new.municipality, new.person),
        "timezone": new.timezone,
        "matters": None if new.matters is None else vault.close(new.matters),
        "created_at": now,
    }
    connection.execute(insert(tables.patient).values(patient))
    enrolment = {
        "id": str(uuid4()),
        "municipality_id": new.municipality,
        "patient_id": patient["id"],
        "team_id": new.team,
        "state": "active",
        "replaces": new.replaces,
        "starts_at": now,
    }
    connection.execute(insert(tables.enrolment).values(enrolment))
    return str(patient["id"])


def home_of(connection: Connection, actor: Actor, patient: str) -> str:
    """The municipality of a patient whom the actor may know of; raises `NotFoundError`."""
    table = tables.patient
    which = select(table.c.municipality_id).where(table.c.id == patient)
    found = connection.execute(scope(which, table, actor)).scalar()
    if found is None:
        raise NotFoundError("no such patient")
    return str(found)


def names_of_patients(connection: Connection, vault: Vault, actor: Actor, patients: list[str]) -> dict[str, str]:
    """Patient id -> name, of those that the actor may see."""
    statement = (
        select(tables.patient.c.id, tables.person.c.name)
        .join(tables.person, tables.person.c.id == tables.patient.c.person_id)
        .where(tables.patient.c.id.in_(patients))
    )
    rows = connection.execute(scope(statement, tables.patient, actor))
    return {row.id: vault.open(row.name) for row in rows}


def names_of_staff(connection: Connection, vault: Vault, actor: Actor) -> dict[str, str]:
    """Staff id -> name, of the actor's municipality."""
    return {row.id: vault.open(row.name) for row in _staff(connection, actor)}


@asked_of_all(tables.staff)
def _staff() -> Select[Any]:
    person = tables.person
    return select(tables.staff.c.id, person.c.name).join(person, person.c.id == tables.staff.c.person_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team and its own municipality."""

    id: str
    municipality: str


def find_team(connection: Connection, named: str) -> Team:
    """The team with this id or name; raises `NotFoundError` also when two have the name."""
    table = tables.team
    rows = connection.execute(select(table).where(or_(table.c.id == named, table.c.name == named))).all()
    if len(rows) != 1:
        raise NotFoundError(f"team: {'no' if not rows else 'more than one'} team is called {named!r}")
    return Team(id=rows[0].id, municipality=rows[0].municipality_id)


def find_municipality(connection: Connection, number: str | None) -> str:
    """The id of the municipality with this number, or of the only one; raises `NotFoundError`."""
    table = tables.municipality
    statement = select(table.c.municipality_id)
    rows = connection.execute(statement if number is None else statement.where(table.c.number == number)).all()
    if len(rows) != 1:
        what = "none has" if not rows else "several are enrolled; say which by"
        raise NotFoundError(f"municipality: {what} this number" if number else f"municipality: {what} its number")
    return str(rows[0].municipality_id)


def _remember(connection: Connection, vault: Vault, municipality: str, person: Person) -> str:
    row = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "name": vault.close(person.name),
        "national_id": None if person.national_id is None else vault.close(person.national_id),
    }
    connection.execute(insert(tables.person).values(row))
    return str(row["id"])


def _municipality_of_team(connection: Connection, team: str) -> str:
    found = connection.execute(select(tables.team.c.municipality_id).where(tables.team.c.id == team)).scalar()
    if found is None:
        raise NotFoundError("no such team")
    return str(found)
