"""What the patient is told: measure again, a slot is running out, the zone and what to do in it."""

from dataclasses import replace
from datetime import timedelta

from alerts.alert import State
from alerts.fact import Fact, FactKind, Role
from alerts.finding import Finding
from alerts.own_limits import offsets
from alerts.priority import Priority
from alerts.raising import QUARANTINED
from alerts.rules import AnyRule, Mean, Method, Missing, Threshold, Trend
from alerts.turn import Turn
from alerts.zone import Zone

_FRESH = timedelta(hours=36)  # daily measuring, and half a day for a late morning
_FRESH_WEEKLY = timedelta(days=9)
_ZONES = {
    Priority.LOW: Zone.BLUE,
    Priority.MEDIUM: Zone.YELLOW,
    Priority.HIGH: Zone.RED,
    Priority.CRITICAL: Zone.RED,
}


def ask_patient(turn: Turn) -> None:
    """One notice a waiting reading and rule, one after a while beyond a limit, one a reminder of a slot."""
    memory = turn.memory
    asked, again, reminded = dict(memory.asked), dict(memory.asked_again), dict(memory.reminded)
    for rule, finding in turn.findings.items():
        _ask_for_second(turn, rule, finding, asked)
        if turn.resting:
            continue
        if finding.ask_again is not None and again.get(rule) != finding.ask_again:
            again[rule] = finding.ask_again
            turn.notify(Role.PATIENT, rule, why={"reason": "measure again", "reading_id": finding.ask_again})
        if finding.remind is not None and (rule not in reminded or reminded[rule] < finding.remind):
            reminded[rule] = finding.remind
            turn.notify(Role.PATIENT, rule, why={"reason": "reminder", "due_at": finding.remind.isoformat()})
    if (asked, again, reminded) != (memory.asked, memory.asked_again, memory.reminded):
        turn.memory = replace(memory, asked=asked, asked_again=again, reminded=reminded)


def _ask_for_second(turn: Turn, rule: str, finding: Finding, asked: dict[str, tuple[str, ...]]) -> None:
    if not finding.waits:
        asked.pop(rule, None)
        return
    before = asked.get(rule, ())
    ids = []
    for wait in finding.waits:
        reading = wait.sample.reading_id
        if reading in before:
            ids.append(reading)
        elif not turn.resting and turn.counts(wait.sample.taken_at):
            ids.append(reading)
            turn.notify(
                Role.PATIENT, rule, why={"reason": "measure again", "reading_id": reading, **_until(wait.deadline)}
            )
    asked[rule] = tuple(ids)


def _until(deadline: object) -> dict[str, str]:
    return {"until": str(deadline)}


def show_zone(turn: Turn) -> Zone:
    """The zone now; noted when it changed, and the patient advised when it rose to yellow or red."""
    zone, before = _zone(turn), turn.memory.zone
    if zone is not before:
        turn.facts.append(Fact(at=turn.now.at, kind=FactKind.ZONE, why={"zone": zone.value, "before": before.value}))
    rose = zone.rank > before.rank or (turn.memory.resting and not turn.resting)
    if zone in (Zone.YELLOW, Zone.RED) and rose and not turn.resting:
        turn.facts.append(Fact(at=turn.now.at, kind=FactKind.ADVICE, to=Role.PATIENT, why={"zone": zone.value}))
    if (zone, turn.resting) != (before, turn.memory.resting):
        turn.memory = replace(turn.memory, zone=zone, resting=turn.resting)
    return zone


def _zone(turn: Turn) -> Zone:
    """By the rules whose condition is present, acknowledged or resolved or not; then by what is not known."""
    worst = None
    is_unknown = any(alert.state is State.PENDING for alert in turn.alerts.values())
    for rule, finding in turn.findings.items():
        is_unknown = is_unknown or bool(finding.waits)
        if turn.resting and rule not in turn.alerts and rule not in turn.quiet:
            continue  # in a pause, a condition without an alert gives no zone
        priority = finding.priority
        if priority is not None and (worst is None or priority > worst):
            worst = priority
    if worst is not None:
        return _ZONES[worst]
    return Zone.UNKNOWN if is_unknown or not _all_fresh(turn) else Zone.GREEN


def _all_fresh(turn: Turn) -> bool:
    """Whether at least one rule counts, and every rule that counts has a good value that is young enough."""
    plan, metrics = turn.plan, turn.history.metrics
    owed = {rule.metric: rule for rule in plan.rules.values() if isinstance(rule, Missing)}
    counted, fresh = 0, True
    for rule in plan.rules.values():
        judged = _judged(rule)
        seen = any(metric in owed or metric in metrics for metric in judged)
        if not seen or (isinstance(rule, Threshold) and offsets(rule, plan, turn.history.baselines) is None):
            continue
        counted += 1
        weekly = any(metric in owed and owed[metric].weekly for metric in judged)
        own = rule.max_age if isinstance(rule, Threshold) else None
        max_age = own or (_FRESH_WEEKLY if weekly else _FRESH)
        good = [past.good_at for past in map(metrics.get, judged) if past is not None and past.good_at]
        fresh = bool(good) and not turn.now.reached(max(good) + max_age) and fresh
        fresh = fresh and turn.findings[rule.name].met is not None
    return counted > 0 and fresh


def _judged(rule: AnyRule) -> tuple[str, ...]:
    """The metrics without whose good values the rule cannot say that all is well; none for those that only raise."""
    if isinstance(rule, Threshold | Mean):
        return rule.metrics
    return (rule.metric,) if isinstance(rule, Trend) and rule.method is Method.LOSS else ()


__all__ = ["QUARANTINED", "ask_patient", "show_zone"]
