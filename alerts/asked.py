"""What a rule that counts several readings is shown: one reading, and what else is known before it."""

from collections.abc import Container, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from alerts.history import BaselineState, RuleState, Sample
from alerts.intake import Seen
from alerts.plan import Plan


class Asked(NamedTuple):
    """One reading in event order. `states` and `baselines` are as they stood before it, or for compound rules after."""

    seen: Seen
    day: date  # the reading's local date
    plan: Plan
    states: Mapping[str, RuleState]
    baselines: Mapping[str, BaselineState]
    resets: Mapping[str, tuple[datetime, ...]]  # rule -> when a person closed its alert
    fresh: Container[str]  # readings first judged in this step

    @property
    def late_at(self) -> datetime | None:
        """When the reading arrived, if late."""
        return self.seen.reading.received_at if self.seen.late else None

    def number(self, metric: str) -> Decimal | None:
        """The good value of `metric`; None where there is none, or none with a number."""
        value = self.seen.values.get(metric)
        return value.number if value is not None and value.good and value.number.is_finite() else None

    def sample(self, values: tuple[Decimal | None, ...], answer: Mapping[str, object] | None) -> Sample:
        """The reading as the place where a rule gave this answer."""
        reading = self.seen.reading
        return Sample(
            reading_id=reading.reading_id,
            taken_at=reading.taken_at,
            received_at=reading.received_at,
            values=values,
            late=self.seen.late,
            device=reading.device,
            answer=answer,
        )
