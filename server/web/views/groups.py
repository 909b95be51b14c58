"""What stands on a page as one: a patient's alerts that were met together. Pure.

Only what is open is looked at: pages show nothing else. A question about an unlikely value stands alone, because it is
answered otherwise: closing it with the rest would throw the value away without a word.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from alerts.command import Action as Signal
from alerts.grouping import Stay, joined
from alerts.raising import QUARANTINED

PRIORITY_ORDER = ("critical", "high", "medium", "low")
NEVER_PUT_OFF = ("critical", "high")
_RANKS = {word: rank for rank, word in enumerate(PRIORITY_ORDER)}


class Met(Protocol):
    """An open alert: a row of the table, or of a page."""

    @property
    def id(self) -> str: ...
    @property
    def patient_id(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def priority(self) -> str: ...
    @property
    def raised_at(self) -> datetime: ...
    @property
    def snoozed_until(self) -> datetime | None: ...


_Met = TypeVar("_Met", bound=Met)


def rank(priority: str) -> int:
    """0 for the most severe; a word that we do not know comes before all."""
    return _RANKS.get(priority, -1)


def grouped(alerts: Iterable[_Met]) -> tuple[tuple[_Met, ...], ...]:
    """Open alerts in groups, each of one patient, in the order of when they were met."""
    by_patient: dict[str, list[_Met]] = {}
    made: list[tuple[_Met, ...]] = []
    for each in sorted(alerts, key=lambda alert: (alert.raised_at, alert.patient_id, alert.rule, alert.id)):
        if each.rule == QUARANTINED:
            made.append((each,))
        else:
            by_patient.setdefault(each.patient_id, []).append(each)
    for own in by_patient.values():
        made += joined(own, lambda alert: Stay(alert.raised_at))
    return tuple(sorted(made, key=lambda group: (group[0].raised_at, group[0].patient_id, group[0].id)))


def waits(alert: Met, now: datetime) -> bool:
    """Whether somebody must look at it: nobody has it, and nobody put it off.

    A high alert that was put off and then given back waits: without an owner it could not have been put off.
    """
    return is_waiting(alert.state, alert.priority, alert.snoozed_until, now)


def is_waiting(state: str, priority: str, snoozed_until: datetime | None, now: datetime) -> bool:
    """The same of its parts."""
    if state == "acknowledged":
        return False
    return snoozed_until is None or snoozed_until <= now or priority in NEVER_PUT_OFF


def offered_together(members: Sequence[Collection[str]]) -> tuple[str, ...]:
    """What is offered for alerts clicked as one: what is legal for one of them; to put off, only what all of them can.

    Whoever has put off a group believes that all of it is quiet.
    """
    some = [each.value for each in Signal if any(each.value in clicks for clicks in members)]
    return tuple(each for each in some if each != Signal.SNOOZE or all(each in clicks for clicks in members))


def foremost(alerts: Iterable[_Met], most: int, now: datetime) -> dict[str, tuple[tuple[tuple[_Met, ...], ...], int]]:
    """Patient -> the groups that come first on a page, at most so many; and how many more there are."""
    by_patient: dict[str, list[tuple[_Met, ...]]] = {}
    for group in grouped(alerts):
        by_patient.setdefault(group[0].patient_id, []).append(group)
    found = {}
    for patient, own in by_patient.items():
        own.sort(key=lambda group: min((not waits(each, now), rank(each.priority), each.raised_at) for each in group))
        found[patient] = (tuple(own[:most]), len(own[most:]))
    return found
