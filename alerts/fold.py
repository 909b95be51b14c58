"""Readings in event order become history.

One pass over the readings, each shown to every rule that listens. When a second reading refutes a first one, the
first never was, for any rule: the pass goes back to the last place where nothing waited and goes on without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median, stdev

from alerts import kinds, missing, threshold
from alerts.arrival import Arrival
from alerts.asked import Asked
from alerts.history import (
    BaselineState,
    Episode,
    History,
    MetricPast,
    MissingState,
    Quarantined,
    RuleState,
    Sample,
    ThresholdState,
    Wait,
    spell_of,
)
from alerts.intake import Marks, Seen, see
from alerts.own_limits import offsets, standing
from alerts.plan import Plan
from alerts.rules import BaselineNeed, Counting, Method, Missing, Threshold, Trend
from vitals.frozen import changed, quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A condition that began and ended before anybody could know of it."""

    rule: str
    episode: Episode


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What the readings come to: the whole, and the part that no answer to a waiting value can change any more."""

    history: History
    anchor: History
    tail: tuple[Arrival, ...]
    past: tuple[Past, ...]


def empty(plan: Plan) -> History:
    """The history before any reading."""
    states: dict[str, RuleState] = {}
    for name, rule in plan.rules.items():
        states[name] = kinds.start(rule, plan)
    return History(states=states)


def fold(start: History, readings: Sequence[Arrival], plan: Plan, marks: Marks) -> Folded:
    """The history after `readings`, sorted in event order and all after `start`."""
    work = _Work.of(start, plan, marks, frozenset(each.reading_id for each in readings if not each.judged))
    anchor, anchor_at, anchor_past = start, 0, 0
    at = 0
    while at < len(readings):
        reading = readings[at]
        work.pass_time(reading)
        if not work.waits:
            # Time has come to this reading, and so have those of the same moment that are in already.
            reached = max(work.last or _FIRST, (reading.taken_at, ""))
            anchor, anchor_at, anchor_past = work.history(reached), at, len(work.past)
        refuted = work.take(reading)
        at += 1
        if refuted:
            marks.superseded.update(refuted)
            work = _Work.of(anchor, plan, marks, work.fresh, work.past[:anchor_past])
            at = anchor_at
    whole = work.history(work.last)
    if not work.waits:
        anchor, anchor_at = whole, len(readings)
    tail = tuple(each if each.judged else changed(each, judged=True) for each in readings[anchor_at:])
    return Folded(history=whole, anchor=_settled(anchor, start), tail=tail, past=tuple(work.past))


def _settled(history: History, start: History) -> History:
    """The history as later steps find it, and as `start` was: every condition rests on readings judged before."""
    fresh: dict[str, RuleState] = {}
    for name, state in history.states.items():
        if state is start.states.get(name):
            continue
        if isinstance(state, ThresholdState):
            if state.fresh:
                fresh[name] = changed(state, fresh=False)
        elif not isinstance(state, MissingState) and state.spell.fresh:
            fresh[name] = changed(state, spell=changed(state.spell, fresh=False))
    return changed(history, states={**history.states, **fresh}) if fresh else history


_FIRST = (datetime.min.replace(tzinfo=UTC), "")


@dataclass(slots=True, kw_only=True)
class _Work:
    """A history being written."""

    plan: Plan
    marks: Marks
    fresh: frozenset[str]
    states: dict[str, RuleState]
    metrics: dict[str, MetricPast]
    baselines: dict[str, BaselineState]
    quarantine: list[Quarantined]
    last: tuple[datetime, str] | None
    restless: set[str] = field(default_factory=set)  # rules that time alone may change
    past: list[Past] = field(default_factory=list)

    @classmethod
    def of(cls, start: History, plan: Plan, marks: Marks, fresh: frozenset[str], past: Sequence[Past] = ()) -> "_Work":
        """From `start`, where nothing waits: only an unfinished run may be changed by time alone."""
        runs = {name: start.states[name] for name in plan.runs}
        return cls(
            plan=plan,
            marks=marks,
            fresh=fresh,
            states=dict(start.states),
            metrics=dict(start.metrics),
            baselines=dict(start.baselines),
            quarantine=list(start.quarantine),
            last=start.last,
            restless={
                name
                for name, state in runs.items()
                if isinstance(state, ThresholdState) and threshold.is_restless(state)
            },
            past=list(past),
        )

    @property
    def waits(self) -> bool:
        """Whether a value waits for a second reading, for any rule."""
        if not self.restless:
            return False
        states = (self.states[name] for name in self.restless)
        return any(isinstance(state, ThresholdState) and state.waits for state in states)

    def history(self, last: tuple[datetime, str] | None) -> History:
        """What is written so far, standing at `last`."""
        return History(
            last=last,
            states=dict(self.states),
            metrics=dict(self.metrics),
            baselines=dict(self.baselines),
            quarantine=tuple(self.quarantine),
        )

    def pass_time(self, reading: Arrival) -> None:
        """Let the time before `reading` do what time alone does."""
        for name in sorted(self.restless):
            rule, state = self.plan.rules[name], self.states[name]
            if isinstance(rule, Threshold) and isinstance(state, ThresholdState):
                self._keep(name, threshold.pass_time(rule, state, reading.taken_at, self.fresh))

    def take(self, reading: Arrival) -> tuple[tuple[str, str], ...]:
        """Show the reading to every rule that listens; the values that it refutes, if any (then start again)."""
        self.last = reading.key
        if reading.reading_id in self.marks.invalidated:
            self._fill_slots(reading)
            self._note_delivered(reading)
            return ()
        seen = see(reading, self.plan, self.marks, self.metrics, self.baselines)
        self.quarantine.extend(seen.quarantined)
        if len(seen.values) < len(reading.values):
            self._note_delivered(reading)
        heard = self.plan.hearing(tuple(seen.values))
        for rule in heard.single:
            state = self.states[rule.name]
            if isinstance(rule, Threshold) and isinstance(state, ThresholdState):
                refuted = self._ask(rule, state, seen)
                if refuted:
                    return refuted
            elif isinstance(rule, Missing) and isinstance(state, MissingState):
                good = seen.values[rule.metric].good
                self.states[rule.name] = missing.judge(rule, state, self.plan, reading.taken_at, good=good)
        if heard.counting:
            self._count(heard.counting, seen)
        self._note_metrics(seen)
        return ()

    def _count(self, rules: Sequence[Counting], seen: Seen) -> None:
        """Show the reading to the rules that count."""
        asked = Asked(
            seen=seen,
            day=seen.reading.taken_at.astimezone(self.plan.zone).date(),
            plan=self.plan,
            states=self.states,
            baselines=self.baselines,
            resets=self.marks.resets,
            fresh=self.fresh,
        )
        for rule in rules:
            before = self.states[rule.name]
            after = kinds.judge(rule, before, asked)
            if after is not before:
                self.states[rule.name] = after
                self._note_end(rule.name, before, after)
            if isinstance(rule, Trend) and rule.method is Method.MACD_CUSUM:
                self._collect(rule.name, rule.listens_to, rule.baseline, seen)

    def _note_end(self, name: str, before: RuleState, after: RuleState) -> None:
        was, now = spell_of(before), spell_of(after)
        if was is not None and now is not None and was.fresh and now.ended is not None and now.ended is not was.ended:
            self.past.append(Past(rule=name, episode=now.ended))

    def _ask(self, rule: Threshold, state: ThresholdState, seen: Seen) -> tuple[tuple[str, str], ...]:
        if rule.symptom is not None and rule.symptom in seen.values:
            state = self._hear(rule, state, seen)
            if not any(metric in seen.values for metric in rule.metrics):
                return ()
        known, standing_now = offsets(rule, self.plan, self.baselines), standing(rule, self.plan, self.baselines)
        if known is None or (rule.with_baseline and standing_now is rule):
            self._collect(rule.name, rule.metrics, rule.baseline, seen)
        if known is None:
            return ()
        sample = _sample(standing_now, seen, state, known)
        if sample is None:
            return ()
        after, refuted = threshold.judge(standing_now, state, sample, known, self.fresh)
        if refuted is not None:
            return _values_of(rule, refuted)
        if after.ended is not None and after.ended is not state.ended and after.fresh:
            self.past.append(Past(rule=rule.name, episode=after.ended))
        self._keep(rule.name, after)
        return ()

    def _hear(self, rule: Threshold, state: ThresholdState, seen: Seen) -> ThresholdState:
        """The state once it knows of a symptom that confirms what waits."""
        answer = None if rule.symptom is None else seen.values.get(rule.symptom)
        if answer is not None and answer.good and answer.number >= 1:
            state = threshold.hear_symptom(rule, state, seen.reading.taken_at, late=seen.late, fresh=self.fresh)
            self._keep(rule.name, state)
        return state

    def _keep(self, name: str, state: ThresholdState) -> None:
        self.states[name] = state
        if threshold.is_restless(state):
            self.restless.add(name)
        else:
            self.restless.discard(name)

    def _collect(self, rule: str, metrics: Sequence[str], need: BaselineNeed, seen: Seen) -> None:
        """One more good value towards the baselines that the rule still lacks."""
        for metric in metrics:
            value, name = seen.values.get(metric), f"{rule}.{metric}"
            so_far = self.baselines.get(name, BaselineState())
            if value is None or not value.good or so_far.value is not None or not value.number.is_finite():
                continue
            values = (*so_far.values, value.number)
            day = seen.reading.taken_at.astimezone(self.plan.zone).date()
            days = so_far.days if day in so_far.days else (*so_far.days, day)
            if len(values) >= need.readings and len(days) >= need.days:
                spread = stdev(values) if len(values) > 1 else None
                known_from = seen.reading.taken_at
                self.baselines[name] = BaselineState(value=median(values), known_from=known_from, spread=spread)
            else:
                self.baselines[name] = BaselineState(values=values, days=days)

    def _note_metrics(self, seen: Seen) -> None:
        for metric, value in seen.values.items():
            if value.good:
                number = value.number if value.number.is_finite() else None
                self.metrics[metric] = MetricPast(good_at=seen.reading.taken_at, value=number, seen=True)
            else:
                self.metrics[metric] = changed(self.metrics.get(metric, MetricPast()), seen=True)

    def _note_delivered(self, reading: Arrival) -> None:
        """Values that exist for no rule were delivered all the same: without good ones their rules are unknown."""
        for metric in reading.values:
            self.metrics.setdefault(metric, MetricPast(seen=True))

    def _fill_slots(self, reading: Arrival) -> None:
        """A reading that a person took out may still have fulfilled its slot: the patient did measure."""
        if reading.reading_id not in self.marks.filled:
            return
        for metric in sorted(reading.values):
            for rule in self.plan.listeners.get(metric, ()):
                state = self.states[rule.name]
                if isinstance(rule, Missing) and isinstance(state, MissingState):
                    self.states[rule.name] = missing.judge(rule, state, self.plan, reading.taken_at, good=True)


def _sample(rule: Threshold, seen: Seen, state: ThresholdState, known: tuple[Decimal, ...]) -> Sample | None:
    """The reading as this rule sees it, one doubtful value making the whole doubtful; None when it changes nothing."""
    present = [seen.values.get(metric) for metric in rule.metrics]
    numbers = tuple([None if value is None else value.number for value in present])
    extreme = any([value is not None and rule.name in value.beyond for value in present])  # noqa: C419
    if not extreme and threshold.is_ordinary(rule, state, numbers, known):
        return None
    return Sample(
        reading_id=seen.reading.reading_id,
        taken_at=seen.reading.taken_at,
        received_at=seen.reading.received_at,
        values=numbers,
        good=all(value is None or value.good for value in present),
        extreme=extreme,
        late=seen.late,
        device=seen.reading.device,
    )


def _values_of(rule: Threshold, wait: Wait) -> tuple[tuple[str, str], ...]:
    """The values, by reading and metric, that a refuted wait takes with it."""
    sample = wait.sample
    return tuple(
        (sample.reading_id, metric)
        for metric, value in zip(rule.metrics, sample.values, strict=True)
        if value is not None
    )
