"""What the radio counts, for the heartbeat and for whoever has to drive out to a home."""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from gateway.link import Bond
from gateway.pairing import Enrolment

_STRANGERS_MAX = 1000  # addresses of passing telephones change all the time


@dataclass(slots=True)
class AdapterHealth:
    """One adapter since this process began. `strangers` are devices that are not ours: counted, never read."""

    rescans: int = 0  # a silence ended by a new scan
    resets: int = 0  # by switching the adapter off and on
    failures: int = 0  # the stack gave up
    sessions: int = 0
    strangers: set[str] = field(default_factory=set)

    def stranger(self, address: str) -> None:
        """Note that somebody else's device was heard."""
        if len(self.strangers) < _STRANGERS_MAX:
            self.strangers.add(address)


@dataclass(slots=True)
class DeviceHealth:
    """One device since this process began; `bonds` by adapter."""

    sessions: int = 0
    failures: int = 0
    records_refused: int = 0  # requests for its memory
    clock_sets: int = 0
    bonds: dict[str, Bond] = field(default_factory=dict)


@dataclass(slots=True)
class Health:
    """Everything together, by adapter's name and by device's address."""

    adapters: dict[str, AdapterHealth] = field(default_factory=dict)
    devices: dict[str, DeviceHealth] = field(default_factory=dict)

    def adapter(self, name: str) -> AdapterHealth:
        return self.adapters.setdefault(name, AdapterHealth())

    def device(self, address: str) -> DeviceHealth:
        return self.devices.setdefault(address, DeviceHealth())


@runtime_checkable
class Observed(Protocol):
    """A radio that says how it is, and that can bond."""

    health: Health
    enrolment: Enrolment
