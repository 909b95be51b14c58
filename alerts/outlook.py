"""What every rule says, and how long that stands: a rule is asked again only when its answer may have changed.

An answer is made of the rule's state, and of the clock only as far as `Now.reached` was asked. So it stands while the
state is the same and the first deadline that lay ahead has not come. An outlook is handed from one step to the next
by whoever has it; without it every rule is asked, and says the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from alerts import kinds, missing, threshold
from alerts.finding import Beyond, Finding
from alerts.history import History, MissingState, RuleState, ThresholdState
from alerts.now import Now
from alerts.own_limits import offsets
from alerts.plan import Plan
from alerts.priority import Priority
from alerts.rules import AnyRule, Missing, Threshold
from vitals.frozen import quick

Ahead = Mapping[str, tuple[MissingState, MissingState]]  # what the clock alone has settled: from, to
QUARANTINED = "quarantined"  # the alert that asks whether values that nobody believes are right
_NOTHING_HELD_BACK = Finding(met=False)


class Answer(NamedTuple):
    """What a rule in this state said; it stands until then (None: until the state changes)."""

    state: RuleState
    known: bool  # whether the rule had the baseline it needs
    finding: Finding
    until: datetime | None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The answers of all rules of `plan` to `history` at `at`; all of them stand until then (None: for ever)."""

    plan: Plan
    history: History
    at: datetime
    until: datetime | None
    answers: Mapping[str, Answer]
    findings: Mapping[str, Finding]  # of the answers, and of what is held back


def ask(history: History, plan: Plan, now: Now, ahead: Ahead, before: Outlook | None) -> Outlook:
    """The answers of all rules now; `before`: the newest earlier ones, if they are at hand."""
    standing: Mapping[str, Answer] = {}
    if before is not None and before.plan is plan and before.at <= now.at:
        if before.history is history and (before.until is None or not now.reached(before.until)):
            return before
        standing = before.answers
    answers, all_rules = {}, Now(now.at)
    for name, rule in plan.rules.items():
        state, answer = history.states[name], standing.get(name)
        known = name not in plan.relative or _is_known(rule, plan, history)
        if (
            answer is None
            or answer.state is not state
            or answer.known is not known
            or (answer.until is not None and all_rules.reached(answer.until))
        ):
            own = Now(now.at)
            finding = _look(rule, _begun(state, ahead.get(name)), plan, own, known)
            answer = Answer(state, known, finding, own.wake_at)
            if own.wake_at is not None:
                all_rules.reached(own.wake_at)
        answers[name] = answer
    if all_rules.wake_at is not None:
        now.reached(all_rules.wake_at)
    findings = {name: answer.finding for name, answer in answers.items()}
    findings[QUARANTINED] = _quarantine(history) if history.quarantine else _NOTHING_HELD_BACK
    return Outlook(plan=plan, history=history, at=now.at, until=all_rules.wake_at, answers=answers, findings=findings)


def moved(outlook: Outlook, ahead: Ahead) -> Ahead:
    """`ahead` after these answers: the same object where they settled nothing more."""
    found = dict(ahead)
    for name in outlook.plan.missing:
        state, reached = outlook.answers[name].state, outlook.answers[name].finding.state
        if isinstance(state, MissingState) and isinstance(reached, MissingState):
            if reached is state or reached == state:
                found.pop(name, None)
            else:
                found[name] = (state, reached)
    return ahead if found == ahead else found


def _quarantine(history: History) -> Finding:
    """The question whether values that nobody believes are right, as if it were a rule."""
    newest = history.quarantine[-1]
    held = Beyond(priority=Priority.LOW, newest_at=max(each.taken_at for each in history.quarantine))
    return Finding(met=True, held=(held,), began_at=history.quarantine[0].taken_at, newest=newest.reading_id)


def _is_known(rule: AnyRule, plan: Plan, history: History) -> bool:
    """Whether the rule has the baseline that it needs."""
    return not isinstance(rule, Threshold) or offsets(rule, plan, history.baselines) is not None


def _begun(state: RuleState, settled: tuple[MissingState, MissingState] | None) -> RuleState:
    """The state with what the clock had settled before, if it is still that state."""
    return settled[1] if settled is not None and (settled[0] is state or settled[0] == state) else state


def _look(rule: AnyRule, state: RuleState, plan: Plan, now: Now, known: bool) -> Finding:
    if isinstance(rule, Threshold) and isinstance(state, ThresholdState):
        return threshold.look(rule, state, now, known=known)
    if isinstance(rule, Missing) and isinstance(state, MissingState):
        return missing.look(rule, state, plan, now)
    if not isinstance(rule, Threshold | Missing) and not isinstance(state, ThresholdState | MissingState):
        return kinds.look(rule, state)
    raise TypeError(f"{rule.name}: the state of another kind of rule")
