"""The mean question: is the mean of a week's readings at or above a limit, for any of the metrics?

A series begins with the first good reading after a gap of more than a week; its first local day never counts,
because a first day with a new device tells of excitement. Too few readings are unknown, not fine.
"""

from datetime import timedelta
from decimal import Decimal

from alerts import spell
from alerts.asked import Asked
from alerts.history import Counted, MeanState
from alerts.rules import Mean

GAP = timedelta(hours=7 * 24)  # longer than this begins a new series
BACK = timedelta(days=6)  # seven local days, today included


def start(rule: Mean) -> MeanState:
    """The state before any reading."""
    return MeanState(spell=spell.start(rule.levels))


def judge(rule: Mean, state: MeanState, asked: Asked) -> MeanState:
    """The state after a reading, in event order."""
    values = tuple([asked.number(metric) for metric in rule.metrics])
    if all(value is None for value in values):
        return state
    taken_at, oldest = asked.seen.reading.taken_at, asked.day - BACK
    begins = state.first_day is None or state.last_at is None or taken_at - state.last_at > GAP
    first_day = asked.day if begins else state.first_day
    this = Counted(day=asked.day, values=values, late_at=asked.late_at)
    counted = () if asked.day == first_day else (this,)
    readings = (*(each for each in state.readings if each.day >= oldest and not begins), *counted)
    answer = _answer(rule, readings, asked)
    known = (
        spell.unknown(state.spell) if answer is None else spell.follow(state.spell, rule.levels, answer, asked.fresh)
    )
    return MeanState(spell=known, readings=readings, first_day=first_day, last_at=taken_at)


def _answer(rule: Mean, readings: tuple[Counted, ...], asked: Asked) -> spell.Answer | None:
    """What the means say, metric by metric; None while there are too few readings of every metric."""
    known: list[tuple[int, Decimal, int, int]] = []
    if len(readings) < rule.least:
        return None
    for index in range(len(rule.metrics)):
        values = [(each.values[index], each.day) for each in readings]
        numbers = [(value, day) for value, day in values if value is not None]
        days = len({day for _, day in numbers})
        if len(numbers) >= rule.least and days >= rule.least_days:
            known.append((index, sum([value for value, _ in numbers], Decimal(0)), len(numbers), days))
    if not known:
        return None
    beyond = [each for each in known if each[1] >= rule.limits[each[0]] * each[2]]
    index, total, number, days = (beyond or known)[0]
    mean = (total / number).quantize(Decimal("0.1"))
    told = {
        "metric": rule.metrics[index],
        "mean": str(mean),
        "means": {rule.metrics[at]: str((each / n).quantize(Decimal("0.1"))) for at, each, n, _ in known},
        "readings": number,
        "on_days": days,
    }
    values_now = tuple([asked.number(metric) for metric in rule.metrics])
    sample = asked.sample(values_now, told if beyond else None)
    late = spell.came_late(sample, [each.late_at for each in readings])
    return spell.Answer(beyond=(bool(beyond),), back=(not beyond,), sample=sample, late=late)
