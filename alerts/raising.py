"""From findings to alerts: every signal that readings and time send, rule by rule.

The clicks are in `clicks`; both go through the table in `lifecycle` and through nothing else.
"""

from datetime import datetime
from typing import Any

from alerts import escalation, why
from alerts.alert import Alert, State
from alerts.fact import FactKind
from alerts.finding import Beyond, Finding
from alerts.fold import Past
from alerts.history import Sample, spell_of
from alerts.lifecycle import Signal, after, opening
from alerts.outlook import QUARANTINED as QUARANTINED
from alerts.priority import Priority
from alerts.turn import Turn, needs_outcome
from vitals.frozen import changed


def follow(turn: Turn, rule: str, finding: Finding) -> None:
    """Send the signals that the rule's finding means for its alert, or open one."""
    alert = turn.alerts.get(rule)
    _forget_quiet(turn, rule, finding)
    if alert is None:
        _open_if_met(turn, rule, finding)
    elif alert.state is State.PENDING:
        _follow_pending(turn, alert, finding)
    else:
        _follow_open(turn, alert, finding)


def remember_past(turn: Turn, past: Past, *, marked: bool = True) -> None:
    """A condition that was over before it could be known: a cleared alert, or more evidence for the open one.

    `marked`: the readings came late (and did not come to light by a click).
    """
    episode, rule = past.episode, turn.plan.rules[past.rule]
    taken_at = episode.sample.taken_at
    alert = turn.alerts.get(past.rule)
    if not _is_after_rest(turn, alert, taken_at) or (alert is None and turn.resting):
        return
    if alert is not None:
        alert = turn.keep(alert, highest=max(alert.highest, episode.highest), evidence=alert.evidence + 1)
        turn.tell(FactKind.EVIDENCE, alert, why={"reading_id": episode.sample.reading_id, "past": True})
        return
    reason = why.of_episode(_scene(turn), rule, episode)
    reason |= {"began_at": episode.began_at.isoformat(), "ended_at": episode.ended_at.isoformat()}
    draft = _draft(turn, past.rule, min(Priority.MEDIUM, episode.highest), reason)
    state = opening(Signal.PAST, draft)
    alert = turn.keep(
        draft,
        state=state,
        highest=episode.highest,
        raised_at=turn.now.at,
        late=marked and episode.late,
        began_at=episode.began_at,
        evidence=1,
        newest=episode.sample.reading_id,
        **_gaps(episode.sample),
    )
    turn.tell(FactKind.RAISED, alert, why=reason)


def _gaps(sample: Sample) -> dict[str, Any]:
    """What a score did not know, for the alert; nothing for other kinds."""
    told = sample.answer or {}
    return {"partial": told["partial"], "missing": tuple(told["missing"])} if "partial" in told else {}


def _forget_quiet(turn: Turn, rule: str, finding: Finding) -> None:
    """What was resolved while it held is over, or has come back since."""
    quiet = turn.quiet.get(rule)
    if quiet is None:
        return
    is_new = finding.began_at is not None and finding.began_at > quiet.since
    if finding.met is False or (finding.met and is_new):
        del turn.quiet[rule]


def _raises(turn: Turn, rule: str, finding: Finding) -> Beyond | None:
    """The level at which the finding may raise an alert now; None while it must keep quiet."""
    if turn.resting:
        return None
    counting = [each for each in finding.held if turn.counts(each.newest_at)]
    if not counting:
        return None
    return None if _keeps_quiet(turn, rule, counting[-1].priority) else counting[-1]


def _keeps_quiet(turn: Turn, rule: str, priority: Priority) -> bool:
    """Whether what is present was resolved while it held, and neither rose above that nor waited its time."""
    quiet = turn.quiet.get(rule)
    return quiet is not None and priority <= quiet.priority and not turn.now.reached(quiet.until)


def _asks(turn: Turn, rule: str, asked: Priority, finding: Finding) -> bool:
    """Whether what waits may open a pending alert: not what, if confirmed, would have to keep quiet."""
    counts = any(turn.counts(each.sample.taken_at) for each in finding.waits)
    return counts and not turn.resting and not _keeps_quiet(turn, rule, asked)


def _open_if_met(turn: Turn, rule: str, finding: Finding) -> None:
    level = _raises(turn, rule, finding)
    if level is not None:
        draft = changed(_draft(turn, rule, level.priority, _why(turn, rule, finding)), condition=True)
        alert = turn.keep(draft, state=opening(Signal.MET, draft))
        _activate(turn, alert, finding, level, FactKind.RAISED)
    elif finding.asks is not None and _asks(turn, rule, finding.asks, finding):
        first = finding.waits[0].sample
        draft = changed(_draft(turn, rule, finding.asks, _why(turn, rule, finding)), waiting=True)
        state = opening(Signal.MET, draft)
        alert = turn.keep(draft, state=state, began_at=first.taken_at, newest=first.reading_id)
        turn.tell(FactKind.PENDING, alert, why=alert.why)


