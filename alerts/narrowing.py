"""How each kind of rule narrows the values that are sure to change nothing (see `envelope`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from alerts import news2, score, threshold, trend
from alerts.freshness import Need
from alerts.history import CompoundState, Day, History, MeanState, ScoreState, ThresholdState, TrendState, spell_of
from alerts.intake import JUMP
from alerts.mean import BACK, GAP
from alerts.now import Now
from alerts.own_limits import offsets, own_level, standing
from alerts.plan import Plan
from alerts.rules import SCORED, Compound, Mean, Method, Score, Threshold, Trend, above, below
from alerts.service_hours import wall
from vitals.metrics import METRICS

_DAY = timedelta(days=1)
_FAR = Decimal("Infinity")
_TRIES = 3  # halvings to find how far a trend lets a value go
_TRIED = 50  # steps of a metric without a plausible range that a trend is tried for, each way from its newest value


@dataclass(slots=True)
class Left:
    """What is left of one metric: values from `low` to `high`, taken after `after` and before `until`."""

    low: Decimal
    high: Decimal
    after: datetime
    until: datetime


class Room:
    """What is left while rule after rule narrows it."""

    def __init__(self, plan: Plan, history: History, now: Now, until: datetime) -> None:
        self.plan, self.history, self.now = plan, history, now
        self.today = now.at.astimezone(plan.zone).date()
        self._left: dict[str, Left] = {}
        newest = history.last[0] if history.last is not None else now.at
        for metric, past in history.metrics.items():
            if past.good_at is None or past.value is None:
                continue
            low, high = METRICS[metric].plausible or (-_FAR, _FAR)
            if metric == "weight":  # no two of them may lie so far apart that one is not believed
                low, high = max(low, past.value - JUMP / 2), min(high, past.value + JUMP / 2)
            self._left[metric] = Left(low, high, newest, until)

    def left(self) -> Iterator[tuple[str, Left]]:
        """What is left of each metric."""
        return iter(self._left.items())

    def get(self, metric: str) -> Left | None:
        """What is left of the metric; None: nothing."""
        return self._left.get(metric)

    def value(self, metric: str) -> Decimal:
        """The newest good value of a metric of which something is left."""
        value = self.history.metrics[metric].value
        return Decimal(0) if value is None else value

    def leave_out(self, metrics: Iterable[str]) -> None:
        """Nothing is left of these metrics."""
        for metric in metrics:
            self._left.pop(metric, None)

    def narrow(self, metric: str, low: Decimal | None, high: Decimal | None) -> None:
        """Only values from `low` to `high` are left (None: no such end)."""
        left = self._left.get(metric)
        if left is None:
            return
        if low is not None and low > left.low:
            left.low = low
        if high is not None and high < left.high:
            left.high = high

    def end(self, metric: str, until: datetime) -> None:
        """Only what is taken and received before `until` is left."""
        left = self._left.get(metric)
        if left is not None and until < left.until:
            left.until = until

    def begin(self, metric: str, after: datetime) -> None:
        """Only what is taken after `after` is left."""
        left = self._left.get(metric)
        if left is not None and after > left.after:
            left.after = after

    def fresh_until(self, need: Need) -> datetime | None:
        """Until when the need is met as things stand; None: it is not."""
        newest = None
        for metric in need.metrics:
            past = self.history.metrics.get(metric)
            if past is not None and past.good_at is not None and (newest is None or past.good_at > newest):
                newest = past.good_at
        if newest is None or self.now.reached(newest + need.max_age):
            return None
        return newest + need.max_age

    def midnight(self, day: date) -> datetime:
        """When the local day begins."""
        return wall(day, 0, self.plan.zone)


def by_threshold(room: Room, rule: Threshold) -> None:
    """Not beyond the limit nearest to normal; nothing at all while something is counted or a baseline collected."""
    state, plan, baselines = room.history.states[rule.name], room.plan, room.history.baselines
    if rule.symptom is not None:
        room.leave_out((rule.symptom,))
    known = offsets(rule, plan, baselines)
    is_collected = not rule.with_baseline or own_level(rule.name, rule.metrics[0], plan, baselines) is not None
    is_calm = isinstance(state, ThresholdState) and threshold.is_calm(state) and not state.good_beyond
    if known is None or not is_collected or not is_calm:
        room.leave_out(rule.metrics)
        return
    rule = standing(rule, plan, baselines)
    for metric, low, high in rule.ordinary_from(known) if rule.relative else rule.ordinary:
        room.narrow(metric, low, high)


def by_score(room: Room, rule: Score) -> None:
    """Each parameter so low in points that all together, at their worst, do not reach the lowest band."""
    state, facts = room.history.states[rule.name], room.plan.facts
    if not isinstance(state, ScoreState) or not score.is_computed(rule, facts):
        return
    room.leave_out((score.FLOW,))
    charts = score.charts(state, facts)
    now = {metric: part.value for metric, part in state.parts.items() if metric in charts}
    mine = [metric for metric in charts if room.get(metric) is not None]
    now |= {metric: room.value(metric) for metric in mine}
    if len(now) + 1 < score.LEAST:  # the oxygen counts as one
        return
    points = {metric: max(chart.score(now[metric]) for chart in charts[metric]) for metric in now}
    spare = min((band.sum for band in rule.bands), default=news2.MOST * len(SCORED)) - 1
    spare -= sum(points.values()) + (news2.ON_OXYGEN if score.may_be_on_oxygen(state, facts) else 0)
    if spare < 0 or news2.MOST in points.values():
        room.leave_out(SCORED)
        return
    for most in range(1, news2.MOST):  # everybody a first point, then a second, as far as they go
        for metric in mine:
            if points[metric] < most and spare > 0:
                points[metric], spare = points[metric] + 1, spare - 1
    for metric in mine:
        for chart in charts[metric]:
            low, high = chart.around(now[metric], points[metric])
            step = METRICS[metric].step
            room.narrow(metric, None if low is None else above(low, step), high)


def by_trend(room: Room, rule: Trend) -> None:
    """Once today has its value, tomorrow's may still come; else today's. The rule itself says what would move it."""
    state, metric = room.history.states[rule.name], rule.metric
    left = room.get(metric)
    if left is None or not isinstance(state, TrendState):
        return
    is_known = state.spell.known or rule.method is not Method.LOSS  # this one counts for the zone
    if not is_known or not state.days or not _is_collected(room, rule) or state.days[-1].day > room.today:
        room.leave_out((metric,))
        return
    has_today = state.days[-1].day == room.today
    day = room.today + _DAY if has_today else room.today
    own = trend.own_level(rule, room.plan, room.history.baselines)

    def meets(value: Decimal) -> bool:
        met = trend.would_meet(rule, state, Day(day=day, value=value), own)
        return rule.method is Method.LOSS if met is None else met

    found = _unmoved(room, metric, meets)
    if found is not None:
        room.narrow(metric, *found)
        room.end(metric, room.midnight(day + _DAY))
        room.begin(metric, room.midnight(room.today))
    elif has_today:
        room.end(metric, room.midnight(day))
    else:
        room.leave_out((metric,))


def _is_collected(room: Room, rule: Trend) -> bool:
    """Whether the level and spread that the rule measures by are what they will be."""
    if rule.method is not Method.MACD_CUSUM:
        return True
    begun = room.history.baselines.get(f"{rule.name}.{rule.metric}")
    return begun is not None and begun.value is not None


def _unmoved(room: Room, metric: str, meets: Callable[[Decimal], bool]) -> tuple[Decimal, Decimal] | None:
    """From where to where a value meets nothing. Those that do lie on the outer sides: no method has them between."""
    left, step, middle = room.get(metric), METRICS[metric].step, room.value(metric)
    if left is None or not left.low <= middle <= left.high or meets(middle):
        return None
    low, high = max(left.low, middle - _TRIED * step), min(left.high, middle + _TRIED * step)
    return _furthest(middle, low, step, meets), _furthest(middle, high, step, meets)


def _furthest(quiet: Decimal, end: Decimal, step: Decimal, meets: Callable[[Decimal], bool]) -> Decimal:
    """A value as far from `quiet` towards `end` as a few tries find that meets nothing, as all between do."""
    if not meets(end):
        return end
    for _ in range(_TRIES):
        if abs(end - quiet) <= step:
            break
        middle = quiet + ((end - quiet) / 2 // step) * step  # on the grid, and nearer to what is known to be quiet
        if not meets(middle):
            quiet = middle
        else:
            end = middle
    return quiet


def by_mean(room: Room, rule: Mean) -> None:
    """Below the limits, while what is left of the week without them is enough and below them as well."""
    state = room.history.states[rule.name]
    if not isinstance(state, MeanState):
        return
    days = [day for day in (room.today, room.today + _DAY) if _is_steady(rule, state, day)]
    if room.today not in days or state.last_at is None:
        room.leave_out(rule.metrics)
        return
    until = min(room.midnight(days[-1] + _DAY), state.last_at + GAP)
    for metric, limit in zip(rule.metrics, rule.limits, strict=True):
        room.narrow(metric, None, below(limit, METRICS[metric].step))
        room.begin(metric, room.midnight(room.today))
        room.end(metric, until)


def _is_steady(rule: Mean, state: MeanState, day: date) -> bool:
    """Whether the readings that still count on `day` are known by themselves, and no mean of them is too high."""
    kept = [each for each in state.readings if each.day >= day - BACK]
    known = False
    for at, limit in enumerate(rule.limits):
        values = [(each.values[at], each.day) for each in kept]
        numbers = [(value, on) for value, on in values if value is not None]
        if sum([value for value, _ in numbers], Decimal(0)) > limit * len(numbers):
            return False
        known = known or (len(numbers) >= rule.least and len({on for _, on in numbers}) >= rule.least_days)
    return known


def by_compound(room: Room, rule: Compound) -> None:
    """No answer about symptoms is quiet; nothing at all while one of the named conditions is present."""
    state = room.history.states[rule.name]
    room.leave_out((rule.symptom,))
    if not isinstance(state, CompoundState) or state.spell.began_at or _any_present(room.history, rule.any_of):
        room.leave_out(rule.listens_to)


def _any_present(history: History, rules: Sequence[str]) -> bool:
    found = [spell_of(history.states.get(name)) for name in rules]
    return any(each is not None and each.began_at is not None for each in found)
