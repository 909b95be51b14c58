"""The threshold question: is a value beyond a limit, and for which of the bands?

`judge` takes one reading after the other, in event order. `look` adds what time alone does: a wait that nobody
answered is confirmed, an unfinished run that fell silent enters. Time is never stored: the reading that comes late
and would have answered finds the wait as it was.
"""

from collections.abc import Callable, Container
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from alerts.finding import Beyond, Finding
from alerts.history import BandState, Episode, Sample, ThresholdState, Wait
from alerts.now import Now
from alerts.priority import Priority
from alerts.rules import CONFIRM_DEFAULT, Band, Side, Threshold
from vitals.frozen import changed

_AFTER_ARRIVAL = timedelta(minutes=10)  # the patient needs time to measure again once we know
_NOT_HELD = BandState()

Offsets = tuple[Decimal, ...]
Values = tuple[Decimal | None, ...]


class _Question(NamedTuple):
    """What is asked: the rule, where its limits stand, and which readings are first judged in this step."""

    rule: Threshold
    offsets: Offsets
    fresh: Container[str]


def is_ordinary(rule: Threshold, state: ThresholdState, values: Values, offsets: Offsets) -> bool:
    """Whether values that are believed change nothing: nothing held, nothing counted, nothing beyond."""
    if rule.asks_again or not is_calm(state):
        return False
    return not _is_beyond(rule, rule.nearest, values, offsets)


def start(rule: Threshold) -> ThresholdState:
    """The state before any reading."""
    return ThresholdState(bands=(_NOT_HELD,) * len(rule.bands))


def judge(
    rule: Threshold, state: ThresholdState, sample: Sample, offsets: Offsets, fresh: Container[str]
) -> tuple[ThresholdState, Wait | None]:
    """The state after `sample`, or the wait that it refutes (then the state means nothing: fold again without it).

    Waits that ended before `sample` must have been passed (`pass_time`). `fresh`: readings first judged in this step.
    """
    beyond = tuple([sample.extreme or _is_beyond(rule, band.limits, sample.values, offsets) for band in rule.bands])
    question = _Question(rule, offsets, fresh)
    if sample.good:
        for wait in state.waits:
            if wait.sample.taken_at < sample.taken_at and wait in state.waits:
                if not beyond[wait.asked]:
                    return state, wait
                state = _enter(question, state, wait, sample.taken_at, late=sample.late)
    state = _follow_bands(question, state, sample, beyond)
    if state.fresh and any(beyond) and sample.reading_id not in fresh:
        state = changed(state, fresh=False)
    state = _enter_or_wait(question, state, sample, beyond)
    return _end_if_left(state, sample.taken_at), None


def pass_time(rule: Threshold, state: ThresholdState, moment: datetime, fresh: Container[str]) -> ThresholdState:
    """The state when it is known that nothing was measured until just before `moment`."""
    return _let_pass(_Question(rule, (), fresh), state, lambda deadline: deadline < moment)


def hear_symptom(
    rule: Threshold, state: ThresholdState, moment: datetime, *, late: bool, fresh: Container[str]
) -> ThresholdState:
    """The state when the patient says at `moment` that it is felt: what waits for such an answer is confirmed."""
    question = _Question(rule, (), fresh)
    state = changed(state, symptom_at=moment)
    for wait in state.waits:
        if rule.bands[wait.asked].symptom is not None and wait in state.waits:
            state = changed(state, waits=tuple(each for each in state.waits if each is not wait))
            state = _enter(question, state, wait, moment, late=late)
    return state


def is_restless(state: ThresholdState) -> bool:
    """Whether time alone may change it."""
    if state.waits:
        return True
    for band in state.bands:  # noqa: SIM110 - asked of every rule at every reading, and quicker so
        if band.run:
            return True
    return False


def is_calm(state: ThresholdState) -> bool:
    """Whether nothing is held, counted or waited for."""
    if state.waits:
        return False
    for band in state.bands:  # noqa: SIM110 - as above
        if band.clear is not None or band.run:
            return False
    return True


def look(rule: Threshold, state: ThresholdState, now: Now, *, known: bool) -> Finding:
    """What the rule says now; `known` is False while it lacks a baseline."""
    if is_calm(state) and not rule.asks_again:
        return Finding(met=False if known else None, state=state, ended=state.ended)
    if is_restless(state):
        state = _let_pass(_Question(rule, (), ()), state, now.reached)
    held = tuple(
        Beyond(priority=band.priority, newest_at=own.beyond_at, sample=own.sample, late=own.late)
        for band, own in zip(rule.bands, state.bands, strict=True)
        if own.clear is not None and own.beyond_at is not None
    )
    asks = [rule.bands[wait.asked].priority for wait in state.waits]
    return Finding(
        met=bool(held) if known or held else None,
        state=state,
        held=held,
        began_at=state.began_at,
        waits=state.waits,
        asks=max(asks) if asks else None,
        ended=state.ended,
        newest=None if state.newest is None else state.newest.reading_id,
        ask_again=_ask_again(rule, state, now),
    )