def _follow_pending(turn: Turn, alert: Alert, finding: Finding) -> None:
    level = _raises(turn, alert.rule, finding) if not turn.resting else _newest_level(turn, finding)
    if level is not None:
        alert = turn.keep(alert, state=after(alert, Signal.CONFIRMED), condition=True)
        _activate(turn, alert, finding, level, FactKind.RAISED)
    elif finding.waits and finding.asks is not None:
        if alert.priority != finding.asks:
            turn.keep(alert, priority=finding.asks, highest=max(alert.highest, finding.asks))
    elif _was_met_meanwhile(alert, finding) and finding.ended is not None:
        alert = turn.keep(
            alert,
            state=after(alert, Signal.CONFIRMED),
            condition=True,
            waiting=False,
            raised_at=turn.now.at,
            priority=finding.ended.highest,
            highest=finding.ended.highest,
            reference=finding.ended.highest,
        )
        turn.tell(FactKind.RAISED, alert, why=alert.why)
        _end(turn, alert, finding)
    else:
        alert = turn.keep(alert, state=after(alert, Signal.REFUTED), waiting=False, closed_at=turn.now.at)
        turn.tell(FactKind.WITHDRAWN, alert)


def _newest_level(turn: Turn, finding: Finding) -> Beyond | None:
    """In a pause what is pending lives on as usual."""
    return finding.held[-1] if finding.held else None


def _was_met_meanwhile(alert: Alert, finding: Finding) -> bool:
    """Whether what waited was confirmed and over again, all since the last look."""
    ended, since = finding.ended, alert.began_at
    return ended is not None and since is not None and ended.began_at >= since and not finding.met


def _follow_open(turn: Turn, alert: Alert, finding: Finding) -> None:
    if alert.waiting != bool(finding.waits):
        alert = turn.keep(alert, waiting=bool(finding.waits))
    if finding.met and finding.held:
        _follow_present(turn, alert, finding, _level(turn, alert, finding))
    elif finding.met is False and alert.condition:
        _end(turn, alert, finding)


def _level(turn: Turn, alert: Alert, finding: Finding) -> Beyond:
    """The level that an open alert stands at: what was measured before a pause that it came after does not count."""
    counting = [each for each in finding.held if _is_after_rest(turn, alert, each.newest_at)]
    return (counting or finding.held)[-1]


def _follow_present(turn: Turn, alert: Alert, finding: Finding, level: Beyond) -> None:
    came_back = finding.began_at is not None and alert.began_at is not None and finding.began_at > alert.began_at
    if alert.condition and came_back and alert.state is State.ACKNOWLEDGED:
        _end(turn, alert, finding)
        still_open = turn.alerts.get(alert.rule)
        if still_open is None:  # no outcome was needed: what came back is a new alert
            _open_if_met(turn, alert.rule, finding)
            return
        alert = still_open
    if not alert.condition:
        if _keeps_quiet(turn, alert.rule, level.priority):  # the alert is of an earlier time
            return
        is_worse = alert.reference is not None and level.priority > alert.reference  # only this breaks a snooze
        until = None if is_worse else alert.snoozed_until
        alert = turn.keep(alert, state=after(alert, Signal.RETURN), snoozed_until=until)
        _activate(turn, alert, finding, level, FactKind.RETURNED)
    elif alert.reference is not None and level.priority > alert.reference:
        alert = turn.keep(alert, state=after(alert, Signal.WORSEN), snoozed_until=None)
        _activate(turn, alert, finding, level, FactKind.WORSENED)
    else:
        _go_on(turn, alert, finding, level)


def _activate(turn: Turn, alert: Alert, finding: Finding, level: Beyond, kind: FactKind) -> None:
    """A new active state: no owner, its ladder from the start, and the reasons of now."""
    reached = level.priority if kind is FactKind.RAISED else alert.highest  # what only waited never was
    alert = turn.keep(
        alert,
        condition=True,
        waiting=bool(finding.waits),
        priority=level.priority,
        highest=max(reached, level.priority, _peak(turn, alert, finding)),
        reference=level.priority,
        raised_at=alert.raised_at or turn.now.at,
        late=alert.late or level.late,
        evidence=alert.evidence + 1,
        newest=finding.newest,
        began_at=finding.began_at,
        cause=finding.cause,
        partial=finding.partial,
        missing=finding.missing,
        why=_why(turn, alert.rule, finding),
        owner=None,
        dispatch=None,
        level=0,
        ladder=escalation.begun(turn, level.priority),
    )
    turn.quiet.pop(alert.rule, None)
    turn.tell(kind, alert, why=alert.why)


