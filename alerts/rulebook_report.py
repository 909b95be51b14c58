"""A rulebook in words, and where two of them differ. Values only: the commands print what is made here."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from alerts.keys import KeyProblem, Keys, exact
from alerts.rulebook import Rulebook
from alerts.rules import AnyRule, Band, Threshold
from vitals.metrics import METRICS

_ABOUT = ("kind", "enabled", "metric", "metrics", "side", "method", "relative_to")  # said in the rule's first line
_IN_UNITS = frozenset({"limit", "unless", "deadband", "more_than"})
_NO_UNIT = ("", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One key that is not the same in two rulebooks; None: not written there. `rule` is empty for the book's own."""

    rule: str
    key: str
    first: str | None
    second: str | None


def words(book: Rulebook) -> tuple[str, ...]:
    """The rulebook, line by line: where its numbers are from, then rule by rule."""
    verified = "verified" if book.verified else "not verified: numbers from a secondary source"
    runs = "" if book.ends_after is None else f"; a plan under it ends after {duration(book.ends_after)}"
    lines = [
        f"{book.name}, version {book.version} ({verified})",
        f"source: {book.source}",
        f"reviewed on {book.reviewed_on.isoformat()}{runs}",
    ]
    if book.approval_needs:
        lines.append(f"a plan under it is approved only when it states {' and '.join(book.approval_needs)}")
    for name in sorted(book.table):
        lines += ["", *_rule(name, book.table[name], book.rules.get(name))]
    return tuple(lines)


def differences(first: Rulebook, second: Rulebook) -> tuple[Difference, ...]:
    """Which numbers differ, rule by rule. Rules that mean the same do not differ, however they are written.

    Name, version and provenance are not compared: they say where numbers are from, not what they are.
    """
    found = []
    if first.ends_after != second.ends_after:
        ends = [None if book.ends_after is None else duration(book.ends_after) for book in (first, second)]
        found.append(Difference(rule="", key="ends_after", first=ends[0], second=ends[1]))
    if set(first.approval_needs) != set(second.approval_needs):
        asked = [", ".join(sorted(book.approval_needs)) or None for book in (first, second)]
        found.append(Difference(rule="", key="approval_needs", first=asked[0], second=asked[1]))
    for name in sorted({*first.table, *second.table}):
        found += _of_rule(name, first, second)
    return tuple(found)


def duration(length: timedelta) -> str:
    """A length of time as a rulebook writes it, in its largest whole unit."""
    seconds = length // timedelta(seconds=1)
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _of_rule(name: str, first: Rulebook, second: Rulebook) -> Iterator[Difference]:
    if name not in first.table or name not in second.table:
        there = ["present" if name in book.table else None for book in (first, second)]
        yield Difference(rule=name, key="", first=there[0], second=there[1])
        return
    meanings = first.rules.get(name), second.rules.get(name)
    if meanings[0] is not None and meanings[0] == meanings[1]:
        return
    one, other = _flat(first.table[name]), _flat(second.table[name])
    for key in sorted({*one, *other}):
        if one.get(key) != other.get(key):
            yield Difference(rule=name, key=key, first=one.get(key), second=other.get(key))


def _flat(table: Mapping[str, Any]) -> dict[str, str]:
    """Dotted key -> value in words; a band is called by its priority, the second of one priority "medium 2"."""
    return {key: value for key, value in _walk(table, "") if (key, value) != ("enabled", "true")}


def _walk(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _walk(each, f"{at}.{key}" if at else key)
    elif isinstance(value, list | tuple) and value and all(isinstance(each, Mapping) for each in value):
        seen: Counter[str] = Counter()
        for each in value:
            priority = str(each.get("priority", "band"))
            seen[priority] += 1
            number = f" {seen[priority]}" if seen[priority] > 1 else ""
            yield from _walk(each, f"{at}[{priority}{number}]")
    else:
        yield at, _said(value)


def _said(value: Any) -> str:
    """One value in words: numbers without idle digits, durations in their largest whole unit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        text = f"{exact(value, ''):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, str):
        try:
            return duration(Keys({"it": value}).duration("it"))
        except KeyProblem:
            return value
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_said(each)}" for name, each in value.items())
    return ", ".join(_said(each) for each in value) or "none"


def _rule(name: str, table: Mapping[str, Any], meaning: AnyRule | None) -> Iterator[str]:
    metrics = [table["metric"]] if "metric" in table else list(table.get("metrics", ()))
    about = [str(table["kind"])]
    about += [" and ".join(f"{each}{_unit(each)}" for each in metrics)] if metrics else []
    about += [_said(table[key]) for key in ("side", "method") if key in table]
    about += [f"relative to the patient's {table['relative_to']}"] if "relative_to" in table else []
    about += [] if meaning is not None else ["switched off"]
    yield f"{name}: {', '.join(about)}"
    bands = table.get("bands", ())
    for key, value in table.items():
        if key not in (*_ABOUT, "bands"):
            yield f"  {key} = {_amounts(key, value, metrics, table)}"
    for band in bands:
        told = [f"{key} = {_amounts(key, value, metrics, table)}" for key, value in band.items() if key != "priority"]
        told += _silent(band, meaning, metrics, table)
        yield f"  {band.get('priority', 'band')}: {', '.join(told)}"


def _amounts(key: str, value: Any, metrics: list[str], table: Mapping[str, Any]) -> str:
    """A value with its unit where it is an amount of the rule's metric."""
    if isinstance(value, Mapping):
        parts = (
            f"{name} {_said(each)}{_unit(name) if name in METRICS and key in _IN_UNITS | {'limits'} else ''}"
            for name, each in value.items()
        )
        return " ".join(parts)
    if key not in _IN_UNITS or isinstance(value, bool):
        return _said(value)
    if table.get("method") == "loss" and key == "limit":
        return f"{_said(value)} %"
    units = {_unit(each) for each in metrics}
    return f"{_said(value)}{units.pop() if len(units) == 1 else ''}"


def _silent(
    written: Mapping[str, Any], meaning: AnyRule | None, metrics: list[str], table: Mapping[str, Any]
) -> list[str]:
    """What holds for a band although the file does not say it."""
    if not isinstance(meaning, Threshold):
        return []
    alike = [each for each in meaning.bands if each.priority.word == written.get("priority")]
    band: Band | None = alike[0] if len(alike) == 1 else None
    if band is None or band.confirm is None or "confirm" in written:
        return []
    told = [f"confirm = within {duration(band.confirm)} (by default)"]
    amounts = [each for each in band.unless if each is not None]
    if amounts and "unless" not in written and len(metrics) == 1:
        told.append(f"unless = {_amounts('unless', amounts[0], metrics, table)} (by default)")
    return told


def _unit(metric: str) -> str:
    unit = METRICS[metric].unit if metric in METRICS else ""
    return "" if unit in _NO_UNIT else f" {unit}"
