"""Whose reading is it? The patient's to whom the device was assigned when it was taken, and nobody else's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select

from server.db import tables
from server.db.asking import Within, asked_about
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


def register(assigned: Iterable[Any]) -> Register:
    """The rows that `assignments` gave, by device."""
    found: dict[tuple[str, str], list[Assignment]] = {}
    for row in assigned:
        held = found.setdefault((row.municipality_id, row.address), [])
        if row.patient_id is not None:
            held.append(
                Assignment(patient=row.patient_id, gateway=row.gateway_id, starts_at=row.starts_at, ends_at=row.ends_at)
            )
    return found


@asked_about
def assignments(within: Within) -> Select[Any]:
    """Who has, and had, the devices of these addresses."""
    device, assignment = tables.device.c, tables.assignment.c
    return (
        select(
            device.municipality_id,
            device.address,
            assignment.patient_id,
            assignment.gateway_id,
            assignment.starts_at,
            assignment.ends_at,
        )
        .select_from(tables.device.outerjoin(tables.assignment, assignment.device_id == device.id))
        .where(within(device.address))
    )


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