def _peak(turn: Turn, alert: Alert, finding: Finding) -> Priority:
    """The highest that the present condition reached, as far as the alert is of it."""
    state = spell_of(finding.state)
    if state is None or state.highest is None or state.top is None:
        return Priority.LOW
    return state.highest if _saw(turn, alert, state.top) else Priority.LOW


def _saw(turn: Turn, alert: Alert, sample: Sample) -> bool:
    """Whether the alert was open when the sample came to be known; what was known before is an earlier alert's."""
    is_new = sample.received_at >= alert.opened_at or sample.reading_id in turn.memory.accepted
    return is_new and _is_after_rest(turn, alert, sample.taken_at)


def _is_after_rest(turn: Turn, alert: Alert | None, moment: datetime) -> bool:
    """Whether `moment` is after every pause that was over when the alert was opened; for none: that is over now."""
    if alert is None:
        return turn.counts(moment)
    ends = [each.end for each in turn.plan.rests if each.end is not None and each.end <= alert.opened_at]
    return not ends or moment > max(ends)


def _go_on(turn: Turn, alert: Alert, finding: Finding, level: Beyond) -> None:
    """The condition is still there: perhaps milder, perhaps with more evidence."""
    if level.priority != alert.priority:
        alert = _change_priority(turn, alert, level.priority)
    changes: dict[str, Any] = {}
    if finding.newest is not None and finding.newest != alert.newest:
        changes = {"newest": finding.newest, "evidence": alert.evidence + 1}
        if newest := why.of_newest(_scene(turn), alert.rule, finding):
            changes["why"] = {**alert.why, "newest": newest}
    if finding.began_at != alert.began_at:
        changes["began_at"] = finding.began_at
    if finding.cause != alert.cause:
        changes["cause"] = finding.cause
    if (finding.partial, finding.missing) != (alert.partial, alert.missing):
        changes |= {"partial": finding.partial, "missing": finding.missing}
    if (highest := max(alert.highest, level.priority, _peak(turn, alert, finding))) != alert.highest:
        changes["highest"] = highest
    if changes:
        alert = turn.keep(alert, **changes)
        if "newest" in changes:
            turn.tell(FactKind.EVIDENCE, alert, why=alert.why.get("newest", {"reading_id": finding.newest}))


def _change_priority(turn: Turn, alert: Alert, priority: Priority) -> Alert:
    """A fall, or a rise to what was covered. Falling below high, or to low, also lowers what counts as worse."""
    fell_far = priority < alert.priority and priority < Priority.HIGH
    changes: dict[str, Any] = {"priority": priority}
    if fell_far and alert.reference is not None:
        changes["reference"] = min(alert.reference, priority)
    if fell_far and alert.state is State.ACTIVE:
        changes["ladder"] = escalation.begun(turn, priority)
    elif fell_far and alert.state is State.ACKNOWLEDGED:
        changes["ladder"] = None
    alert = turn.keep(alert, **changes)
    turn.tell(FactKind.PRIORITY, alert)
    return alert


def _end(turn: Turn, alert: Alert, finding: Finding) -> None:
    """The condition is over: the alert stays for a person, unless no outcome is needed."""
    ended = finding.ended
    is_same = ended is not None and alert.began_at is not None and ended.began_at >= alert.began_at
    if ended is not None and is_same and _saw(turn, alert, ended.sample):
        alert = turn.keep(alert, highest=max(alert.highest, ended.highest))
    state = after(alert, Signal.OVER)
    is_closed = state is State.RESOLVED
    ladder = alert.ladder if state is State.ACKNOWLEDGED else None
    alert = turn.keep(alert, state=state, condition=False, ladder=ladder, closed_at=turn.now.at if is_closed else None)
    turn.tell(FactKind.OVER, alert)
    if is_closed:
        turn.tell(FactKind.RESOLVED, alert)


def _draft(turn: Turn, rule: str, priority: Priority, reason: dict[str, Any]) -> Alert:
    return Alert(
        id=turn.new_id(rule),
        patient=turn.patient,
        rule=rule,
        state=State.PENDING,
        priority=priority,
        highest=priority,
        condition=False,
        opened_at=turn.now.at,
        raised_at=None,
        why=reason,
        needs_outcome=needs_outcome(turn.plan, rule),
    )


def _why(turn: Turn, rule: str, finding: Finding) -> dict[str, Any]:
    if rule == QUARANTINED:
        return why.of_quarantine(_scene(turn), turn.history.quarantine[-1])
    return why.of_finding(_scene(turn), rule, finding)


def _scene(turn: Turn) -> why.Scene:
    return why.Scene(plan=turn.plan, at=turn.now.at, baselines=turn.history.baselines)
