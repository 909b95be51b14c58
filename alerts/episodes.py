"""Episodes, zones and groups, counted from facts: what a back-test and a benchmark report.

An episode begins when an alert is raised or returns and ends when its condition is over. An alert that nobody closes
lives on and returns instead of being raised anew, so episodes, not alerts, are what a nurse would have met.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.fact import Fact, FactKind
from alerts.grouping import Stay, joined
from alerts.plan import Plan
from alerts.priority import Priority
from alerts.zone import Zone

_BEGINS = frozenset({FactKind.RAISED, FactKind.RETURNED})
_CHANGES = frozenset({FactKind.WORSENED, FactKind.PRIORITY})
_ENDS = frozenset({FactKind.OVER, FactKind.RESOLVED, FactKind.WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of time in aware UTC; both ends belong to it."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a span must end after it starts: {self.start.isoformat()} to {self.end.isoformat()}")

    def holds(self, moment: datetime) -> bool:
        """Whether `moment` lies in it."""
        return self.start <= moment <= self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One time that one rule spoke up. `steps`: when it reached which priority, in order, the first at `began_at`."""

    rule: str
    began_at: datetime
    ended_at: datetime | None  # None: it held to the end of the facts
    steps: tuple[tuple[datetime, Priority], ...]

    @property
    def highest(self) -> Priority:
        """The highest priority that it reached."""
        return max(priority for _, priority in self.steps)

    def reached(self, priority: Priority) -> datetime | None:
        """When it first was as urgent as `priority`; None: never."""
        return next((at for at, reached in self.steps if reached >= priority), None)

    def meets(self, other: "Episode") -> bool:
        """Whether the two have a moment in common."""
        return (other.ended_at is None or self.began_at <= other.ended_at) and (
            self.ended_at is None or other.began_at <= self.ended_at
        )


def episodes(facts: Iterable[Fact]) -> tuple[Episode, ...]:
    """Every episode in the facts of one patient, in the order of their beginning, equal ones by rule."""
    held: dict[str, Episode] = {}  # by alert
    done: list[Episode] = []
    for fact in facts:
        if fact.alert_id is None or fact.kind not in _BEGINS | _CHANGES | _ENDS:
            continue
        running = held.get(fact.alert_id)
        if fact.kind in _BEGINS and fact.priority is not None:
            begun = Episode(rule=fact.rule, began_at=fact.at, ended_at=None, steps=((fact.at, fact.priority),))
            if "ended_at" in fact.why:  # it was over before anybody could know of it
                done.append(replace(begun, ended_at=fact.at))
            elif running is None:
                held[fact.alert_id] = begun
        elif running is not None and fact.kind in _CHANGES and fact.priority is not None:
            held[fact.alert_id] = replace(running, steps=(*running.steps, (fact.at, fact.priority)))
        elif running is not None and fact.kind in _ENDS:
            done.append(replace(held.pop(fact.alert_id), ended_at=fact.at))
    return tuple(sorted((*done, *held.values()), key=lambda each: (each.began_at, each.rule)))


def in_zones(facts: Iterable[Fact], span: Span) -> Mapping[Zone, timedelta]:
    """How long each zone was shown in `span`; the parts add up to all of it. Before the first fact it is unknown."""
    parts = dict.fromkeys(Zone, timedelta())
    zone, since = Zone.UNKNOWN, span.start
    for fact in facts:
        if fact.kind is not FactKind.ZONE:
            continue
        at = min(max(fact.at, span.start), span.end)
        parts[zone] += at - since
        zone, since = Zone(fact.why["zone"]), at
    parts[zone] += span.end - since
    return parts


def groups(found: Sequence[Episode]) -> tuple[tuple[Episode, ...], ...]:
    """`found` in groups as `grouping` has them. Where nobody clicks nothing is closed: only the beginnings count."""
    return joined(found, lambda each: Stay(each.began_at))


def by_hand(episode: Episode, plan: Plan) -> bool:
    """Whether only a person may close it: from medium up, unless its rule says otherwise."""
    rule = plan.rules.get(episode.rule)
    if rule is not None and rule.needs_outcome is not None:
        return rule.needs_outcome
    return episode.highest >= Priority.MEDIUM
