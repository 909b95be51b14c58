"""What a way of alerting said about one person, and how that is counted: in groups that a nurse meets as one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.episodes import Episode
from alerts.grouping import Stay, joined
from alerts.priority import Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One call for attention: an alert, or an alert that rises above what it was."""

    at: datetime
    rule: str
    priority: Priority

    @property
    def is_manual(self) -> bool:
        """Whether a person is needed: from medium up."""
        return self.priority >= Priority.MEDIUM

    @property
    def is_clinical(self) -> bool:
        """Whether it speaks of the person and not of a reading that is missing or in doubt."""
        return not self.rule.startswith("missing_") and self.rule != "quarantined"


def from_episodes(found: Iterable[Episode]) -> tuple[Said, ...]:
    """The calls in episodes: the beginning, and each rise above the highest before it."""
    said = []
    for each in found:
        highest: Priority | None = None
        for at, priority in each.steps:
            if highest is None or priority > highest:
                said.append(Said(at=at, rule=each.rule, priority=priority))
                highest = priority
    return tuple(sorted(said, key=lambda one: (one.at, one.rule)))


def groups(said: Sequence[Said]) -> tuple[tuple[Said, ...], ...]:
    """The calls in the groups of `alerts.grouping`, by when they came; how soon each was closed does not count."""
    return joined(said, lambda each: Stay(each.at))
