"""How far a person may move a patient's own limits: the rulebook's number, the bounds of `bounds`, and no further.

The mildest limit may go as far as a proposal could (`bounds` has the source of each). The more urgent ones may come
nearer to normal, and never stand further out than in the rulebook. Where there is no bound, a limit may only be
stricter than the rulebook's, by a fifth at most (an assumption of this project, as its source says). Saturation goes
lower only down to a prescribed floor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from alerts.bounds import BOUNDS
from alerts.keys import exact
from alerts.priority import Priority
from alerts.rules import AnyRule, Side, Threshold
from vitals.metrics import METRICS

_STRICTER_AT_MOST = Decimal("0.2")  # of the rulebook's number, where no bound is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where one limit may stand. `place`: of its band in the rule's table; `source`: the bound that says so, if one."""

    rule: str
    metric: str
    side: Side
    place: int
    priority: Priority
    in_book: Decimal
    nearest: Decimal
    furthest: Decimal
    source: str | None

    @property
    def lowest(self) -> Decimal:
        """The least number that it may be."""
        return min(self.nearest, self.furthest)

    @property
    def highest(self) -> Decimal:
        """The greatest number that it may be."""
        return max(self.nearest, self.furthest)

    def holds(self, limit: Decimal) -> bool:
        """Whether the limit may stand there."""
        return self.lowest <= limit <= self.highest


def rooms(
    rules: Mapping[str, AnyRule], table: Mapping[str, Mapping[str, Any]], floor: Decimal | None
) -> tuple[Room, ...]:
    """The room of every limit of a rulebook that a person may move, by rule, the mildest first.

    `rules` is the meaning of `table`; `floor`: the prescribed one of saturation. Limits that follow the patient's own
    level, that several metrics share or that an answer crosses are not moved.
    """
    found: list[Room] = []
    for name, rule in rules.items():
        if not isinstance(rule, Threshold) or not _is_movable(rule):
            continue
        written = [(exact(band["limit"], "limit"), band["priority"]) for band in table[name]["bands"]]
        found += _of_rule(rule, written, floor)
    return tuple(found)


def _is_movable(rule: Threshold) -> bool:
    metric = rule.metrics[0]
    is_number = METRICS[metric].plausible is not None and not metric.startswith("symptom") and metric != "consciousness"
    return len(rule.metrics) == 1 and is_number and not rule.relative and not rule.with_baseline


def _of_rule(rule: Threshold, written: Sequence[tuple[Decimal, str]], floor: Decimal | None) -> list[Room]:
    metric, outward = rule.metrics[0], 1 if rule.side is Side.ABOVE else -1
    bound = BOUNDS.get((metric, rule.side))
    mildest = min(rule.bands, key=lambda band: band.priority)
    found = []
    for place, (limit, word) in enumerate(written):
        priority = Priority.of(word)
        is_bound = bound is not None and mildest.priority is Priority.MEDIUM
        nearest = METRICS[metric].rounded(limit - outward * abs(limit) * _STRICTER_AT_MOST)
        furthest = limit
        if bound is not None and is_bound:
            nearest = bound.tightest if (limit - bound.tightest) * outward > 0 else limit
            if priority is mildest.priority and bound.loosest is not None:
                furthest = bound.loosest if (bound.loosest - limit) * outward > 0 else limit
        if metric == "spo2" and rule.side is Side.BELOW and floor is not None:
            furthest = min(limit, floor + (1 if priority is mildest.priority else 0))
        found.append(
            Room(
                rule=rule.name,
                metric=metric,
                side=rule.side,
                place=place,
                priority=priority,
                in_book=limit,
                nearest=nearest,
                furthest=furthest,
                source=f"{metric}_{rule.side.value}" if is_bound else None,
            )
        )
    return sorted(found, key=lambda room: room.priority)
