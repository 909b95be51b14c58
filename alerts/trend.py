"""The trend question: do the daily values of a metric move away from what they were?

One value a local day: the first good reading of that day that has a number. Days without one are skipped. Each
method says how far today's value has moved and from where; sums and differences are exact.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, NamedTuple

from alerts import spell
from alerts.asked import Asked
from alerts.history import BaselineState, Day, TrendState
from alerts.plan import Plan
from alerts.rules import Method, Trend

MACD_MET, MACD_OVER = Decimal("0.5"), Decimal("0.2")
_MACD_DAYS = timedelta(days=13)  # fourteen, today included
_SHORT, _LONG = 3, 10  # daily values of the two means
_SPREAD = Decimal("0.4")  # at least: after a steadier start-up every glass of water would be a trend
_SLACK, _TOO_MUCH = Decimal("0.5"), Decimal(4)  # k and h of the sum, as multiples of the spread
_RESIDUALS = 7  # daily values
_CENT = Decimal("0.01")


class Own(NamedTuple):
    """The patient's own level and spread as known before a reading."""

    baseline: Decimal | None  # None: not yet
    spread: Decimal


class _Move(NamedTuple):
    """How far today's value has moved: by band beyond and back. `others`: the days it was compared with."""

    beyond: tuple[bool, ...]
    back: tuple[bool, ...]
    told: Mapping[str, Any]  # for those who ask why
    others: tuple[Day, ...]


def start(rule: Trend) -> TrendState:
    """The state before any reading."""
    return TrendState(spell=spell.start(rule.levels))


def own_level(rule: Trend, plan: Plan, baselines: Mapping[str, BaselineState]) -> Own:
    """The patient's level and spread: a clinician's word, else the start-up's once it is complete."""
    begun = baselines.get(f"{rule.name}.{rule.metric}", BaselineState())
    spread = plan.facts.spread.get(rule.metric)
    if spread is None:
        spread = _SPREAD if begun.spread is None else max(_SPREAD, begun.spread)
    return Own(plan.facts.baseline.get(rule.metric, begun.value), spread)


def judge(rule: Trend, state: TrendState, asked: Asked) -> TrendState:
    """The state after a reading, in event order; a second reading of a day changes nothing."""
    value = asked.number(rule.metric)
    if value is None or (state.days and state.days[-1].day == asked.day):
        return state
    today = Day(day=asked.day, value=value, late_at=asked.late_at)
    cusum, own = None, Own(None, _SPREAD)
    if rule.method is Method.MACD_CUSUM:
        own = own_level(rule, asked.plan, asked.baselines)
        cusum = _sum_up(state, value, own, _is_reset(state, asked, rule.name))
    move = _MOVES[rule.method](rule, state.days, today, _Sum(cusum, own))
    if move is None:
        return TrendState(
            spell=spell.unknown(state.spell),
            days=_kept(rule, state.days, today),
            cusum=cusum,
            taken_at=asked.seen.reading.taken_at,
        )
    sample = asked.sample((value,), move.told if True in move.beyond else None)
    answer = spell.Answer(
        beyond=move.beyond,
        back=move.back,
        sample=sample,
        late=spell.came_late(sample, [each.late_at for each in move.others]),
    )
    return TrendState(
        spell=spell.follow(state.spell, rule.levels, answer, asked.fresh, rule.clear_readings),
        days=_kept(rule, state.days, today),
        cusum=cusum,
        taken_at=asked.seen.reading.taken_at,
    )


def would_meet(rule: Trend, state: TrendState, today: Day, own: Own) -> bool | None:
    """Whether `today`, if it came next, would be beyond some limit; None: that would be unknown."""
    cusum = _sum_up(state, today.value, own, reset=False) if rule.method is Method.MACD_CUSUM else None
    move = _MOVES[rule.method](rule, state.days, today, _Sum(cusum, own))
    return None if move is None else True in move.beyond


class _Sum(NamedTuple):
    """The cumulated sum today, and what it is measured against; None: no baseline yet."""

    cusum: Decimal | None
    own: Own


def _is_reset(state: TrendState, asked: Asked, rule: str) -> bool:
    """Whether a person closed the rule's alert since the newest value: the sum starts again."""
    taken_at = asked.seen.reading.taken_at
    before: datetime | None = state.taken_at
    return any((before is None or before <= moment) and moment < taken_at for moment in asked.resets.get(rule, ()))


def _sum_up(state: TrendState, value: Decimal, own: Own, reset: bool) -> Decimal | None:
    if own.baseline is None:
        return None
    before = Decimal(0) if reset or state.cusum is None else state.cusum
    return max(Decimal(0), before + value - own.baseline - _SLACK * own.spread)


def _kept(rule: Trend, days: tuple[Day, ...], today: Day) -> tuple[Day, ...]:
    """The days that may still matter: of those that a newer one outdoes, none."""
    if rule.method is Method.RESID_SD:
        return (*days[1 - _RESIDUALS :], today)
    if rule.method is Method.MACD_CUSUM:
        return (*days[1 - _LONG :], today)
    oldest, is_loss = today.day - timedelta(days=rule.days), rule.method is Method.LOSS
    return (
        *(
            each
            for each in days
            if each.day >= oldest and (each.value > today.value if is_loss else each.value < today.value)
        ),
        today,
    )


