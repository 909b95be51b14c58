"""What a rule that counts several readings found, as a template can show it: a score, a trend, a mean, a compound."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

KINDS = ("score", "trend", "mean", "compound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The numbers behind one answer; what its kind does not have is None or empty."""

    kind: str
    method: str | None  # of a trend
    limit: Decimal | None  # of what was counted, which is not always in the unit of the metric
    change: Decimal | None  # how far it moved: a difference, percent, or a spread
    compared: Decimal | None  # with what
    compared_at: datetime | None  # noon UTC of the day it was measured
    baseline: Decimal | None
    means_limit: Decimal | None  # of a rising trend: how far the newest mean may lie above the longer one
    cusum_limit: Decimal | None  # ... and what the rise above the own normal may add up to
    limits: tuple[tuple[str, Decimal], ...]  # of a mean: metric and its limit
    any_of: tuple[str, ...]  # of a compound: the rules it asks about
    days: int | None
    readings: int | None
    on_days: int | None
    singles: tuple[str, ...]  # parameters that give 3 by themselves
    missing: tuple[str, ...]  # parameters not known
    present: tuple[str, ...]  # rules whose condition is present


def read(why: Mapping[str, Any]) -> Counted | None:
    """The numbers in a mapping written by the rules; None where no such kind wrote it."""
    kind = why.get("kind")
    if kind not in KINDS:
        return None
    return Counted(
        kind=str(kind),
        method=str(why["method"]) if why.get("method") else None,
        limit=number(why.get("limit")),
        change=number(why.get("change")),
        compared=number(why.get("compared")),
        compared_at=_noon(why.get("compared_on")),
        baseline=number(why.get("baseline")),
        means_limit=number(why.get("macd_limit")),
        cusum_limit=number(why.get("cusum_limit")),
        limits=_limits(why.get("limits")),
        any_of=_words(why.get("any_of")),
        days=_whole(why.get("days")),
        readings=_whole(why.get("readings")),
        on_days=_whole(why.get("on_days")),
        singles=_words(why.get("single")),
        missing=_words(why.get("missing")),
        present=_words(why.get("present")),
    )


def number(value: object) -> Decimal | None:
    """A finite number in a mapping, or None."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _noon(text: object) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(12), UTC) if isinstance(text, str) else None
    except ValueError:
        return None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _limits(value: object) -> tuple[tuple[str, Decimal], ...]:
    known = ((str(name), number(each)) for name, each in value.items()) if isinstance(value, Mapping) else ()
    return tuple((name, each) for name, each in known if each is not None)


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list | tuple) else ()
