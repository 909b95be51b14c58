"""A patient who is well, in one line: the newest value of each thing that was measured. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from server.web.views.worklist import PatientLine
from vitals.reading import Extreme


@dataclass(frozen=True, slots=True, kw_only=True)
class Green:
    """Who it is, what was measured last (metric and value), when it came, and when somebody looked before."""

    line: PatientLine
    values: tuple[tuple[str, Decimal | Extreme], ...]
    newest_at: datetime
    looked_at: datetime | None


def green(line: PatientLine, row: Any, values: Mapping[tuple[str, str], Sequence[Any]]) -> Green:
    """The line of one patient; `values` by patient and metric."""
    own = [(metric, rows[-1]) for (patient, metric), rows in values.items() if patient == line.id and rows]
    own.sort(key=lambda each: each[1].taken_at, reverse=True)
    return Green(
        line=line,
        values=tuple((metric, each.value) for metric, each in own),
        newest_at=row.newest_at,
        looked_at=row.looked_at,
    )
