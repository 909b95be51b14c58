"""`step` and `act`: the two functions that decide. Nothing else in the house does.

Pure: the same view and moment give the same step. Asking twice changes nothing; asking only at arrivals and wake-ups
equals asking every minute. At one moment: arrivals first, then clocks (windows, slots, deadlines), then the click.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from alerts import clicks, escalation, outlook, raising, telling
from alerts.arrival import Arrival
from alerts.command import Command
from alerts.command import IllegalSignal as IllegalSignal
from alerts.fold import Folded, Past, empty, fold
from alerts.history import History, Quarantined, spell_of
from alerts.intake import Marks
from alerts.memory import Memory
from alerts.now import Now
from alerts.plan import Plan
from alerts.turn import Turn
from alerts.view import PatientView, Step
from vitals.frozen import changed


def step(view: PatientView, now: datetime) -> Step:
    """What readings and time have come to at `now` (aware UTC). Never raises on data."""
    turn, past = _begin(view, now)
    _settle(turn, past)
    return _finish(turn)


def act(view: PatientView, command: Command, now: datetime) -> Step:
    """What one click does at `now`, after everything that `step` would do.

    Raises `IllegalSignal` when the click means nothing as things stand. Invalidate and accept need a complete view.
    """
    if command.needs_history and not view.complete:
        raise ValueError(f"{command.signal.value} changes the past: it needs a complete view")
    turn, past = _begin(view, now)
    _settle(turn, past)
    readings = frozenset(each.reading_id for each in view.arrivals)
    clicks.click(turn, command, readings)
    turn.now = Now(now)
    _settle(turn, _change_past(turn, view) if command.needs_history else (), marked=False)
    return _finish(turn)


def held_back(view: PatientView) -> tuple[Quarantined, ...]:
    """The values that nobody believes and nobody has judged yet, in event order."""
    return _fold(view)[1].history.quarantine


def _begin(view: PatientView, at: datetime) -> tuple[Turn, tuple[Past, ...]]:
    memory, folded = _fold(view)
    turn = Turn(
        patient=view.patient,
        plan=view.plan,
        now=Now(at),
        memory=memory,
        history=folded.history,
        alerts={each.rule: each for each in sorted(view.alerts, key=lambda alert: alert.rule) if each.is_open},
        quiet=dict(memory.quiet),
        sent=list(memory.sent),
        outlook=view.outlook,
    )
    return turn, folded.past


def _fold(view: PatientView) -> tuple[Memory, Folded]:
    """The memory with the arrivals in it."""
    memory, plan = view.memory, view.plan
    if memory is None or view.complete:
        base = memory or Memory(plan_key=plan.key, anchor=History())
        folded = fold(empty(plan), _in_order(view.arrivals), plan, _marks(base))
        return _remember(base, plan, folded, stale=False), folded
    if memory.plan_key != plan.key:
        raise ValueError("the plan changed: a complete view is needed")
    last, known = memory.anchor.last, {each.reading_id for each in memory.tail}
    new = [each for each in view.arrivals if last is None or each.key > last]
    stale = memory.stale or len(new) < len(view.arrivals)
    readings = _in_order((*memory.tail, *(each for each in new if each.reading_id not in known)))
    if not readings:
        memory = changed(memory, stale=True) if stale and not memory.stale else memory
        return memory, Folded(history=memory.anchor, anchor=memory.anchor, tail=(), past=())
    folded = fold(memory.anchor, readings, plan, _marks(memory))
    return _remember(memory, plan, folded, stale=stale), folded


def _in_order(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Event order, every reading once: of two deliveries the earlier counts."""
    arrivals = tuple(arrivals)
    if len(arrivals) < 2:
        return list(arrivals)
    first: dict[str, Arrival] = {}
    for each in sorted(arrivals, key=lambda arrival: arrival.received_at):
        first.setdefault(each.reading_id, each)
    return sorted(first.values(), key=lambda arrival: arrival.key)


def _marks(memory: Memory) -> Marks:
    return Marks(
        invalidated=frozenset(memory.invalidated),
        filled=frozenset(memory.filled),
        accepted=frozenset(memory.accepted),
        unused=frozenset(memory.unused),
        resets=memory.resets,
    )


def _remember(memory: Memory, plan: Plan, folded: Folded, *, stale: bool) -> Memory:
    return changed(memory, plan_key=plan.key, anchor=folded.anchor, tail=folded.tail, stale=stale)


def _change_past(turn: Turn, view: PatientView) -> tuple[Past, ...]:
    """Fold again after a click on the past; the conditions that come to light by it, over long ago."""
    marks = _marks(turn.memory)
    unseen = [changed(each, judged=False) for each in _in_order(view.arrivals)]
    before = fold(empty(turn.plan), unseen, turn.plan, _marks(view.memory or turn.memory))
    after = fold(empty(turn.plan), unseen, turn.plan, marks)
    turn.memory = _remember(turn.memory, turn.plan, after, stale=False)
    turn.history = after.history
    return tuple(each for each in after.past if not _was_known(each, before))


def _was_known(past: Past, before: Folded) -> bool:
    """Whether a condition of that rule was there at some of that time as the readings stood before."""
    known = spell_of(before.history.states.get(past.rule))
    if known is not None and known.began_at is not None and known.began_at <= past.episode.ended_at:
        return True
    return any(
        each.rule == past.rule
        and each.episode.began_at <= past.episode.ended_at
        and past.episode.began_at <= each.episode.ended_at
        for each in before.past
    )


def _settle(turn: Turn, past: Iterable[Past], *, marked: bool = True) -> None:
    """Readings and clocks, in this order: conditions, alerts, the patient, the ladders, the zone."""
    _rest(turn)
    _find(turn)
    for rule, finding in turn.findings.items():
        if finding.met or finding.waits or rule in turn.alerts or rule in turn.quiet:
            raising.follow(turn, rule, finding)
    for each in past:
        raising.remember_past(turn, each, marked=marked)
    telling.ask_patient(turn)
    escalation.run(turn)
    telling.show_zone(turn)


def _rest(turn: Turn) -> None:
    """Whether the patient is in a pause, and when the newest one ended."""
    turn.resting, turn.rested_until = False, None
    for each in turn.plan.rests:
        if not turn.now.reached(each.start):
            continue
        if each.end is None or not turn.now.reached(each.end):
            turn.resting = True
        elif turn.rested_until is None or each.end > turn.rested_until:
            turn.rested_until = each.end


def _find(turn: Turn) -> None:
    """Ask the rules; keep what the clock alone settled, so that the next step need not go through it again."""
    turn.outlook = outlook.ask(turn.history, turn.plan, turn.now, turn.memory.ahead, turn.outlook)
    turn.findings = turn.outlook.findings
    ahead = outlook.moved(turn.outlook, turn.memory.ahead)
    if ahead is not turn.memory.ahead:
        turn.memory = changed(turn.memory, ahead=ahead)


def _finish(turn: Turn) -> Step:
    """The turn as a step: what to show, what happened, what to remember, when to ask again."""
    memory, sent = turn.memory, tuple(turn.sent)
    if turn.quiet != memory.quiet or sent != memory.sent:
        memory = changed(memory, quiet=turn.quiet, sent=sent)
    if memory.stale:
        turn.now.reached(turn.now.at + _AT_ONCE)
    return Step(
        alerts=(*(turn.alerts[rule] for rule in sorted(turn.alerts)), *turn.closed),
        facts=tuple(turn.facts),
        memory=memory,
        zone=memory.zone,
        wake_at=turn.now.wake_at,
        outlook=turn.outlook,
    )


_AT_ONCE = timedelta(seconds=1)
