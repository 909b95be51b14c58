"""The rules of a table and what follows from them alone: worked out once, for every plan that was written alike.

Most patients of a rulebook have its numbers as they stand. Reading a table takes longer than a step, so tables that say
the same are read once and their rules shared; rules are values, and nobody can tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from alerts.freshness import Need, needs
from alerts.hearing import Hearing, hearing
from alerts.keys import Keys
from alerts.rule_table import read_rules
from alerts.rules import AnyRule, Missing, Threshold

_AT_HAND = 1024


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownRules:
    """A table as it was written, and its enabled rules by name, in the order of names."""

    table: Mapping[str, Any] = field(repr=False)
    rules: Mapping[str, AnyRule]

    @cached_property
    def listeners(self) -> Mapping[str, tuple[AnyRule, ...]]:
        """Metric -> the rules that judge it, in the order of names."""
        listeners: dict[str, tuple[AnyRule, ...]] = {}
        for rule in self.rules.values():
            for metric in rule.listens_to:
                listeners[metric] = (*listeners.get(metric, ()), rule)
        return listeners

    def hearing(self, metrics: tuple[str, ...]) -> Hearing:
        """The rules that judge a reading of `metrics`: the single ones, then those that count, each in their order."""
        found = self._hearing.get(metrics)
        if found is None:
            found = self._hearing[metrics] = hearing(self.rules.values(), metrics)
        return found

    @cached_property
    def _hearing(self) -> dict[tuple[str, ...], Hearing]:
        return {}  # one entry for each set of metrics measured at once, of which devices have few

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The rules that ask for scheduled readings."""
        return tuple(name for name, rule in self.rules.items() if isinstance(rule, Missing))

    @cached_property
    def freshness(self) -> tuple[Need, ...]:
        """Which values must be young for all to be well."""
        return needs(self.rules)

    @cached_property
    def relative(self) -> frozenset[str]:
        """The rules whose limits are offsets from a baseline."""
        return frozenset(name for name, rule in self.rules.items() if isinstance(rule, Threshold) and rule.relative)

    @cached_property
    def runs(self) -> tuple[str, ...]:
        """The rules with a band that several readings in a row enter."""
        found = [rule for rule in self.rules.values() if isinstance(rule, Threshold)]
        return tuple(rule.name for rule in found if any(band.is_run for band in rule.bands))


def known_rules(
    table: Mapping[str, Any], individual: frozenset[str] = frozenset(), *, floored: bool = False
) -> KnownRules:
    """The rules in a table as `rule_table.read_rules` reads them, shared; raises `KeyProblem`."""
    return _read(_Table(text=repr(table), table=table), individual, floored)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Tables that are written alike are one: 38.0 is not 38, for evidence quotes a limit as it was written."""

    text: str
    table: Mapping[str, Any] = field(compare=False)


@lru_cache(maxsize=_AT_HAND)
def _read(table: _Table, individual: frozenset[str], floored: bool) -> KnownRules:
    return KnownRules(table=table.table, rules=read_rules(Keys(table.table, "rules"), individual, floored=floored))
