"""Lets the town's people in: once, in one transaction, through the same doors as a real municipality."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from alerts import rulebook
from alerts.plan import Plan
from server.access import Role, system
from server.care import credentials, kits, people
from server.care.approval import Approval, approve
from server.db import migrate
from server.db.engine import Database
from server.vault import Vault, open_vault
from varde.demo import valley
from varde.demo.around import Around, settle
from varde.demo.folder import Folder, write_private
from varde.demo.keys import Keys
from varde.demo.planning import begin_plans
from varde.demo.town import Resident, Town
from vitals.clock import Clock, SystemClock

# Readings that a script stamps with the machine's time lie behind the demo's; they still belong to somebody.
_KITS_SINCE = timedelta(days=30)
_PLAN_SINCE = timedelta(minutes=10)  # ... and are judged, even when stamped just before the demo began


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What others need of it: the opaque patient ids by key, and the token of scripts."""

    patients: dict[str, str]
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Office:
    """Where everybody is enrolled, and with what."""

    connection: Any
    vault: Vault
    town: Town
    keys: Keys
    now: datetime  # the demo's time
    municipality: str
    team: str
    proposer: str
    approver: str


def enrol_once(folder: Folder, address: str, town: Town, keys: Keys, clock: Clock) -> Enrolled:
    """Everybody of the town, in the server's database at `address`; at a second start those already there."""
    database = Database(address)
    try:
        migrate.upgrade_database(database)
        vault = open_vault(folder.root / "vault.key", create=True)
        with database.write() as connection:
            stored = _stored(folder, connection, vault)
            if stored:
                return stored
            enrolled = _enrol(connection, vault, town, keys, clock.now())
            # Before the COMMIT: rows without this file could not be found again, the file without rows is ignored.
            write_private(folder.people, {"patients": enrolled.patients, "token": enrolled.token})
        return enrolled
    finally:
        database.close()


def _stored(folder: Folder, connection: Any, vault: Vault) -> Enrolled | None:
    """Who was enrolled at an earlier start; None when nobody was, or the database is a new one."""
    if not folder.people.exists() or not people.names_of_staff(connection, vault, system()):
        return None
    body = json.loads(folder.people.read_text())
    return Enrolled(patients=body["patients"], token=body["token"])


def _enrol(connection: Any, vault: Vault, town: Town, keys: Keys, now: datetime) -> Enrolled:
    municipality = people.enrol_municipality(connection, town.municipality, town.number, now)
    team = people.create_team(connection, municipality, town.team, town.hours)
    staff = {
        each.key: people.employ(connection, vault, team, Role(each.role), people.Person(name=each.name))
        for each in town.staff
    }
    proposer = next(staff[each.key] for each in town.staff if each.role == Role.NURSE)
    approver = next(staff[each.key] for each in town.staff if each.role == Role.COORDINATOR)
    office = _Office(
        connection=connection,
        vault=vault,
        town=town,
        keys=keys,
        now=now,
        municipality=municipality,
        team=team,
        proposer=proposer,
        approver=approver,
    )
    for gateway, own in keys.gateways.items():
        kits.enrol_gateway(connection, vault, kits.NewGateway(id=gateway, municipality=municipality, key=own.key), now)
    patients = {each.key: _enrol_resident(office, each) for each in town.residents}
    around = Around(
        connection=connection,
        vault=vault,
        town=town,
        now=now,
        municipality=municipality,
        team=team,
        staff=staff,
        patients=patients,
    )
    settle(around)
    begin_plans(around)
    zone = ZoneInfo(town.timezone)
    valley.settle(connection, vault, valley.Host(municipality=municipality, team=team, staff=staff, zone=zone), now)
    token = credentials.NewToken(municipality=municipality, role=Role.COORDINATOR, label="demo scripts", team=team)
    secret = credentials.create_token(connection, token, SystemClock().now())
    return Enrolled(patients=patients, token=secret)


def _enrol_resident(office: _Office, resident: Resident) -> str:
    person = people.Person(name=resident.name, national_id=resident.national_id)
    new = people.NewPatient(
        municipality=office.municipality,
        team=office.team,
        person=person,
        timezone=office.town.timezone,
        matters=resident.matters,
    )
    patient = people.enrol_patient(office.connection, office.vault, new, office.now)
    for address in resident.devices:
        _hand_out(office, patient, address)
    book = rulebook.load(resident.rulebook)
    plan = _plan(office, resident, book)
    approval = Approval(by=office.approver, proposed_by=office.proposer, book=book, outside=plan.outside, demo=True)
    approve(office.connection, patient, plan, approval, office.now)
    return patient


def _hand_out(office: _Office, patient: str, address: str) -> None:
    """Register the device and assign it, heard by its home's gateway and, where scripts speak for it, by theirs."""
    home = next(each for each in office.town.homes if any(device.address == address for device in each.devices))
    device = next(each for each in home.devices if each.address == address)
    number = kits.register_device(office.connection, office.municipality, address, device.kind, device.model)
    gateways = (home.gateway, office.town.script_gateway) if device.script else (home.gateway,)
    for gateway in gateways:
        new = kits.NewAssignment(device=number, patient=patient, gateway=gateway, starts_at=office.now - _KITS_SINCE)
        kits.assign(office.connection, new, office.now)


def _plan(office: _Office, resident: Resident, shipped: rulebook.Rulebook) -> Plan:
    """The resident's plan: the rulebook with individual limits, in force for a moment when the demo begins.

    Slots that began before it are not owed, so nobody has missed anything at whatever hour the demo is started.
    """
    today = office.now.astimezone(ZoneInfo(office.town.timezone)).date()
    book = rulebook.merge(shipped, resident.rules)
    settings = {
        "plan_id": str(uuid4()),
        "facts": {**resident.facts, "age": _age(resident.born, today)},
        "timezone": office.town.timezone,
        "starts_at": (office.now - _PLAN_SINCE).isoformat(),
        "hours": office.town.hours,
        "outside": office.town.outside,
    }
    return rulebook.draft(book, settings)


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
