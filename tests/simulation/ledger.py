"""What devices measured, and what a gateway said it kept: the oracle against which the server's tables are held."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """One measurement in a device's memory. `shown` is the device's own time (naive, local); None: it has no clock."""

    device: str
    spo2: int
    pulse: int
    shown: datetime | None
    kept: bool = False  # the gateway's promise: it is on its disk
    confirmed: bool = False  # the device has forgotten it
    tried_at: float | None = None  # when it was first said to the gateway

    @property
    def values(self) -> tuple[str, int, int]:
        """What of it is found again in the server's tables."""
        return (self.device, self.spo2, self.pulse)


@dataclass(slots=True)
class Ledger:
    """Every record of the run."""

    records: list[Record] = field(default_factory=list)

    def new(self, record: Record) -> Record:
        """A person has measured."""
        self.records.append(record)
        return record

    @property
    def kept(self) -> list[Record]:
        """Those that must be in the server's tables in the end, each once."""
        return [each for each in self.records if each.kept]
