"""What is met together is shown, counted and clicked as one: a patient's alerts in groups.

Two alerts of a patient are one group when the later one is met within half an hour of the *first* of the group, both
ends included, and somebody in the group is still open then. An alert is met when it is raised; while it only waits
for a second reading, when it was opened. Measuring from the first and not from the latest keeps a group short: a
chain of new alerts could otherwise grow for hours under one that somebody has seen long ago. And what opens after
everything before it was closed is new work, however soon it comes.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from alerts.alert import Alert

GROUP_SPAN = timedelta(minutes=30)

_Thing = TypeVar("_Thing")


class Stay(NamedTuple):
    """When something was met, and when it was closed; None: it was not."""

    met_at: datetime
    closed_at: datetime | None = None


def groups(alerts: Iterable[Alert]) -> tuple[tuple[Alert, ...], ...]:
    """Alerts in groups, each of one patient: in the order of when they were met, equal ones by patient, rule and id.

    The order in which they are given does not matter.
    """
    ordered = sorted(alerts, key=lambda each: (stay(each).met_at, each.patient, each.rule, each.id))
    by_patient: dict[str, list[Alert]] = {}
    for each in ordered:
        by_patient.setdefault(each.patient, []).append(each)
    made = [group for own in by_patient.values() for group in joined(own, stay)]
    return tuple(sorted(made, key=lambda group: (stay(group[0]).met_at, group[0].patient)))


def stay(alert: Alert) -> Stay:
    """When the alert was met and when it was closed."""
    return Stay(alert.raised_at or alert.opened_at, alert.closed_at)


def joined(things: Iterable[_Thing], stays: Callable[[_Thing], Stay]) -> tuple[tuple[_Thing, ...], ...]:
    """Whatever one patient's `things` are, in groups in the order of when they were met; equal ones keep theirs."""
    made: list[list[_Thing]] = []
    for each in sorted(things, key=lambda thing: stays(thing).met_at):
        if made and _belongs(stays(each).met_at, [stays(other) for other in made[-1]]):
            made[-1].append(each)
        else:
            made.append([each])
    return tuple(tuple(group) for group in made)


def _belongs(met_at: datetime, group: list[Stay]) -> bool:
    is_open = any(other.closed_at is None or other.closed_at >= met_at for other in group)
    return is_open and met_at - group[0].met_at <= GROUP_SPAN
