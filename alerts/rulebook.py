"""Rulebooks: named, versioned, sourced tables of rules. One of the two edges of this package that read files.

A rulebook file names `name`, `version`, `source`, `reviewed_on`, `verified`, perhaps `ends_after` and `approval_needs`,
and `[rules.NAME]` tables. Outside the demo a clinician signs a rulebook before a plan may use it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from alerts.keys import KeyProblem, Keys, toml_key
from alerts.plan import PatientFacts, Plan, PlanError, from_mapping
from alerts.rule_table import read_rules
from alerts.rules import AnyRule

_SHIPPED = Path(__file__).parent / "rulebooks"
# Two ways to say one thing: a patient's own key takes the place of these.
_INSTEAD = {
    "bands": ("priority", "limit", "more_than"),
    "priority": ("bands",),
    "limit": ("more_than",),
    "more_than": ("limit",),
    "slots": ("every",),
    "every": ("slots",),
    "metric": ("metrics",),
    "metrics": ("metric",),
}
_FACTS = ("age", "on_oxygen", "spo2_floor", "spo2_scale")  # those that nobody may have stated


class RulebookError(ValueError):
    """A rulebook that cannot be used; names file and key."""

    def __init__(self, source: str, key: str, reason: str) -> None:
        super().__init__(f"{source}: {key}: {reason}" if key else f"{source}: {reason}")
        self.source = source
        self.key = key
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """A rulebook as read. `table` holds the rules as written, `rules` their meaning."""

    name: str
    version: str
    source: str
    reviewed_on: date
    verified: bool  # False: numbers from a secondary source
    ends_after: timedelta | None  # how long a plan under it runs
    table: Mapping[str, Mapping[str, Any]]
    individual: tuple[str, ...] = ()  # rules with individual limits merged in
    approval_needs: tuple[str, ...] = ()  # facts that a plan must state before it may be approved
    file: str = ""

    @cached_property
    def rules(self) -> Mapping[str, AnyRule]:
        """The enabled rules by name."""
        return read_rules(Keys(self.table, "rules"), frozenset(self.individual))

    def lacking(self, facts: PatientFacts) -> tuple[str, ...]:
        """Which of the facts that approval needs nobody has stated."""
        return tuple(name for name in self.approval_needs if getattr(facts, name) is None)


def shipped() -> tuple[str, ...]:
    """The names of the rulebooks that come with this package."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.toml")))


def load(name_or_path: str | Path) -> Rulebook:
    """The shipped rulebook of that name, or the one in that file; raises `RulebookError`."""
    text = str(name_or_path)
    path = _SHIPPED / f"{text}.toml" if text.isidentifier() else Path(text)
    try:
        body = path.read_bytes().decode()
    except OSError as error:
        known = f"; shipped are {', '.join(shipped())}" if text.isidentifier() else ""
        raise RulebookError(path.name, "", f"cannot be read ({error.strerror}){known}") from None
    except UnicodeDecodeError:
        raise RulebookError(path.name, "", "is not UTF-8 text") from None
    try:
        return _read(Keys(tomllib.loads(body, parse_float=Decimal)), path.name)
    except tomllib.TOMLDecodeError as error:
        raise RulebookError(path.name, toml_key(body, error), f"is not TOML: {error}") from None
    except KeyProblem as problem:
        raise RulebookError(path.name, problem.key, problem.reason) from None


def merge(book: Rulebook, limits: Mapping[str, Mapping[str, Any]]) -> Rulebook:
    """The rulebook with keys of its rules replaced for one patient, checked as the rulebook itself.

    Raises `KeyProblem` naming the key under `rules`.
    """
    table = dict(book.table)
    changed = []
    for name, own in limits.items():
        Keys(own, f"rules.{name}")  # refuses what is not a table
        if name not in table:
            raise KeyProblem(f"rules.{name}", f"the rulebook {book.name} has no such rule")
        table[name] = {**_without_alternatives(table[name], own), **own}
        changed.append(name)
    merged = replace(book, table=table, individual=tuple(sorted({*book.individual, *changed})))
    read_rules(Keys(table, "rules"))
    return merged


def _without_alternatives(rule: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    """The keys of a rule that still stand beside those of a patient's own that take another's place."""
    gone = {old for new, olds in _INSTEAD.items() if new in own for old in olds}
    return {key: value for key, value in rule.items() if key not in gone}


def draft(book: Rulebook, settings: Mapping[str, Any]) -> Plan:
    """A plan under `book`: `settings` are those keys of `plan.to_mapping` that a rulebook does not know.

    Without `ends_at` the plan ends when the rulebook says. Raises `PlanError`.
    """
    own = {
        "rulebook": book.name,
        "rulebook_version": book.version,
        "rules": book.table,
        "individual": list(book.individual),
    }
    plan = from_mapping({**settings, **own})
    if plan.ends_at is not None or book.ends_after is None:
        return plan
    local = plan.starts_at.astimezone(plan.zone) + book.ends_after  # wall time: fourteen days end at midnight too
    return replace(plan, ends_at=local.astimezone(UTC))


def _read(keys: Keys, file: str) -> Rulebook:
    reviewed_on = keys.raw("reviewed_on")
    if type(reviewed_on) is not date:
        raise keys.problem("reviewed_on", "must be a date such as 2026-05-17")
    rules = keys.table("rules")
    book = Rulebook(
        name=keys.text("name"),
        version=_version(keys),
        source=keys.text("source"),
        reviewed_on=reviewed_on,
        verified=keys.flag("verified"),
        ends_after=keys.optional_duration("ends_after"),
        table={name: rules.raw(name) for name in rules.names()},
        approval_needs=_needs(keys),
        file=file,
    )
    keys.finish()
    read_rules(Keys(book.table, "rules"))
    return book


def _needs(keys: Keys) -> tuple[str, ...]:
    names = keys.texts("approval_needs", ())
    for name in names:
        if name not in _FACTS:
            raise keys.problem("approval_needs", f"{name!r} is none of {', '.join(_FACTS)}")
    return names


def _version(keys: Keys) -> str:
    """A text; a number is taken as it is written."""
    value = keys.raw("version")
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else keys.text("version")


__all__ = ["PlanError", "Rulebook", "RulebookError", "draft", "load", "merge", "shipped"]
