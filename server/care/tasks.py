"""What a patient is to measure today by the plan's own schedule, and what is done. Pure.

A slot is done once a good measurement was taken in it or in its grace, as the rule for missing readings counts it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.plan import Plan
from alerts.rules import Missing
from alerts.service_hours import wall


class State(StrEnum):
    """How far a task has come."""

    DONE = "done"
    NOW = "now"
    LATER = "later"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One measurement to be taken from `start` to `end`, aware; `weekly`: once in the week that they span."""

    metrics: tuple[str, ...]
    start: datetime
    end: datetime
    state: State
    done_at: datetime | None = None
    weekly: bool = False


def tasks(plan: Plan | None, taken: Mapping[str, Sequence[datetime]], now: datetime) -> tuple[Task, ...]:
    """Today's tasks in the order of their times; `taken`: metric -> when good values were taken, this week at least.

    Empty without a plan, and while the plan rests.
    """
    if plan is None or any(each.holds(now) for each in plan.rests):
        return ()
    rules = [rule for name in plan.missing if isinstance(rule := plan.rules[name], Missing)]
    found = [task for rule in rules for task in _of_rule(rule, plan, taken.get(rule.metric, ()), now)]
    return tuple(sorted(found, key=lambda task: (task.weekly, task.start, task.metrics)))


def _of_rule(rule: Missing, plan: Plan, taken: Sequence[datetime], now: datetime) -> list[Task]:
    today = now.astimezone(plan.zone).date()
    metrics = ("systolic", "diastolic") if rule.metric == "systolic" else (rule.metric,)
    if rule.weekly:
        monday = today - timedelta(days=today.weekday())
        spans = [(wall(monday, 0, plan.zone), wall(monday + timedelta(days=7), 0, plan.zone))]
    elif today.weekday() in rule.days:
        spans = [(wall(today, slot.start, plan.zone), wall(today, slot.end, plan.zone)) for slot in rule.slots]
    else:
        spans = []
    nexts = [start for start, _ in spans[1:]]
    found = []
    for place, (start, end) in enumerate(spans):
        if start < plan.starts_at:
            continue  # not owed, as the rule has it
        last = end + rule.grace
        until = min(last, nexts[place]) if place < len(nexts) else last
        done = min((each for each in taken if start <= each <= until), default=None)
        state = _state(done, start, last, now)
        found.append(Task(metrics=metrics, start=start, end=end, state=state, done_at=done, weekly=rule.weekly))
    return found


def _state(done: datetime | None, start: datetime, last: datetime, now: datetime) -> State:
    if done is not None:
        return State.DONE
    if now < start:
        return State.LATER
    return State.NOW if now <= last else State.MISSED
