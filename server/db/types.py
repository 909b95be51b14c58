"""Column types that keep what a plain column would lose: the zone of a time and the digits of a value."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator, TypeEngine

from vitals.reading import Extreme

_EXTREMES = frozenset(Extreme)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment, stored and returned as UTC; a naive one is refused, because its hour is a guess."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone and cannot be stored")
        moment = value.astimezone(UTC)
        # A database without zones would read the offset as part of the text and sort by it.
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """At once from what the driver gives: pages read moments by the ten thousand."""
        if dialect.name == "sqlite":
            return lambda text: None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
        return lambda moment: None if moment is None else moment.astimezone(UTC)


class MeasuredValue(TypeDecorator[Decimal | Extreme]):
    """A measured value as text: every digit of a decimal, or the device's LO or HI. A float is refused."""

    impl = String(48)
    cache_ok = True

    def process_bind_param(self, value: Decimal | Extreme | None, dialect: Dialect) -> str | None:
        if value is None or isinstance(value, Extreme):
            return value
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError(f"a measured value is a finite Decimal, LO or HI, not {value!r}")
        return str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | Extreme | None:
        if value is None:
            return None
        return Extreme(value) if value in _EXTREMES else Decimal(value)


def often(kind: TypeEngine[Any], make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`make`, which turns values of a type into others, but it remembers moments: a batch names the same ones again.

    Not numbers: equal ones may differ in their digits.
    """
    return lru_cache(maxsize=4096)(make) if isinstance(kind, UTCDateTime) else make
