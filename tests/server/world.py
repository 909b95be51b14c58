"""A small municipality whose people do not exist, and what its gateway says: the only builders of server tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Table, func, select

from server.access import Actor, Role
from server.care import kits, people
from server.care.kits import NewAssignment, NewGateway
from server.care.people import NewPatient, Person
from server.db.engine import Database
from server.ingest.batch import take_in
from server.ingest.gateways import KeyRing
from server.ingest.record import Recorded
from server.parts import Parts
from server.settings import Settings
from server.vault import Vault, open_vault
from vitals.clock import Clock, ManualClock
from vitals.reading import ClockSource, DeviceId, Extreme, Measurement, Quality, Reading, ReadingId, RefusedFrame
from vitals.seal import seal
from vitals.topics import Lane, gateway_id, topic
from vitals.wire import render_frame, render_reading

START = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
OXIMETER = "AA:BB:CC:00:00:01"


@lru_cache
def _settings(**given: Any) -> Settings:
    """Never changed once they are read, and reading them takes longer than a step of most tests."""
    return Settings(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Ids of what `make_world` made, and the tools to use it."""

    database: Database
    vault: Vault
    folder: Path
    municipality: str
    team: str
    nurse: str
    patient: str
    gateway: str
    key: bytes
    device: str
    assignment: str

    @property
    def actor(self) -> Actor:
        return Actor(id=self.nurse, role=Role.NURSE, municipality=self.municipality, team=self.team)

    def parts(self, clock: Clock | None = None, **settings: Any) -> Parts:
        """What roles share, on this world's database."""
        return Parts(
            settings=_settings(data=self.folder, database=self.database.address, **settings),
            clock=clock or ManualClock(START),
            database=self.database,
            vault=self.vault,
        )

    def count(self, table: Table) -> int:
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def rows(self, table: Table) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            # A database promises no order of its own; what has a number is told in that order.
            ordered = select(table).order_by(table.c.seq) if "seq" in table.c else select(table)
            return [dict(row) for row in connection.execute(ordered).mappings()]

    def record(self, *sealed: tuple[str, bytes], now: datetime = START, rows_max: int = 1000) -> Recorded:
        """Receive and record messages as one batch."""
        with self.database.write() as connection:
            return take_in(connection, KeyRing(self.vault), sealed, now, rows_max=rows_max).recorded

    def sealed(
        self, lane: Lane, body: bytes, *, key: bytes | None = None, gateway: str | None = None
    ) -> tuple[str, bytes]:
        """Topic and payload of a message of this world's gateway."""
        where = topic(gateway_id(gateway or self.gateway), lane)
        return where, seal(key or self.key, where, body)

    def reading(self, **changed: Any) -> tuple[str, bytes]:
        """Topic and payload of a reading of this world's oximeter."""
        return self.sealed(Lane.READINGS, render_reading(reading(**changed)))

    def frame(self, number: int = 0, reason: str = "1 byte is missing") -> tuple[str, bytes]:
        """Topic and payload of a frame that no profile could read."""
        refused = RefusedFrame(
            id=an_id(f"frame {number}"),
            device=DeviceId(OXIMETER),
            model=None,
            characteristic="2A5E",
            frame=b"\x00\x62",
            heard_at=START,
            reason=reason,
        )
        return self.sealed(Lane.FRAMES, render_frame(refused))


def an_id(seed: object) -> ReadingId:
    return ReadingId(str(uuid5(NAMESPACE_URL, str(seed))))


def reading(
    number: int = 0,
    values: Mapping[str, Decimal | Extreme] | None = None,
    *,
    device: str = OXIMETER,
    taken_at: datetime | None = None,
    quality: Quality = Quality.GOOD,
) -> Reading:
    """Reading `number` of an oximeter, a minute after the one before."""
    given = {"spo2": Decimal(97), "pulse": Decimal(71)} if values is None else values
    return Reading(
        id=an_id(number),
        device=DeviceId(device),
        taken_at=taken_at or START - timedelta(minutes=10) + timedelta(minutes=number),
        clock=ClockSource.DEVICE,
        measurements=tuple(Measurement(metric=name, value=value) for name, value in sorted(given.items())),
        quality=quality,
    )


def make_world(
    database: Database, folder: Path, *, name: str = "Fjordvik", number: str = "9991", gateway: str = "gw-fjordvik-1"
) -> World:
    """A municipality with one of everything."""
    vault = open_vault(folder / "vault.key", create=True)
    born = START - timedelta(days=10)
    with database.write() as connection:
        municipality = people.enrol_municipality(connection, name, number, born)
        team = people.create_team(connection, municipality, f"{name} oppfølging")
        nurse = people.employ(connection, vault, team, Role.NURSE, Person(name=f"Nurse of {name}"))
        new = NewPatient(
            municipality=municipality,
            team=team,
            person=Person(name=f"Patient of {name}", national_id="13897404089"),
        )
        patient = people.enrol_patient(connection, vault, new, born)
        key = kits.enrol_gateway(connection, vault, NewGateway(id=gateway, municipality=municipality), born)
        device = kits.register_device(connection, municipality, OXIMETER, "oximeter")
        held = NewAssignment(device=device, patient=patient, gateway=gateway, starts_at=born)
        assignment = kits.assign(connection, held, born)
    return World(
        database=database,
        vault=vault,
        folder=folder,
        municipality=municipality,
        team=team,
        nurse=nurse,
        patient=patient,
        gateway=gateway,
        key=key,
        device=device,
        assignment=assignment,
    )
