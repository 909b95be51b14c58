"""Reading a table strictly: every key known, every value of its type, every refusal naming the key.

Serves rulebooks, plans and stories alike. A table comes from TOML (numbers as int or Decimal) or from JSON.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

_DURATION = re.compile(r"(\d{1,6})(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_WALL = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_TOML_LINE = re.compile(r"at line (\d+)")
_TOML_KEY = re.compile(r"\s*([\w.-]+)\s*=")
_TOML_TABLE = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class KeyProblem(ValueError):  # noqa: N818 - a problem until a file's name is known, then an error
    """One key that cannot be used: `key` is its dotted path, `reason` says why in words."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}" if key else reason)
        self.key = key
        self.reason = reason


class Keys:
    """A table being read; `finish` refuses what nobody asked for."""

    def __init__(self, table: object, at: str = "") -> None:
        if not isinstance(table, Mapping):
            raise KeyProblem(at, "must be a table")
        self._table: Mapping[str, Any] = table
        self._at = at
        self._asked: set[str] = set()

    def path(self, name: str) -> str:
        """The dotted path of a key of this table."""
        return f"{self._at}.{name}" if self._at else name

    def problem(self, name: str, reason: str) -> KeyProblem:
        """A refusal of that key, ready to raise."""
        return KeyProblem(self.path(name), reason)

    def has(self, name: str) -> bool:
        """Whether the key is there."""
        return name in self._table

    def raw(self, name: str, default: Any = ...) -> Any:
        """The value as it stands; without a default the key must be there."""
        self._asked.add(name)
        if name in self._table:
            return self._table[name]
        if default is ...:
            raise self.problem(name, "missing")
        return default

    def text(self, name: str, default: Any = ...) -> str:
        """A text that is not empty."""
        value = self.raw(name, default)
        if not isinstance(value, str) or (not value and name in self._table):
            raise self.problem(name, "must be a text")
        return value

    def choice(self, name: str, words: Sequence[str], default: Any = ...) -> str:
        """One of `words`."""
        value = self.raw(name, default)
        if value not in words or not isinstance(value, str):
            raise self.problem(name, f"must be one of {', '.join(words)}, not {value!r}")
        return value

    def flag(self, name: str, default: Any = ...) -> bool:
        """true or false."""
        value = self.raw(name, default)
        if not isinstance(value, bool):
            raise self.problem(name, "must be true or false")
        return value

    def whole(self, name: str, default: Any = ..., *, least: int = 0) -> int:
        """A whole number, at least `least`."""
        value = self.raw(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.problem(name, f"must be a whole number, at least {least}")
        return value

    def number(self, name: str) -> Decimal:
        """An exact number."""
        return exact(self.raw(name), self.path(name))

    def duration(self, name: str, default: Any = ...) -> timedelta:
        """A length of time such as 30s, 15min, 2h or 3d."""
        value = self.raw(name, default)
        if isinstance(value, timedelta):
            return value
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise self.problem(name, f"must be a duration such as 30s, 15min, 2h or 3d, not {value!r}")
        return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])

    def optional_duration(self, name: str) -> timedelta | None:
        """A duration, or None where the key is absent."""
        return self.duration(name) if self.has(name) else None

    def dates(self, name: str) -> tuple[date, ...]:
        """A list of dates; absent is empty."""
        return tuple(_date(each, f"{self.path(name)}[{at}]") for at, each in enumerate(self._list(name, ())))

    def texts(self, name: str, default: Any = ...) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        value = self.raw(name, default)
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list | tuple) or not all(isinstance(each, str) for each in values):
            raise self.problem(name, "must be a list of texts")
        return tuple(values)

    def tables(self, name: str, default: Any = ...) -> tuple["Keys", ...]:
        """A list of tables, each ready to be read."""
        return tuple(Keys(each, f"{self.path(name)}[{at}]") for at, each in enumerate(self._list(name, default)))

    def table(self, name: str, default: Any = ...) -> "Keys":
        """A table within this one."""
        return Keys(self.raw(name, default), self.path(name))

    def names(self) -> tuple[str, ...]:
        """Every key of this table, in its order; all count as asked for."""
        self._asked.update(self._table)
        return tuple(self._table)

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        unknown = [name for name in self._table if name not in self._asked]
        if unknown:
            raise self.problem(unknown[0], "unknown key")

    def _list(self, name: str, default: Any) -> Sequence[Any]:
        value = self.raw(name, default)
        if not isinstance(value, list | tuple):
            raise self.problem(name, "must be a list")
        return value


def exact(value: object, at: str) -> Decimal:
    """A number of a table as an exact decimal; a float from JSON is taken by its shortest text."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise KeyProblem(at, "must be a number")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or abs(number) >= 10**9:
        raise KeyProblem(at, "must be a number that can be measured")
    return number


def toml_key(text: str, error: ValueError) -> str:
    """The key of the line at which `text` stops being TOML, after its table's name; empty when there is none."""
    place = _TOML_LINE.search(str(error))
    lines = text.splitlines()[: int(place[1])] if place else []
    key = _TOML_KEY.match(lines[-1]) if lines else None
    if key is None:
        return ""
    tables = [found[1] for found in map(_TOML_TABLE.match, lines) if found]
    return ".".join([*tables[-1:], key[1]])


def wall_minutes(text: str, at: str) -> int:
    """Minutes since midnight of a wall time such as 07:00; 24:00 is the day's end."""
    match = _WALL.fullmatch(text)
    minutes = int(match[1]) * 60 + int(match[2]) if match else 9999
    if minutes > 1440:
        raise KeyProblem(at, f"must be a time such as 07:00, not {text!r}")
    return minutes


def wall_span(text: str, at: str) -> tuple[int, int]:
    """The two ends, in minutes since midnight, of a span within one day such as 07:00-10:00."""
    first, dash, last = text.partition("-")
    if not dash:
        raise KeyProblem(at, f"must be a span such as 07:00-10:00, not {text!r}")
    start, end = wall_minutes(first, at), wall_minutes(last, at)
    if start >= end:
        raise KeyProblem(at, f"{text!r} must end after it starts, within one day")
    return start, end


def weekdays(text: str, at: str) -> tuple[int, ...]:
    """The weekdays (Monday is 0) of a text such as mon-fri or mon,wed,fri."""
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise KeyProblem(at, f"must be weekdays such as mon-fri, not {text!r}")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return tuple(sorted(days))


def _date(value: object, at: str) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise KeyProblem(at, f"{value!r} is not a date such as 2026-05-17") from None
    if type(value) is not date:
        raise KeyProblem(at, "must be a date such as 2026-05-17")
    return value
