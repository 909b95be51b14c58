"""Rules as values: the numbers are data, each kind asks one question (its own module answers it).

Adding a kind: a frozen class here, a reader in `rule_table`, its state in `history`, a module with its question, a
line in `kinds`.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from alerts.priority import Priority
from vitals.metrics import METRICS

CONFIRM_DEFAULT = timedelta(minutes=15)
SCORED = ("respiration", "spo2", "oxygen_flow", "systolic", "pulse", "consciousness", "temperature")  # by NEWS2


_ZERO = Decimal(0)


def above(limit: Decimal, step: Decimal) -> Decimal:
    """The first of the values that are `step` apart that is more than `limit`."""
    return limit.quantize(step, rounding=ROUND_FLOOR) + step


def below(limit: Decimal, step: Decimal) -> Decimal:
    """The last of the values that are `step` apart that is less than `limit`."""
    return limit.quantize(step, rounding=ROUND_CEILING) - step


class Side(StrEnum):
    """On which side of a limit trouble lies."""

    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLimit:
    """Where a band's limit stands once the patient's own level is known: `offset` from it, or at the prescribed
    floor, and never nearer to normal than `at_most`."""

    offset: Decimal
    at_floor: bool = False
    at_most: Decimal | None = None
    confirm: timedelta | None = None  # instead of the band's


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One limit and how urgent it is to be beyond it.

    `limits` and `unless` stand in the order of the rule's metrics (None: no such limit for that metric).
    """

    limits: tuple[Decimal | None, ...]
    priority: Priority
    confirm: timedelta | None = None  # wait so long for a second reading
    symptom: str | None = None  # an answer of 1 to this, as long before or in the wait, confirms at once
    unless: tuple[Decimal | None, ...] = ()  # a good value that extreme does not wait
    readings: int = 1  # consecutive readings beyond it that enter it
    apart: timedelta | None = None  # first and last of the run at least so far apart
    most: timedelta | None = None  # ... and at most so far
    silence: timedelta | None = None  # nothing good for so long after an unfinished run enters it too
    ask_again: timedelta | None = None  # ask the patient so long after a good reading beyond it
    own: OwnLimit | None = None  # where it stands once there is a baseline

    @property
    def is_run(self) -> bool:
        """Whether one reading is not enough."""
        return self.readings > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineNeed:
    """When a baseline is known: so many good values on so many local days."""

    readings: int = 7
    days: int = 5


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What all rules share. `individual`: some number was replaced for this patient.

    Not slotted: what follows from the numbers is worked out once and kept with the rule.
    """

    kind: ClassVar[str] = ""

    name: str
    needs_outcome: bool | None = None  # None: an outcome is needed from medium up
    rearm_after: timedelta | None = None  # None: the default of kind and priority
    individual: bool = False


@dataclass(frozen=True, kw_only=True)
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
    with_baseline: bool = False  # the bands stand elsewhere once there is a baseline
    floored: bool = False  # a floor is prescribed for this patient
    symptom: str | None = None  # an answer that confirms what waits

    def __hash__(self) -> int:
        return hash(self.name)  # the whole of it would cost more than what is remembered by it

    @cached_property
    def asks_again(self) -> bool:
        """Whether some band wants another reading after a while."""
        return any(band.ask_again is not None for band in self.bands)

    @cached_property
    def nearest(self) -> tuple[Decimal | None, ...]:
        """Of all bands, the limit nearest to normal, metric by metric: what is not beyond it is beyond none."""
        choose = max if self.side is Side.BELOW else min
        by_metric = [[band.limits[at] for band in self.bands] for at in range(len(self.metrics))]
        known = [[each for each in limits if each is not None] for limits in by_metric]
        return tuple(choose(limits, default=None) for limits in known)

    @cached_property
    def ordinary(self) -> tuple[tuple[str, Decimal | None, Decimal | None], ...]:
        """By metric the least and the greatest value that is beyond no band; None: no such end."""
        return self.ordinary_from((_ZERO,) * len(self.metrics))

    def ordinary_from(self, offsets: tuple[Decimal, ...]) -> tuple[tuple[str, Decimal | None, Decimal | None], ...]:
        """The same where the limits are offsets from the patient's own levels."""
        found: list[tuple[str, Decimal | None, Decimal | None]] = []
        for metric, limit, offset in zip(self.metrics, self.nearest, offsets, strict=True):
            step = METRICS[metric].step
            if limit is None:
                found.append((metric, None, None))
            elif self.side is Side.BELOW:
                found.append((metric, above(limit + offset, step), None))
            else:
                found.append((metric, None, below(limit + offset, step)))
        return tuple(found)

    @cached_property
    def listens_to(self) -> tuple[str, ...]:
        return self.metrics if self.symptom is None else (*self.metrics, self.symptom)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A span of wall time within one day, in minutes since midnight, in which a reading is owed."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
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

    def __hash__(self) -> int:
        return hash(self.name)  # the whole of it would cost more than what is remembered by it

    @cached_property
    def listens_to(self) -> tuple[str, ...]:
        return (self.metric,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreBand:
    """A sum of points and how urgent it is to have that many."""

    sum: int
    priority: Priority


@dataclass(frozen=True, kw_only=True)
class Score(Rule):
    """Is the NEWS2 sum of the newest values high, or one of them a 3 by itself?"""

    kind: ClassVar[str] = "score"

    bands: tuple[ScoreBand, ...]  # from mild to severe
    single: Priority | None = None  # of a single 3
    needs_scale: bool = False  # not computed until an oxygen scale is prescribed

    @cached_property
    def listens_to(self) -> tuple[str, ...]:
        return SCORED

    @cached_property
    def levels(self) -> tuple[Priority, ...]:
        """The priorities it can have, from mild to severe."""
        return tuple(sorted({each.priority for each in self.bands} | ({self.single} if self.single else set())))


class Method(StrEnum):
    """How daily values are compared; `trend` says exactly how."""

    DELTA = "delta"
    MACD_CUSUM = "macd_cusum"
    RESID_SD = "resid_sd"
    LOSS = "loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendBand:
    """How far is beyond (at the limit, or only past it) and how urgent that is; None: the method has its own limits."""

    limit: Decimal | None
    priority: Priority
    is_past: bool = False


@dataclass(frozen=True, kw_only=True)
class Trend(Rule):
    """Do the daily values of a metric move away from what they were?"""

    kind: ClassVar[str] = "trend"

    metric: str
    method: Method
    bands: tuple[TrendBand, ...]  # from mild to severe
    days: int = 0  # how far back, for delta and loss
    deadband: Decimal = Decimal(0)  # for delta
    clear_readings: int = 1  # daily values; more than one only for delta
    baseline: BaselineNeed = BaselineNeed()

    @cached_property
    def listens_to(self) -> tuple[str, ...]:
        return (self.metric,)

    @cached_property
    def levels(self) -> tuple[Priority, ...]:
        """The priorities of its bands."""
        return tuple([each.priority for each in self.bands])


@dataclass(frozen=True, kw_only=True)
class Mean(Rule):
    """Is the mean of a week's readings at or above a limit, for any of the metrics?"""

    kind: ClassVar[str] = "mean"

    metrics: tuple[str, ...]
    limits: tuple[Decimal, ...]  # in the order of the metrics
    least: int  # readings
    least_days: int
    priority: Priority

    @cached_property
    def listens_to(self) -> tuple[str, ...]:
        return self.metrics

    @cached_property
    def levels(self) -> tuple[Priority, ...]:
        """The one priority it has."""
        return (self.priority,)


@dataclass(frozen=True, kw_only=True)
class Compound(Rule):
    """Is there a symptom today while one of the named rules' conditions is present?"""

    kind: ClassVar[str] = "compound"

    symptom: str
    any_of: tuple[str, ...]
    metrics: tuple[str, ...]  # of the named rules
    priority: Priority

    @cached_property
    def listens_to(self) -> tuple[str, ...]:
        return (self.symptom, *(each for each in self.metrics if each != self.symptom))

    @cached_property
    def levels(self) -> tuple[Priority, ...]:
        """The one priority it has."""
        return (self.priority,)


Counting = Score | Trend | Mean | Compound  # the kinds that make one answer of several readings, and never wait
AnyRule = Threshold | Missing | Score | Trend | Mean | Compound
