"""Which rules a reading is shown to, and in which order."""

from collections.abc import Iterable
from typing import NamedTuple

from alerts.rules import AnyRule, Compound, Counting, Missing, Threshold


class Hearing(NamedTuple):
    """The rules that listen to some of the metrics measured together."""

    single: tuple[Threshold | Missing, ...]  # judge each reading by itself; in the order of names
    counting: tuple[Counting, ...]  # in the order of names; last those that ask what the others say


def hearing(rules: Iterable[AnyRule], metrics: Iterable[str]) -> Hearing:
    """Those of `rules` (in the order of names) that a reading of `metrics` is shown to."""
    heard = [rule for rule in rules if not frozenset(rule.listens_to).isdisjoint(metrics)]
    counting = [rule for rule in heard if not isinstance(rule, Threshold | Missing)]
    return Hearing(
        single=tuple(rule for rule in heard if isinstance(rule, Threshold | Missing)),
        counting=tuple(sorted(counting, key=lambda rule: isinstance(rule, Compound))),
    )
