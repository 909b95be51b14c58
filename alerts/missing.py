"""The missing question: is a scheduled reading overdue?

Slots are wall time in the patient's zone. A slot is settled once no later reading can fulfil it any more; settled
slots live on only as the row of misses they belong to. What the clock alone has settled is kept beside, never in, the
history, so that a reading that arrives late still finds its slot open.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from alerts.finding import Beyond, Finding
from alerts.history import MissingState
from alerts.now import Now
from alerts.plan import Period, Plan
from alerts.priority import Priority
from alerts.rules import Missing
from alerts.service_hours import wall
from vitals.frozen import changed

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_LOOK_AHEAD_DAYS = 8  # every weekday occurs within a week


@dataclass(frozen=True, slots=True)
class _Moment:
    """One slot on one date, in UTC."""

    day: date
    number: int
    start: datetime
    end: datetime
    grace_end: datetime
    reminders: tuple[datetime, ...]


def start(rule: Missing, plan: Plan) -> MissingState:
    """The state at the start of the plan, before any reading."""
    day = plan.starts_at.astimezone(plan.zone).date()
    return MissingState(day=day - timedelta(days=day.weekday()) if rule.weekly else day)


def judge(rule: Missing, state: MissingState, plan: Plan, taken_at: datetime, *, good: bool) -> MissingState:
    """The state after a reading of the metric, in event order."""
    counts = False
    for slot, following in _slots(rule, state, plan):
        if slot.grace_end >= taken_at:
            kept = state.goods if good else state.poors
            is_next = following is not None and taken_at >= following.start
            counts = taken_at >= slot.start and (is_next or not kept)  # one in a slot says all there is to say
            break
        state = _settle(rule, state, plan, slot, following)
    if good:
        return changed(state, goods=(*state.goods, taken_at) if counts else state.goods, last_good=taken_at)
    return changed(state, poors=(*state.poors, taken_at)) if counts else state


def look(rule: Missing, state: MissingState, plan: Plan, now: Now) -> Finding:
    """What the rule says now; the finding's state has every slot settled whose grace is over."""
    remind = None
    for slot, following in _slots(rule, state, plan):
        if now.reached(slot.grace_end):
            state = _settle(rule, state, plan, slot, following)
            continue
        remind = _reminder(state, plan, slot, now) or remind
        if following is None or not now.reached(following.start):
            break
    met = state.missed_from is not None and (state.last_good is None or state.last_good < state.missed_from)
    held: tuple[Beyond, ...] = ()
    if met and state.priority is not None and state.missed_at is not None:
        held = (Beyond(priority=state.priority, newest_at=state.missed_at),)
    return Finding(met=bool(held), state=state, held=held, began_at=state.began_at, cause=state.cause, remind=remind)


def _slots(rule: Missing, state: MissingState, plan: Plan) -> Iterator[tuple[_Moment, _Moment | None]]:
    """The slots not settled yet, each with the one after it."""
    if not rule.slots and not rule.weekly:
        return
    slots = _from(rule, plan, state.day, state.slot)
    slot = next(slots, None)
    while slot is not None:
        following = next(slots, None)
        yield slot, following
        slot = following


def _from(rule: Missing, plan: Plan, day: date, number: int) -> Iterator[_Moment]:
    idle = 0
    while idle < _LOOK_AHEAD_DAYS:
        slots = _on(day, rule, plan.zone)
        idle = 0 if slots else idle + 1
        yield from slots[number:]
        day, number = day + (_WEEK if rule.weekly else _DAY), 0


@lru_cache(maxsize=1024)
def _on(day: date, rule: Missing, zone: ZoneInfo) -> tuple[_Moment, ...]:
    """The slots of one local date; of the week that begins on it, where the rule asks once a week."""
    if rule.weekly:
        spans = [(wall(day, 0, zone), wall(day + _WEEK, 0, zone))]
    elif day.weekday() in rule.days:
        spans = [(wall(day, each.start, zone), wall(day, each.end, zone)) for each in rule.slots]
    else:
        spans = []
    reminders = [wall(day, minutes, zone) for minutes in rule.remind_at] if spans else []
    return tuple(
        _Moment(day, at, start, end, end + rule.grace, tuple(each for each in reminders if start <= each <= end))
        for at, (start, end) in enumerate(spans)
    )


def _settle(rule: Missing, state: MissingState, plan: Plan, slot: _Moment, following: _Moment | None) -> MissingState:
    """The state once this slot can no longer be fulfilled, or was."""
    horizon = slot.grace_end if following is None else following.start
    first = bisect_left(state.goods, slot.start)
    in_grace = state.goods[first : bisect_right(state.goods, slot.grace_end)]
    is_fulfilled = any(following is None or not following.start <= each <= following.end for each in in_grace)
    # Whoever was not alive to the plan, or was in hospital, owed nothing.
    is_owed = slot.start >= plan.starts_at and not any(each.touches(slot.start, slot.grace_end) for each in plan.rests)
    settled: dict[str, Any] = {
        "day": slot.day if following is None else following.day,
        "slot": slot.number + 1 if following is None else following.number,
        "goods": tuple([each for each in state.goods if each >= horizon]),
        "poors": tuple([each for each in state.poors if each >= horizon]),
    }
    if is_fulfilled:
        settled["row"] = 0
    elif is_owed:
        settled["row"] = state.row + 1
        if not in_grace:  # else measured in the next slot before this one's grace was over: what would it raise?
            settled |= _missed(rule, state, plan, slot)
    return changed(state, **settled)


def _missed(rule: Missing, state: MissingState, plan: Plan, slot: _Moment) -> dict[str, Any]:
    """What becomes of the state when this slot was owed and nothing came."""
    was_met = state.missed_from is not None and (state.last_good is None or state.last_good < state.missed_from)
    is_worse = rule.worse_after is not None and state.row + 1 >= rule.worse_after
    return {
        "missed_from": slot.start,
        "missed_at": slot.grace_end,
        "began_at": state.began_at if was_met else slot.grace_end,
        "priority": _priority(rule, is_worse),
        "cause": _cause(state, plan, slot),
    }


def _priority(rule: Missing, is_worse: bool) -> Priority:
    return rule.worse_priority if is_worse else rule.priority


def _cause(state: MissingState, plan: Plan, slot: _Moment) -> str:
    """Who could not deliver: the gateway was silent throughout, the device gave nothing good, or nobody measured."""
    if _is_covered(plan.offline, slot):
        return "gateway"
    return "device" if any(slot.start <= each <= slot.grace_end for each in state.poors) else "patient"


def _is_covered(periods: Iterable[Period], slot: _Moment) -> bool:
    """Whether the periods, laid end to end where they touch, last the whole slot."""
    until = slot.start
    for each in sorted(periods, key=lambda period: period.start):
        if each.start > until:
            return False
        if each.end is None or each.end >= slot.end:
            return True
        until = max(until, each.end)
    return False


def _reminder(state: MissingState, plan: Plan, slot: _Moment, now: Now) -> datetime | None:
    """The newest reminder of this slot that fell due, where the slot is owed and not yet fulfilled."""
    if not slot.reminders or slot.start < plan.starts_at:
        return None
    if any(each.touches(slot.start, slot.grace_end) for each in plan.rests):
        return None
    if any(slot.start <= each for each in state.goods):
        return None
    due = None
    for moment in slot.reminders:
        if now.reached(moment):
            due = moment
    return due
