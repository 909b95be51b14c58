"""What is around the town's patients when the demo begins: numbers to call, zone texts, next of kin, messages, kits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from server.access import Actor, Role
from server.care import consents, kits, messages, plans
from server.care.enrolment import NEXT_OF_KIN, Contact, contacts_of, save_contacts
from server.care.kit_codes import NewKit, make_kit
from server.care.whom_to_call import publish_numbers
from server.own_rows import Share
from server.vault import Vault
from varde.demo.town import Kin, Town


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The town as it was enrolled: ids by key."""

    connection: Any
    vault: Vault
    town: Town
    now: datetime  # the demo's time
    municipality: str
    team: str
    staff: Mapping[str, str]
    patients: Mapping[str, str]


def settle(around: Around) -> None:
    """Write all of it down, through the same doors as people would."""
    connection, town = around.connection, around.town
    publish_numbers(connection, around.team, town.phone, town.phone_after_hours)
    for resident in town.residents:
        plans.write_texts(connection, around.patients[resident.key], 1, town.texts[resident.rulebook])
    contacts = {each.key: _let_in(around, each) for each in town.kin}
    for said in town.messages:
        patient = around.patients[said.patient]
        new = messages.NewMessage(patient=patient, text=said.text, token=str(uuid4()))
        actor = _actor(around, said.by, contacts, patient)
        messages.write(connection, around.vault, actor, new, around.now - timedelta(minutes=said.minutes))
    office = _staff(around, Role.COORDINATOR)
    for spare in town.spares:
        devices = tuple(
            kits.register_device(connection, around.municipality, each.address, each.kind, each.model)
            for each in spare.devices
        )
        make_kit(connection, office, NewKit(gateway=spare.gateway, label=spare.label, devices=devices), around.now)


def _let_in(around: Around, kin: Kin) -> str:
    """The contact of somebody close, with whom the patient shares what the town file says; the id."""
    patient, vault, nurse = around.patients[kin.patient], around.vault, _staff(around, Role.NURSE)
    contact = Contact(kind=NEXT_OF_KIN, name=kin.name, phone=kin.phone, relation=kin.relation)
    save_contacts(around.connection, vault, nurse, (patient, [contact]), around.now)
    known = contacts_of(around.connection, vault, nurse, patient)
    identity = next(each.id for each in known if each.name == kin.name and each.id is not None)
    shares = frozenset(Share(each) for each in kin.shares)
    wish = consents.Wish(patient=patient, contact=identity, shares=shares)
    consents.share(around.connection, _patient(around, patient), wish, around.now)
    return identity


def _actor(around: Around, key: str, contacts: Mapping[str, str], patient: str) -> Actor:
    if key in around.patients:
        return _patient(around, patient)
    if key in contacts:
        shares = consents.shares_of(around.connection, contacts[key])
        return Actor(id=contacts[key], role=Role.KIN, municipality=around.municipality, patient=patient, shares=shares)
    return Actor(id=around.staff[key], role=Role.NURSE, municipality=around.municipality, team=around.team)


def _patient(around: Around, patient: str) -> Actor:
    return Actor(id=patient, role=Role.PATIENT, municipality=around.municipality, patient=patient)


def _staff(around: Around, role: Role) -> Actor:
    first = next(around.staff[each.key] for each in around.town.staff if each.role == role)
    return Actor(id=first, role=role, municipality=around.municipality, team=around.team)
