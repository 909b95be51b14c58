"""What a threshold asked for besides its limit, and why a value was not believed, as a template can show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from server.web.views.counted import number
from vitals.metrics import METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Banded:
    """The demands of one band; what it did not ask for is None or empty. Limits stand where values can stand."""

    readings: int | None  # in a row
    apart: timedelta | None
    silence: timedelta | None  # nothing new for so long counts as well
    confirm: timedelta | None  # a second measurement was waited for so long
    baseline: Decimal | None
    baseline_set_by: str | None  # plan | start_up
    limit_from: str | None  # rulebook | plan | baseline | floor
    quiet: tuple[tuple[str, Decimal], ...]  # of two metrics: metric and the value that would have been quiet
    doubt: str | None  # range | jump | pulse_pressure
    least: Decimal | None
    most: Decimal | None
    compared: Decimal | None


def read(why: Mapping[str, Any]) -> Banded:
    """The demands in a mapping written by the rules; what is missing there is None here."""
    each = why["quiet"] if isinstance(why.get("quiet"), Mapping) else {}
    quiet = ((str(metric), number(value)) for metric, value in each.items())
    return Banded(
        readings=why["readings"] if isinstance(why.get("readings"), int) and why.get("kind") == "threshold" else None,
        apart=_span(why.get("apart_s")),
        silence=_span(why.get("silence_s")),
        confirm=_span(why.get("confirm_s")),
        baseline=number(why.get("baseline")),
        baseline_set_by=_text(why.get("baseline_set_by")),
        limit_from=_text(why.get("limit_from")),
        quiet=tuple((metric, value) for metric, value in quiet if value is not None),
        doubt=_text(why.get("doubt")),
        least=number(why.get("least")),
        most=number(why.get("most")),
        compared=number(why.get("compared")),
    )


def standing(metric: str | None, limit: Decimal | None, side: str | None) -> Decimal | None:
    """The limit where a value of the metric can stand: at or below 95.5 % is at or below 95 %."""
    known = METRICS.get(metric or "")
    if limit is None or known is None or side not in ("below", "above"):
        return limit
    step = Decimal(1).scaleb(-known.decimals)
    return limit.quantize(step, rounding=ROUND_FLOOR if side == "below" else ROUND_CEILING)


def _span(seconds: object) -> timedelta | None:
    known = isinstance(seconds, int) and not isinstance(seconds, bool)
    return timedelta(seconds=seconds) if known and isinstance(seconds, int) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
