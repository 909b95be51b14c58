"""A small municipality for simulated streets: always the same, ids included, and made only once in a process."""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

from alerts import rulebook
from alerts.plan import Plan
from server.access import Actor, Role
from server.care import kits, people, plans
from server.care.kits import NewAssignment, NewGateway
from server.care.people import NewPatient, Person
from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from server.settings import Settings
from server.vault import Vault, open_vault
from tests.simulation.agenda import START
from vitals.topics import gateway_id

KEY = b"a key of a street that is not there"
_RULES = ("spo2_low", "spo2_drop", "missing_spo2")  # of covid19: a band with a second reading, a baseline, time alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """A gateway and the devices it hears: address -> whether it has a clock."""

    gateway: str
    devices: dict[str, bool]


# Two who share a home and often measure together; one who lives alone with an old and a new oximeter.
KITS = (
    Kit(gateway="gw-tun-1", devices={"AA:00:00:00:00:01": True, "AA:00:00:00:00:02": True}),
    Kit(gateway="gw-vik-1", devices={"AA:00:00:00:00:03": False, "AA:00:00:00:00:04": True}),
)
_PEOPLE = {"AA:00:00:00:00:01": 0, "AA:00:00:00:00:02": 1, "AA:00:00:00:00:03": 2, "AA:00:00:00:00:04": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The template's folder, and what is in it."""

    folder: Path
    vault: Vault
    settings: Settings
    patients: tuple[str, ...]
    nurses: tuple[Actor, ...]

    @property
    def path(self) -> Path:
        """The database of the run at hand."""
        return self.folder / "varde.db"

    def renew(self, kits: Sequence[Kit]) -> None:
        """Put the untouched template in the place of what a run has made of it; nobody may have it open.

        Whoever none of `kits` hears is not on the slate: nothing can happen to them that does not to the others.
        """
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self.folder / "template.db", self.path)
        heard = {self.patients[_PEOPLE[address]] for kit in kits for address in kit.devices}
        raw = sqlite3.connect(self.path)
        raw.executemany(
            "DELETE FROM due WHERE patient_id = ?", [(each,) for each in self.patients if each not in heard]
        )
        raw.commit()
        raw.close()


def make_world(folder: Path) -> World:
    """Migrate a database and put everybody into it."""
    path = folder / "template.db"
    database = Database(file_address(path))
    vault = open_vault(folder / "vault.key", create=True)
    upgrade_database(database)
    born = START - timedelta(days=10)
    with _same_ids(), database.write() as connection:
        municipality = people.enrol_municipality(connection, "Fjordvik", "9991", born)
        team = people.create_team(connection, municipality, "Fjordvik oppfølging")
        nurses = [
            people.employ(connection, vault, team, Role.NURSE, Person(name=name)) for name in ("Lia Dal", "Odd Moe")
        ]
        patients = []
        for number in range(3):
            new = NewPatient(municipality=municipality, team=team, person=Person(name=f"Nobody {number}"))
            patients.append(people.enrol_patient(connection, vault, new, born))
        for kit in KITS:
            kits.enrol_gateway(connection, vault, NewGateway(id=kit.gateway, municipality=municipality, key=KEY), born)
            for address in kit.devices:
                device = kits.register_device(connection, municipality, address, "oximeter")
                patient = patients[_PEOPLE[address]]
                held = NewAssignment(device=device, patient=patient, gateway=gateway_id(kit.gateway), starts_at=born)
                kits.assign(connection, held, born)
        for number, patient in enumerate(patients):
            plans.activate(connection, patient, _plan(number), nurses[0], START)
    database.close()
    actors = [Actor(id=each, role=Role.NURSE, municipality=municipality, team=team) for each in nurses]
    return World(
        folder=folder,
        vault=vault,
        settings=Settings(data=folder),
        patients=tuple(patients),
        nurses=tuple(actors),
    )


def _plan(number: int) -> Plan:
    book = rulebook.load("covid19")
    book = replace(book, table={name: book.table[name] for name in _RULES})
    settings = {
        "plan_id": str(UUID(int=number)),
        "facts": {"age": 71} | ({"baseline": {"spo2": 96}} if number % 2 else {}),  # known, some readings are quiet
        "timezone": "Europe/Oslo",
        "starts_at": (START - timedelta(hours=12)).isoformat(),
        "outside": "full",
    }
    return rulebook.draft(book, settings)


@contextmanager
def _same_ids() -> Iterator[None]:
    """Ids that are random in life are counted here, so that a seed means the same run everywhere."""
    numbers = count(1)

    def counted() -> UUID:
        return UUID(int=next(numbers), version=4)

    with (
        patch.object(people, "uuid4", counted),
        patch.object(kits, "uuid4", counted),
        patch.object(plans, "uuid4", counted),
    ):
        yield
