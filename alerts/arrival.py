"""A reading as the rules see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from vitals.frozen import quick
from vitals.reading import Extreme, Quality


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One act of measuring, in canonical units, exact as delivered (the rules round on entering).

    `judged`: an earlier step has seen it; matters only in a complete view, where it tells late data from known past.
    """

    reading_id: str
    taken_at: datetime  # aware UTC
    received_at: datetime  # aware UTC
    values: Mapping[str, Decimal | Extreme]
    quality: Quality = Quality.GOOD
    device: str | None = None
    judged: bool = False

    @property
    def key(self) -> tuple[datetime, str]:
        """Its place in event order."""
        return (self.taken_at, self.reading_id)
