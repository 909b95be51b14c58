"""Whose reading is it? The patient's to whom the device was assigned when it was taken, and nobody else's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from server.db import tables
from server.db.dialect import among
from server.ingest.receive import Arrived


class Unclaimed(StrEnum):
    """Why a reading belongs to nobody."""

    UNKNOWN_DEVICE = "unknown_device"  # no such device in the gateway's municipality
    NOT_ASSIGNED = "not_assigned"  # nobody had it at that time
    HEARD_TWICE = "heard_twice"  # the patient's already, through another gateway
    OTHER_GATEWAY = "other_gateway"  # somebody had it, but with another gateway: not this one's to speak for


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A device in somebody's hands, from `starts_at` up to `ends_at`."""

    patient: str
    gateway: str
    starts_at: datetime
    ends_at: datetime | None

    def holds(self, moment: datetime) -> bool:
        """Whether the device was this patient's at `moment`."""
        return self.starts_at <= moment and (self.ends_at is None or moment < self.ends_at)


Register = Mapping[tuple[str, str], Sequence[Assignment]]  # (municipality, device address) -> its assignments


def register(connection: Connection, arrived: Iterable[Arrived]) -> Register:
    """The assignments of every device that these readings name."""
    addresses = {each.reading.device for each in arrived}
    if not addresses:
        return {}
    device, assignment = tables.device, tables.assignment
    rows = connection.execute(
        select(
            device.c.municipality_id,
            device.c.address,
            assignment.c.patient_id,
            assignment.c.gateway_id,
            assignment.c.starts_at,
            assignment.c.ends_at,
        )
        .outerjoin(assignment, assignment.c.device_id == device.c.id)
        .where(among(connection, device.c.address, addresses))
    )
    found: dict[tuple[str, str], list[Assignment]] = {}
    for municipality, address, patient, gateway, starts_at, ends_at in rows:
        held = found.setdefault((municipality, address), [])
        if patient is not None:
            held.append(Assignment(patient=patient, gateway=gateway, starts_at=starts_at, ends_at=ends_at))
    return found


def owner(known: Register, arrived: Arrived) -> str | Unclaimed:
    """The id of the patient whose reading it is, or why it is nobody's."""
    assignments = known.get((arrived.municipality, arrived.reading.device))
    if assignments is None:
        return Unclaimed.UNKNOWN_DEVICE
    current = [each for each in assignments if each.holds(arrived.reading.taken_at)]
    if not current:
        return Unclaimed.NOT_ASSIGNED
    own = [each for each in current if each.gateway == arrived.gateway]
    return own[0].patient if own else Unclaimed.OTHER_GATEWAY