def _let_pass(question: _Question, state: ThresholdState, is_over: Callable[[datetime], bool]) -> ThresholdState:
    """The state once every deadline that is over has done its part; what one settles may set or spare the next."""
    while found := _deadlines(question.rule, state):
        deadline, wait = found[0]
        if not is_over(deadline):
            break
        state = _enter(question, state, wait, deadline)
    return state


def _deadlines(rule: Threshold, state: ThresholdState) -> list[tuple[datetime, Wait]]:
    """What time alone will confirm, in order: waits, and unfinished runs that fall silent."""
    found = [(wait.deadline, wait) for wait in state.waits]
    for at, (band, own) in enumerate(zip(rule.bands, state.bands, strict=True)):
        if band.silence is not None and own.run:  # a good reading that is not beyond would have ended the run
            deadline = own.run[-1].taken_at + band.silence
            found.append((deadline, Wait(sample=own.run[-1], enters=(at,), deadline=deadline)))
    return sorted(found, key=lambda each: each[0])


def _is_beyond(rule: Threshold, limits: Values, values: Values, offsets: Offsets) -> bool:
    """Whether any present metric is at or past its limit."""
    for value, limit, offset in zip(values, limits, offsets, strict=True):
        if value is None or limit is None:
            continue
        if value <= limit + offset if rule.side is Side.BELOW else value >= limit + offset:
            return True
    return False


def _is_back(rule: Threshold, band: Band, sample: Sample, offsets: Offsets) -> bool:
    """Whether all present metrics are back by their deadband."""
    for value, limit, offset, margin in zip(sample.values, band.limits, offsets, rule.deadband, strict=True):
        if value is None or limit is None:
            continue
        if value < limit + offset + margin if rule.side is Side.BELOW else value > limit + offset - margin:
            return False
    return True


def _follow_bands(
    question: _Question, state: ThresholdState, sample: Sample, beyond: tuple[bool, ...]
) -> ThresholdState:
    """Count the sample: towards leaving the bands held, towards the runs of the others."""
    rule, offsets, _ = question
    bands = list(state.bands)
    newest = state.newest
    for at, (band, own) in enumerate(zip(rule.bands, state.bands, strict=True)):
        if own.clear is None:
            if sample.good and (own.run or (beyond[at] and band.is_run)):
                bands[at] = changed(own, run=_longer(band, own.run, sample) if beyond[at] else ())
        elif beyond[at]:
            newest = sample if sample.good else newest
            bands[at] = changed(own, clear=0, beyond_at=sample.taken_at if sample.good else own.beyond_at)
        elif sample.good:
            clear = own.clear + 1 if _is_back(rule, band, sample, offsets) else 0
            bands[at] = _NOT_HELD if clear >= rule.clear_readings else changed(own, clear=clear)
    if not sample.good or not rule.asks_again:
        return changed(state, bands=tuple(bands), newest=newest)
    reached = tuple(at for at, each in enumerate(beyond) if each)
    return changed(state, bands=tuple(bands), newest=newest, good=sample, good_beyond=reached)


def _longer(band: Band, run: tuple[Sample, ...], sample: Sample) -> tuple[Sample, ...]:
    """The run with the sample: no longer back than counts, no more of it than decides."""
    run = (*run, sample)
    if band.most is not None:
        earliest = sample.taken_at - band.most
        return tuple(each for each in run if each.taken_at >= earliest)
    if band.apart is not None:
        return run if len(run) <= band.readings else (*run[: band.readings - 1], sample)
    return run[-band.readings :]


def _is_complete(band: Band, run: tuple[Sample, ...]) -> bool:
    if len(run) < band.readings:
        return False
    return band.apart is None or run[-1].taken_at - run[0].taken_at >= band.apart


def _enter_or_wait(
    question: _Question, state: ThresholdState, sample: Sample, beyond: tuple[bool, ...]
) -> ThresholdState:
    """Let the sample enter the bands it reaches; or let it wait, if the most severe of them asks for a second one."""
    rule, offsets, _ = question
    reached = []
    for at, (band, own) in enumerate(zip(rule.bands, state.bands, strict=True)):
        if own.clear is None and beyond[at]:
            run = own.run if sample.good else _longer(band, own.run, sample)
            if not band.is_run or _is_complete(band, run) or _is_off_scale(rule, sample):
                reached.append(at)
    if not reached:
        return state
    asked = rule.bands[reached[-1]]
    held = _held_priority(rule, state)
    is_worse = held is None or asked.priority > held
    doubtful = () if sample.good else tuple(at for at, each in enumerate(beyond) if each)
    wait = Wait(sample=sample, enters=tuple(reached), deadline=_deadline(asked, sample), beyond=doubtful)
    if _is_felt(asked, state, sample):
        return _enter(question, state, wait, sample.taken_at)
    if not sample.good:
        return _waiting(state, wait) if is_worse else state
    at_once = asked.confirm is None or _is_off_scale(rule, sample) or _rings_at_once(rule, asked, sample, offsets)
    if at_once or not is_worse:
        return _enter(question, state, wait, sample.taken_at)
    return _waiting(state, wait)


