"""What is known from readings alone, in event order: values only. `fold` makes them, `memory` keeps them.

Nothing here depends on when a reading arrived relative to another, on clicks, or on what was shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from alerts.priority import Priority
from vitals.frozen import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reading as one rule sees it: rounded values in the order of the rule's metrics, None where absent."""

    reading_id: str
    taken_at: datetime
    received_at: datetime
    values: tuple[Decimal | None, ...]
    good: bool = True
    extreme: bool = False  # too low or too high for the device, or not plausible: beyond every band of the rule
    late: bool = False
    device: str | None = None
    answer: Mapping[str, Any] | None = None  # what a rule that counts made of it and those before, for `why`


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A sample that waits for a second reading, or for silence, until `deadline`."""

    sample: Sample
    enters: tuple[int, ...]  # the bands it enters if confirmed
    deadline: datetime
    beyond: tuple[int, ...] = ()  # of a poor sample: every band it is beyond, for it counts as a good one if confirmed

    @property
    def asked(self) -> int:
        """The band it asks about: the most severe one."""
        return self.enters[-1]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class BandState:
    """One band. `clear` is None when it is not held, else how many consecutive readings were back."""

    clear: int | None = None
    sample: Sample | None = None  # what entered it
    late: bool = False  # a late reading was needed to enter it
    beyond_at: datetime | None = None  # newest reading beyond it while held
    run: tuple[Sample, ...] = ()  # consecutive readings beyond it while not held


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A condition that began and ended."""

    began_at: datetime
    ended_at: datetime
    highest: Priority
    sample: Sample  # what reached the highest
    late: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdState:
    """Where a threshold rule stands after the newest reading; time passing is added when looking."""

    kind: ClassVar[str] = "threshold"

    bands: tuple[BandState, ...]
    waits: tuple[Wait, ...] = ()  # by deadline
    began_at: datetime | None = None  # event time at which the present condition began
    highest: Priority | None = None  # of the present condition
    top: Sample | None = None  # what reached it
    fresh: bool = False  # the present condition rests on readings of this step alone; never kept in memory
    newest: Sample | None = None  # newest sample beyond a held band
    good: Sample | None = None  # newest good sample, where the rule asks again after one
    good_beyond: tuple[int, ...] = ()  # the bands it was beyond
    symptom_at: datetime | None = None  # newest answer that confirms, where the rule has one
    ended: Episode | None = None  # the condition before the present one


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class MissingState:
    """Slots up to `day` and `slot` are settled: no later reading can change whether they were fulfilled."""

    kind: ClassVar[str] = "missing"

    day: date  # the next slot's local date
    slot: int = 0  # and its number on that date
    row: int = 0  # owed slots missed in a row
    missed_from: datetime | None = None  # start of the newest missed slot that raised
    missed_at: datetime | None = None  # when it was missed
    began_at: datetime | None = None  # when the present condition, or the last one, began
    priority: Priority | None = None
    cause: str | None = None
    goods: tuple[datetime, ...] = ()  # good readings that can still fulfil a slot
    poors: tuple[datetime, ...] = ()  # poor ones, which say that the device was tried
    last_good: datetime | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """Whether the condition of a rule that counts is present, level by level, after the newest reading it judged."""

    bands: tuple[BandState, ...]  # from mild to severe
    known: bool = False  # whether the newest answer was one
    began_at: datetime | None = None  # event time at which the present condition began
    highest: Priority | None = None  # of the present condition
    top: Sample | None = None  # what reached it
    fresh: bool = False  # the present condition rests on readings of this step alone; never kept in memory
    newest: Sample | None = None  # newest sample that met it
    ended: Episode | None = None  # the condition before the present one


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The newest good value of one parameter of a score."""

    value: Decimal  # infinite for LO and HI
    taken_at: datetime
    reading_id: str
    late_at: datetime | None = None  # when it arrived, if late


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreState:
    """The values that a score can still take."""

    kind: ClassVar[str] = "score"

    spell: Spell
    parts: Mapping[str, Part] = field(default_factory=dict)  # metric -> value


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One local day's value: the first good reading of the day."""

    day: date
    value: Decimal
    late_at: datetime | None = None  # when it arrived, if late


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class TrendState:
    """The days that a trend can still need, oldest first; the newest is always among them."""

    kind: ClassVar[str] = "trend"

    spell: Spell
    days: tuple[Day, ...] = ()
    cusum: Decimal | None = None  # as of the newest day; None before the baseline is known
    taken_at: datetime | None = None  # of the newest day's value


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One good reading of a mean: values in the order of the rule's metrics."""

    day: date
    values: tuple[Decimal | None, ...]
    late_at: datetime | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class MeanState:
    """A series of readings: its first day, its newest reading, and those of the last seven days."""

    kind: ClassVar[str] = "mean"

    spell: Spell
    readings: tuple[Counted, ...] = ()
    first_day: date | None = None
    last_at: datetime | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CompoundState:
    """The newest symptom answer and the local day it was given."""

    kind: ClassVar[str] = "compound"

    spell: Spell
    answer: Decimal | None = None
    answered_on: date | None = None
    late_at: datetime | None = None


CountingState = ScoreState | TrendState | MeanState | CompoundState
RuleState = ThresholdState | MissingState | ScoreState | TrendState | MeanState | CompoundState


def spell_of(state: RuleState | None) -> ThresholdState | Spell | None:
    """The condition in a rule's state: when it began, what was the highest. None where readings make no condition."""
    if isinstance(state, ThresholdState):
        return state
    return None if state is None or isinstance(state, MissingState) else state.spell


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPast:
    """What the rules need to know of one metric besides their own states."""

    good_at: datetime | None = None  # newest good value
    value: Decimal | None = None  # that value, None where it has no number
    seen: bool = False  # any value was ever delivered


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineState:
    """A baseline being collected, or known: `value` is fixed from then on."""

    value: Decimal | None = None
    values: tuple[Decimal, ...] = ()
    days: tuple[date, ...] = ()
    known_from: datetime | None = None
    spread: Decimal | None = None  # sample standard deviation of the values that made it


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A value that is not believed until a person accepts it."""

    reading_id: str
    metric: str
    value: str
    taken_at: datetime
    received_at: datetime
    reason: str
    device: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything known from the readings up to `last`, the place of the newest one in event order."""

    last: tuple[datetime, str] | None = None
    states: Mapping[str, RuleState] = field(default_factory=dict)  # rule -> state
    metrics: Mapping[str, MetricPast] = field(default_factory=dict)
    baselines: Mapping[str, BaselineState] = field(default_factory=dict)  # rule -> its baseline
    quarantine: tuple[Quarantined, ...] = ()
