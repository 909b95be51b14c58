"""From the tables of a rulebook to the rules that count several readings: score, trend, mean and compound."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from alerts.keys import Keys, exact
from alerts.priority import Priority
from alerts.rules import BaselineNeed, Compound, Mean, Method, Score, ScoreBand, Trend, TrendBand
from vitals.metrics import METRICS

_WORDS = tuple(each.word for each in Priority)


def score(keys: Keys, common: Mapping[str, Any]) -> Score:
    """A score: `bands = [{ sum, priority }]`, and perhaps the priority of a `single` 3."""
    bands = []
    for each in keys.tables("bands"):
        bands.append(ScoreBand(sum=each.whole("sum", least=1), priority=_priority(each)))
        each.finish()
    bands.sort(key=lambda band: band.priority)
    if any(mild.sum >= severe.sum or mild.priority is severe.priority for mild, severe in pairwise(bands)):
        raise keys.problem("bands", "a higher sum must be more urgent")
    if not bands and not keys.has("single"):
        raise keys.problem("bands", "at least one is needed, or single")
    return Score(
        **common,
        bands=tuple(bands),
        single=_priority(keys, "single") if keys.has("single") else None,
        needs_scale=keys.flag("needs_scale", default=False),
    )


def trend(keys: Keys, common: Mapping[str, Any]) -> Trend:
    """A trend: how far is beyond (`more_than`, or `limit` itself), with a `priority` or `bands` of both."""
    metric, method = _metric(keys, "metric"), Method(keys.choice("method", tuple(Method)))
    looks_back = method in (Method.DELTA, Method.LOSS)
    bands = _trend_bands(keys, method)
    deadband = keys.number("deadband") if keys.has("deadband") else Decimal(0)
    if deadband < 0:
        raise keys.problem("deadband", "must not be negative")
    clear = keys.whole("clear_readings", 2, least=1)
    if not looks_back and keys.has("days"):
        raise keys.problem("days", f"means nothing for {method}")
    is_delta = method is Method.DELTA
    return Trend(
        **common,
        metric=metric,
        method=method,
        bands=bands,
        days=keys.whole("days", least=1) if looks_back else 0,
        deadband=deadband if is_delta else Decimal(0),
        clear_readings=clear if is_delta else 1,
        baseline=BaselineNeed(
            readings=keys.whole("baseline_readings", 7, least=2), days=keys.whole("baseline_days", 5, least=1)
        ),
    )


def _trend_bands(keys: Keys, method: Method) -> tuple[TrendBand, ...]:
    if keys.has("bands") == keys.has("priority"):
        raise keys.problem("bands", "either bands or priority is needed")
    if keys.has("priority"):
        return (_trend_band(keys, method),)
    bands = []
    for each in keys.tables("bands"):
        bands.append(_trend_band(each, method))
        each.finish()
    bands.sort(key=lambda band: band.priority)
    limits = [Decimal(0) if band.limit is None else band.limit for band in bands]
    if not bands or any(mild >= severe for mild, severe in pairwise(limits)):
        raise keys.problem("bands", "at least one is needed, the more urgent the further from normal")
    return tuple(bands)


def _trend_band(keys: Keys, method: Method) -> TrendBand:
    has_past, has_limit = keys.has("more_than"), keys.has("limit")
    if method is Method.MACD_CUSUM:
        if has_past or has_limit:
            raise keys.problem("more_than" if has_past else "limit", f"means nothing for {method}")
        return TrendBand(limit=None, priority=_priority(keys))
    if has_past == has_limit:
        raise keys.problem("limit", "either limit or more_than is needed")
    limit = keys.number("more_than" if has_past else "limit")
    if limit <= 0:
        raise keys.problem("more_than" if has_past else "limit", "must be more than 0")
    return TrendBand(limit=limit, priority=_priority(keys), is_past=has_past)


def mean(keys: Keys, common: Mapping[str, Any]) -> Mean:
    """A mean: `metrics`, `limits` (a table of metric and number), `least` readings on `least_days` days."""
    metrics = keys.texts("metrics")
    for name in metrics:
        if name not in METRICS:
            raise keys.problem("metrics", f"unknown metric {name!r}")
    limits = keys.table("limits")
    for name in limits.names():
        if name not in metrics:
            raise limits.problem(name, "is not a metric of this rule")
    if not metrics or len(set(metrics)) != len(metrics):
        raise keys.problem("metrics", "must be different metrics")
    return Mean(
        **common,
        metrics=metrics,
        limits=tuple(exact(limits.raw(name), limits.path(name)) for name in metrics),
        least=keys.whole("least", least=1),
        least_days=keys.whole("least_days", 1, least=1),
        priority=_priority(keys),
    )


def compound(keys: Keys, common: Mapping[str, Any]) -> Compound:
    """A symptom with `any_of` other rules; their metrics are filled in when all rules are read."""
    any_of = keys.texts("any_of")
    if not any_of:
        raise keys.problem("any_of", "names no rule")
    return Compound(**common, symptom=_metric(keys, "symptom"), any_of=any_of, metrics=(), priority=_priority(keys))


def _metric(keys: Keys, name: str) -> str:
    metric = keys.text(name)
    if metric not in METRICS:
        raise keys.problem(name, f"unknown metric {metric!r}")
    return metric


def _priority(keys: Keys, name: str = "priority") -> Priority:
    return Priority.of(keys.choice(name, _WORDS))