def _beyond(rule: Trend, excess: Callable[[Decimal], Decimal]) -> tuple[bool, ...]:
    """By band, whether the move is beyond; `excess`: by how much it is past a limit (its sign is exact)."""
    found = []
    for band in rule.bands:
        over = Decimal(-1) if band.limit is None else excess(band.limit)
        found.append(over > 0 if band.is_past else over >= 0)
    return tuple(found)


def _delta(rule: Trend, days: tuple[Day, ...], today: Day, _: _Sum) -> _Move | None:
    """Today's value less the lowest of the days before."""
    oldest = today.day - timedelta(days=rule.days)
    before = [each for each in days if each.day >= oldest]
    if not before:
        return None
    lowest = min(before, key=lambda each: each.value)
    change = today.value - lowest.value
    beyond = _beyond(rule, lambda limit: change - limit)
    back = tuple([band.limit is None or change <= band.limit - rule.deadband for band in rule.bands])
    told = {"compared": str(lowest.value), "compared_on": lowest.day.isoformat(), "change": str(change)}
    return _Move(beyond, back, told, (lowest,))


def _loss(rule: Trend, days: tuple[Day, ...], today: Day, _: _Sum) -> _Move | None:
    """How many percent today's value lies below the highest."""
    oldest = today.day - timedelta(days=rule.days - 1)
    highest = max((each for each in (*days, today) if each.day >= oldest), key=lambda each: each.value)
    if highest.value <= 0:
        return None
    fallen = (highest.value - today.value) * 100
    beyond = _beyond(rule, lambda limit: fallen - limit * highest.value)
    percent = (fallen / highest.value).quantize(_CENT)
    told = {"compared": str(highest.value), "compared_on": highest.day.isoformat(), "change": str(percent)}
    return _Move(beyond, tuple([not each for each in beyond]), told, (highest,))


def _resid_sd(rule: Trend, days: tuple[Day, ...], today: Day, _: _Sum) -> _Move | None:
    """The sample standard deviation of the newest values around their median."""
    newest = (*days[1 - _RESIDUALS :], today)
    if len(newest) < _RESIDUALS:
        return None
    middle = median([each.value for each in newest])
    squares = sum([(each.value - middle) ** 2 for each in newest], Decimal(0))
    beyond = _beyond(rule, lambda limit: squares - limit * limit * (_RESIDUALS - 1))
    spread = (squares / (_RESIDUALS - 1)).sqrt().quantize(_CENT)
    told = {"compared": str(middle), "compared_on": newest[0].day.isoformat(), "change": str(spread)}
    return _Move(beyond, tuple([not each for each in beyond]), told, newest[:-1])


def _macd_cusum(rule: Trend, days: tuple[Day, ...], today: Day, total: _Sum) -> _Move | None:
    """Two means of daily values drifting apart, or a sum of small excesses grown too large."""
    newest = (*days[1 - _LONG :], today)
    macd = _macd(newest)
    (cusum, own) = total
    is_met = macd is not None and macd >= MACD_MET
    if cusum is not None and own.baseline is not None and len(newest) > 1:
        edge = own.baseline + _SLACK * own.spread
        is_met = is_met or (cusum > _TOO_MUCH * own.spread and min(newest[-1].value, newest[-2].value) > edge)
    if not is_met and (macd is None or cusum is None):
        return None
    is_over = macd is not None and macd <= MACD_OVER and cusum == 0
    told = {
        "macd": None if macd is None else str(macd.quantize(_CENT)),
        "cusum": None if cusum is None else str(cusum.quantize(_CENT)),
        "cusum_limit": str((_TOO_MUCH * own.spread).quantize(_CENT)),
        "baseline": None if own.baseline is None else str(own.baseline),
        "spread": str(own.spread.quantize(_CENT)),
    }
    return _Move((is_met,) * len(rule.bands), (is_over,) * len(rule.bands), told, newest[:-1])


def _macd(newest: tuple[Day, ...]) -> Decimal | None:
    """The mean of the last three daily values less that of the last ten; None without ten in fourteen days.

    Exact as far as a decision needs it: thirtieths are rounded at the 28th digit only.
    """
    if len(newest) < _LONG or newest[0].day < newest[-1].day - _MACD_DAYS:
        return None
    values = [each.value for each in newest]
    short, long = sum(values[-_SHORT:], Decimal(0)), sum(values, Decimal(0))
    return (short * _LONG - long * _SHORT) / (_SHORT * _LONG)


_MOVES: Mapping[Method, Callable[[Trend, tuple[Day, ...], Day, _Sum], _Move | None]] = {
    Method.DELTA: _delta,
    Method.MACD_CUSUM: _macd_cusum,
    Method.RESID_SD: _resid_sd,
    Method.LOSS: _loss,
}
