"""What the patient is told: measure again, a slot is running out, the zone and what to do in it."""

from alerts.alert import State
from alerts.fact import Fact, FactKind, Role
from alerts.finding import Finding
from alerts.priority import Priority
from alerts.raising import QUARANTINED
from alerts.turn import Turn
from alerts.zone import Zone
from vitals.frozen import changed

_ASKED_MOST = 8  # a value waits again when what refuted it is taken out; never more of them than this at a time
_ZONES = {
    Priority.LOW: Zone.BLUE,
    Priority.MEDIUM: Zone.YELLOW,
    Priority.HIGH: Zone.RED,
    Priority.CRITICAL: Zone.RED,
}


def ask_patient(turn: Turn) -> None:
    """One notice a waiting reading and rule, one after a while beyond a limit, one a reminder of a slot."""
    memory = turn.memory
    telling = [each for each in turn.findings.items() if each[1].waits or each[1].ask_again or each[1].remind]
    if not telling:
        return
    asked, again, reminded = dict(memory.asked), dict(memory.asked_again), dict(memory.reminded)
    for rule, finding in telling:
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
        turn.memory = changed(memory, asked=asked, asked_again=again, reminded=reminded)


def _ask_for_second(turn: Turn, rule: str, finding: Finding, asked: dict[str, tuple[str, ...]]) -> None:
    if not finding.waits:
        return
    ids = list(asked.get(rule, ()))
    for wait in finding.waits:
        reading = wait.sample.reading_id
        if reading not in ids and not turn.resting and turn.counts(wait.sample.taken_at):
            ids.append(reading)
            turn.notify(
                Role.PATIENT, rule, why={"reason": "measure again", "reading_id": reading, **_until(wait.deadline)}
            )
    if ids:
        asked[rule] = tuple(ids[-_ASKED_MOST:])


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
        turn.memory = changed(turn.memory, zone=zone, resting=turn.resting)
    return zone


def _zone(turn: Turn) -> Zone:
    """By the rules whose condition is present, acknowledged or resolved or not; then by what is not known."""
    worst = None
    is_unknown = any(alert.state is State.PENDING for alert in turn.alerts.values())
    for rule, finding in turn.findings.items():
        is_unknown = is_unknown or bool(finding.waits)
        if turn.resting and rule not in turn.alerts and rule not in turn.quiet:
            continue  # in a pause, a condition without an alert gives no zone
        if finding.held and (worst is None or finding.held[-1].priority > worst):
            worst = finding.held[-1].priority
    if worst is not None:
        return _ZONES[worst]
    return Zone.UNKNOWN if is_unknown or not _all_fresh(turn) else Zone.GREEN


def _all_fresh(turn: Turn) -> bool:
    """Whether at least one rule counts, and every rule that counts has a good value that is young enough."""
    metrics, answers = turn.history.metrics, {} if turn.outlook is None else turn.outlook.answers
    counted, fresh = False, True
    for need in turn.plan.freshness:
        past = [metrics[metric] for metric in need.metrics if metric in metrics]
        rules = [answers[name] for name in need.rules if answers[name].known]
        if not rules or not (past or need.owed):
            continue
        counted = True
        good = [each.good_at for each in past if each.good_at is not None]
        fresh = bool(good) and not turn.now.reached(max(good) + need.max_age) and fresh
        fresh = fresh and None not in [each.finding.met for each in rules]
    return counted and fresh


__all__ = ["QUARANTINED", "ask_patient", "show_zone"]
