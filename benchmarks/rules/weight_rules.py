"""The weight rules of the published studies, written from their descriptions: the reproduction check runs on them.

They see one weight a local day, the first. `screened` leaves out what lies more than 5 kg from the newest weight kept
within 48 hours, as an analyst would; the studies do not say in their abstracts whether they did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, median

from alerts.arrival import Arrival
from alerts.priority import Priority
from benchmarks.rules.people import ZONE
from benchmarks.rules.said import Said

_JUMP_KG, _JUMP_WITHIN = 5.0, timedelta(hours=48)
MACD_RAISE_KG, MACD_CLEAR_SHARE = 0.5, 0.4  # raise at 0.5 kg, clear at 0.2 kg
_START_UP, _GUARD_DAYS, _OWN_DAYS = 14, 7, 28
_LAMBDA, _WIDTH = 0.3, 3.0


@dataclass(frozen=True, slots=True)
class Weight:
    """The first weight of a local day."""

    day: date
    at: datetime
    kg: float


def daily(arrivals: Sequence[Arrival], *, screened: bool) -> tuple[Weight, ...]:
    """One weight a day, in order."""
    kept: list[Weight] = []
    for each in arrivals:
        value = each.values.get("weight")
        if value is None:
            continue
        weight = Weight(each.taken_at.astimezone(ZONE).date(), each.received_at, float(value))
        if kept and weight.day == kept[-1].day:
            continue
        is_near = not kept or weight.at - kept[-1].at > _JUMP_WITHIN or abs(weight.kg - kept[-1].kg) <= _JUMP_KG
        if is_near or not screened:
            kept.append(weight)
    return tuple(kept)


def rule_of_thumb(weights: Sequence[Weight], *, days: int, kg: float) -> tuple[Said, ...]:
    """An alert on every day on which the weight is `kg` or more above that of any of the `days` days before."""
    said = []
    for number, today in enumerate(weights):
        oldest = today.day - timedelta(days=days)
        before = [each.kg for each in weights[max(0, number - days) : number] if each.day >= oldest]
        if before and round(today.kg - min(before), 3) >= kg:
            said.append(_said(today, f"rule of thumb {kg} kg in {days} d"))
    return tuple(said)


def macd(weights: Sequence[Weight], *, raise_kg: float = MACD_RAISE_KG) -> tuple[Said, ...]:
    """An alert when the mean of 3 daily weights rises `raise_kg` above that of 10; again after it has come back."""
    said, is_on = [], False
    for number in range(9, len(weights)):
        newest = [each.kg for each in weights[number - 9 : number + 1]]
        gap = fmean(newest[-3:]) - fmean(newest)
        if gap >= raise_kg and not is_on:
            said.append(_said(weights[number], "macd"))
        is_on = gap >= raise_kg or (is_on and gap > MACD_CLEAR_SHARE * raise_kg)
    return tuple(said)


def control_chart(weights: Sequence[Weight], *, width: float = _WIDTH) -> tuple[Said, ...]:
    """A personal control chart: a weighted mean of recent weights beyond the person's own limit.

    Level and spread are those of the 28 daily weights that ended a week ago (median, and median distance from it), at
    least 14 of them: a drift of the last days does not become its own yardstick.
    """
    said, is_on, smooth = [], False, 0.0
    for number, today in enumerate(weights):
        smooth = today.kg if number == 0 else _LAMBDA * today.kg + (1 - _LAMBDA) * smooth
        newest = today.day - timedelta(days=_GUARD_DAYS)
        own = [each.kg for each in weights[max(0, number - _OWN_DAYS - _GUARD_DAYS) : number] if each.day <= newest]
        if len(own) < _START_UP:
            continue
        level = median(own)
        spread = 1.4826 * median(abs(each - level) for each in own)
        is_beyond = smooth - level > width * spread * (_LAMBDA / (2 - _LAMBDA)) ** 0.5
        if is_beyond and not is_on:
            said.append(_said(today, "control chart"))
        is_on = is_beyond
    return tuple(said)


def _said(weight: Weight, rule: str) -> Said:
    return Said(at=weight.at, rule=rule, priority=Priority.MEDIUM)
