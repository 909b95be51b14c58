"""Rules as values: the numbers are data, each kind asks one question (its own module answers it).

Adding a kind: a frozen class here, a reader in `rule_table`, its state in `history`, a module with its question, a
line in `kinds`.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from alerts.priority import Priority

CONFIRM_DEFAULT = timedelta(minutes=15)


class Side(StrEnum):
    """On which side of a limit trouble lies."""

    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One limit and how urgent it is to be beyond it.

    `limits` and `unless` stand in the order of the rule's metrics (None: no such limit for that metric).
    """

    limits: tuple[Decimal | None, ...]
    priority: Priority
    confirm: timedelta | None = None  # wait so long for a second reading
    unless: tuple[Decimal | None, ...] = ()  # a good value that extreme does not wait
    readings: int = 1  # consecutive readings beyond it that enter it
    apart: timedelta | None = None  # first and last of the run at least so far apart
    most: timedelta | None = None  # ... and at most so far
    silence: timedelta | None = None  # nothing good for so long after an unfinished run enters it too
    ask_again: timedelta | None = None  # ask the patient so long after a good reading beyond it

    @property
    def is_run(self) -> bool:
        """Whether one reading is not enough."""
        return self.readings > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineNeed:
    """When a baseline is known: so many good values on so many local days."""

    readings: int = 7
    days: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What all rules share. `individual`: some number was replaced for this patient."""

    kind: ClassVar[str] = ""

    name: str
    needs_outcome: bool | None = None  # None: an outcome is needed from medium up
    rearm_after: timedelta | None = None  # None: the default of kind and priority
    individual: bool = False

    @property
    def listens_to(self) -> tuple[str, ...]:
        """The metrics whose readings this rule judges."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Rule):
    """Is a value beyond a limit? Bands stand from mild to severe."""

    kind: ClassVar[str] = "threshold"

    metrics: tuple[str, ...]
    side: Side
    bands: tuple[Band, ...]
    deadband: tuple[Decimal, ...]  # in the order of the metrics
    clear_readings: int = 2
    max_age: timedelta | None = None
    relative: bool = False  # limits are offsets from the baseline
    baseline: BaselineNeed = BaselineNeed()

    @property
    def asks_again(self) -> bool:
        """Whether some band wants another reading after a while."""
        return any([band.ask_again is not None for band in self.bands])  # noqa: C419 - a list is quicker here

    @property
    def listens_to(self) -> tuple[str, ...]:
        return self.metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A span of wall time within one day, in minutes since midnight, in which a reading is owed."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(Rule):
    """Is a scheduled reading overdue?"""

    kind: ClassVar[str] = "missing"

    metric: str
    slots: tuple[Slot, ...] = ()  # in the patient's wall time, sorted, not overlapping
    weekly: bool = False  # once from Monday to Sunday instead of slots
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)  # Monday is 0
    grace: timedelta = timedelta(0)
    remind_at: tuple[int, ...] = ()  # minutes since midnight
    priority: Priority = Priority.LOW
    worse_after: int | None = None  # missed in a row
    worse_priority: Priority = Priority.MEDIUM

    @property
    def listens_to(self) -> tuple[str, ...]:
        return (self.metric,)


AnyRule = Threshold | Missing
