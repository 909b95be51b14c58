"""The quiet envelope: readings that are sure to change nothing, so that the rules need not be woken for them.

Theory of operation. After a step some values are known to be harmless: not beyond any limit, not enough for any score,
mean or trend, believed as they stand, of a metric that is fresh anyway. For each metric an envelope names them as one
span of values and one of time. Whatever readings lie inside, however many, in whatever order they come: a step at the
arrival of each would say no fact, and leave alerts, zone and wake-ups as good as they are. So they may wait for the
next step (at the wake-up at the latest), which folds them as it would have folded them one by one.

Each narrowing below holds for any number of readings inside, not for the next one alone: sums are bounded with every
metric at its worst, a trend by the one day that may begin within the span. What cannot be bounded cheaply has no span.
An envelope belongs to the step that it was made of: the next step, click or plan version makes another.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from alerts import narrowing
from alerts.arrival import Arrival
from alerts.intake import LATE_AFTER, has_slipped
from alerts.narrowing import Room
from alerts.now import Now
from alerts.plan import Plan
from alerts.rules import AnyRule, Compound, Mean, Missing, Score, Threshold, Trend
from alerts.view import Step
from vitals.metrics import METRICS
from vitals.reading import Quality

_ABOUT = Decimal(1)  # further out than rounding moves a value


class Span(NamedTuple):
    """Values from `low` to `high`, both included, taken after `after`; taken and received before `until`."""

    low: Decimal
    high: Decimal
    after: datetime
    until: datetime


class Envelope(NamedTuple):
    """Metric -> the span in which its readings are quiet; a metric without one is never quiet."""

    spans: Mapping[str, Span]

    def holds(self, reading: Arrival) -> bool:
        """Whether the reading lies inside with all its values, is good and in time."""
        if reading.quality is not Quality.GOOD or reading.received_at - reading.taken_at > LATE_AFTER:
            return False
        newest, latest = reading.taken_at, max(reading.taken_at, reading.received_at)
        for metric, value in reading.values.items():
            span = self.spans.get(metric)
            if span is None or not isinstance(value, Decimal) or not span.after < newest or not latest < span.until:
                return False
            if not span.low - _ABOUT <= value <= span.high + _ABOUT:  # what cannot be rounded either
                return False
            if not span.low <= METRICS[metric].rounded(value) <= span.high:
                return False
        return bool(reading.values) and not has_slipped(reading)


def envelope(plan: Plan, step: Step, now: datetime) -> Envelope | None:
    """What is quiet after `step`, which was asked under `plan` at `now` and is the newest; None: nothing is."""
    memory, outlook, wake_at = step.memory, step.outlook, step.wake_at
    if wake_at is None or outlook is None or memory.anchor.last is None:
        return None
    if memory.stale or memory.tail:  # the past is to be read again, or some value waits for an answer
        return None
    room = Room(plan, memory.anchor, Now(now), wake_at)
    touchy = {each.rule for each in step.alerts if each.is_open and each.condition} | memory.quiet.keys()
    for name, rule in plan.rules.items():
        finding = outlook.answers[name].finding
        if finding.met or name in touchy:
            room.leave_out(rule.listens_to)
    _keep_zone(room, plan, step)
    for rule in plan.rules.values():
        if not isinstance(rule, Trend | Missing):
            _narrow(room, rule)
    for rule in plan.rules.values():
        if isinstance(rule, Trend):  # last: the fewer values are left, the fewer must be tried
            _narrow(room, rule)
    spans = {
        metric: Span(each.low, each.high, each.after, each.until)
        for metric, each in room.left()
        if each.low <= each.high
    }
    return Envelope(spans) if spans else None


def dump(made: Envelope | None) -> str | None:
    """The envelope as short text: moments by metric only where they are not those of the first metric."""
    if made is None:
        return None
    first = next(iter(made.spans.values()))
    known = {first.after: first.after.isoformat(), first.until: first.until.isoformat()}
    spans: dict[str, list[str]] = {}
    for metric, each in made.spans.items():
        spans[metric] = [str(each.low), str(each.high)]
        if each.after != first.after or each.until != first.until:
            spans[metric] += [known.get(moment) or moment.isoformat() for moment in (each.after, each.until)]
    return json.dumps({"after": known[first.after], "until": known[first.until], "spans": spans})


def load(text: str) -> Envelope:
    """The envelope in a text made by `dump`."""
    told = json.loads(text)
    usual = datetime.fromisoformat(told["after"]), datetime.fromisoformat(told["until"])
    spans = {}
    for metric, (low, high, *own) in told["spans"].items():
        after, until = (datetime.fromisoformat(own[0]), datetime.fromisoformat(own[1])) if own else usual
        spans[metric] = Span(Decimal(low), Decimal(high), after, until)
    return Envelope(spans)


def are_quiet(made: Envelope | None, readings: Iterable[Arrival]) -> bool:
    """Whether all these readings that come together lie inside."""
    return made is not None and all(made.holds(each) for each in readings)


def _keep_zone(room: Room, plan: Plan, step: Step) -> None:
    """Leave out what could make the zone known or unknown: metrics that are not fresh, or of a rule that is unknown."""
    answers = {} if step.outlook is None else step.outlook.answers
    for need in plan.freshness:
        rules = [answers[name] for name in need.rules if answers[name].known]
        if not rules:
            continue
        fresh_until = room.fresh_until(need)
        if fresh_until is None or any(each.finding.met is None for each in rules):
            room.leave_out(need.metrics)
        else:
            for metric in need.metrics:
                room.end(metric, fresh_until)


def _narrow(room: Room, rule: AnyRule) -> None:
    if isinstance(rule, Threshold):
        narrowing.by_threshold(room, rule)
    elif isinstance(rule, Score):
        narrowing.by_score(room, rule)
    elif isinstance(rule, Trend):
        narrowing.by_trend(room, rule)
    elif isinstance(rule, Mean):
        narrowing.by_mean(room, rule)
    elif isinstance(rule, Compound):
        narrowing.by_compound(room, rule)