def _is_off_scale(rule: Threshold, sample: Sample) -> bool:
    """Too low or too high for the device on the rule's side, or not plausible there: beyond every limit."""
    if sample.extreme:
        return True
    end = Decimal("-Infinity") if rule.side is Side.BELOW else Decimal("Infinity")
    return end in sample.values


def _is_felt(band: Band, state: ThresholdState, sample: Sample) -> bool:
    """Whether the symptom that confirms was reported shortly before."""
    if band.symptom is None or band.confirm is None or state.symptom_at is None:
        return False
    return sample.taken_at - state.symptom_at <= band.confirm


def _rings_at_once(rule: Threshold, band: Band, sample: Sample, offsets: Offsets) -> bool:
    return bool(band.unless) and _is_beyond(rule, band.unless, sample.values, offsets)


def _deadline(band: Band, sample: Sample) -> datetime:
    """When silence confirms: never before the patient had time to be asked, unless the reading itself came late."""
    end = sample.taken_at + (band.confirm or CONFIRM_DEFAULT)
    return end if sample.late else max(end, sample.received_at + _AFTER_ARRIVAL)


def _waiting(state: ThresholdState, wait: Wait) -> ThresholdState:
    return changed(state, waits=tuple(sorted((*state.waits, wait), key=lambda each: each.deadline)))


def _held_priority(rule: Threshold, state: ThresholdState) -> Priority | None:
    held = [band.priority for band, own in zip(rule.bands, state.bands, strict=True) if own.clear is not None]
    return held[-1] if held else None


def _enter(
    question: _Question, state: ThresholdState, wait: Wait, at: datetime, *, late: bool = False
) -> ThresholdState:
    """The state when what `wait` asked is confirmed at `at`; waits that ask no more than is now held are settled."""
    rule, _, fresh = question
    bands = list(state.bands)
    basis = [wait.sample]
    for index in wait.enters:
        own = bands[index]
        if own.clear is None:
            basis += own.run
            is_late = late or wait.sample.late or any(each.late for each in own.run)
            bands[index] = BandState(clear=0, sample=wait.sample, late=is_late, beyond_at=wait.sample.taken_at)
    for index in wait.beyond:  # a poor reading that is confirmed counts as a good one: in the other bands' runs too
        if bands[index].clear is None and rule.bands[index].is_run:
            bands[index] = changed(bands[index], run=_longer(rule.bands[index], bands[index].run, wait.sample))
    entered = changed(state, bands=tuple(bands))
    if wait.beyond and rule.asks_again:
        entered = changed(entered, good=wait.sample, good_beyond=wait.beyond)
    held = _held_priority(rule, entered)
    waits = tuple(each for each in state.waits if held is None or rule.bands[each.asked].priority > held)
    is_fresh = all(each.reading_id in fresh for each in basis)
    if state.began_at is None:
        return changed(
            entered, waits=waits, began_at=at, highest=held, top=wait.sample, fresh=is_fresh, newest=wait.sample
        )
    risen = held is not None and (state.highest is None or held > state.highest)
    return changed(
        entered,
        waits=waits,
        highest=held if risen else state.highest,
        top=wait.sample if risen else state.top,
        fresh=state.fresh and is_fresh,
        newest=wait.sample,
    )


def _end_if_left(state: ThresholdState, at: datetime) -> ThresholdState:
    if state.began_at is None or any(own.clear is not None for own in state.bands):
        return state
    if state.highest is None or state.top is None:
        return state
    ended = Episode(began_at=state.began_at, ended_at=at, highest=state.highest, sample=state.top, late=state.top.late)
    return changed(state, began_at=None, highest=None, top=None, newest=None, ended=ended)


def _ask_again(rule: Threshold, state: ThresholdState, now: Now) -> str | None:
    """The newest good reading beyond a band that wants another after a while, once that while is over."""
    if state.good is None or not state.good_beyond:
        return None
    after = [rule.bands[at].ask_again for at in state.good_beyond]
    spans = [each for each in after if each is not None]
    if not spans or not now.reached(state.good.taken_at + min(spans)):
        return None
    return state.good.reading_id
