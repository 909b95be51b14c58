"""What a rule that counts measured, against which limit, and what would have kept it quiet: a part of `why`."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from alerts.finding import text_of
from alerts.history import Sample
from alerts.priority import Priority
from alerts.rules import AnyRule, Compound, Mean, Method, Score, Trend
from alerts.trend import MACD_MET
from vitals.metrics import METRICS

_NOTHING: dict[str, Any] = {"metric": None, "value": None, "unit": None, "limit": None, "side": None, "quiet_at": None}


def measured(rule: AnyRule, sample: Sample, priority: Priority) -> dict[str, Any]:
    """Metric, value, unit, limit, side and `quiet_at` of an answer whose numbers stand in `sample.answer`.

    `limit` is that of the level asked for; `quiet_at` is what would have raised nothing at all.
    """
    if isinstance(rule, Score):
        return _score(rule, sample, priority)
    if isinstance(rule, Trend):
        return _trend(rule, sample, priority)
    if isinstance(rule, Mean):
        return _mean(rule, sample)
    return _compound(rule, sample) if isinstance(rule, Compound) else dict(_NOTHING)


def _score(rule: Score, sample: Sample, priority: Priority) -> dict[str, Any]:
    """The sum against its limit; `quiet_at` is the highest sum that is quiet, as long as no single 3 is in it."""
    total = sample.values[0] or Decimal(0)
    reached = [band.sum for band in rule.bands if band.priority is priority and band.sum <= total]
    limit = reached[0] if reached else None  # a single 3 needs no sum
    quiet = min((band.sum for band in rule.bands), default=None)
    return {
        "metric": None,
        "value": text_of(sample.values[0]),
        "unit": "{score}",
        "limit": None if limit is None else str(limit),
        "side": "above",
        "method": "news2",
        "quiet_at": None if quiet is None else str(quiet - 1),
    }


def _trend(rule: Trend, sample: Sample, priority: Priority) -> dict[str, Any]:
    band = next((each for each in rule.bands if each.priority is priority), rule.bands[-1])
    return {
        "metric": rule.metric,
        "value": text_of(sample.values[0]),
        "unit": METRICS[rule.metric].unit,
        "limit": text_of(band.limit),
        "side": "below" if rule.method is Method.LOSS else "above",
        "method": rule.method.value,
        "days": rule.days or None,
        "is_past": band.is_past,
        "macd_limit": str(MACD_MET) if rule.method is Method.MACD_CUSUM else None,
        "quiet_at": _quiet_trend(rule, sample),
    }


def _quiet_trend(rule: Trend, sample: Sample) -> str | None:
    """Today's value that would have been quiet; for the methods that look at many days, the measure that would."""
    told, mildest = sample.answer or {}, rule.bands[0]
    if rule.method is Method.MACD_CUSUM:
        return f"a difference of means below {MACD_MET} and a sum of at most {told.get('cusum_limit')}"
    if mildest.limit is None or told.get("compared") is None:
        return None
    if rule.method is Method.RESID_SD:
        return f"a standard deviation below {mildest.limit}"
    step = Decimal(1).scaleb(-METRICS[rule.metric].decimals)
    compared = Decimal(told["compared"])
    if rule.method is Method.DELTA:
        edge = compared + mildest.limit
        quiet = edge.quantize(step, rounding=ROUND_FLOOR)
        return str(quiet if mildest.is_past or quiet < edge else quiet - step)
    edge = compared * (100 - mildest.limit) / 100
    quiet = edge.quantize(step, rounding=ROUND_CEILING)
    return str(quiet if mildest.is_past or quiet > edge else quiet + step)


def _mean(rule: Mean, sample: Sample) -> dict[str, Any]:
    metric = (sample.answer or {}).get("metric", rule.metrics[0])
    limit = rule.limits[rule.metrics.index(metric)]
    return {
        "metric": metric,
        "value": (sample.answer or {}).get("mean"),
        "unit": METRICS[metric].unit,
        "limit": str(limit),
        "limits": {name: str(each) for name, each in zip(rule.metrics, rule.limits, strict=True)},
        "side": "above",
        "quiet_at": f"a mean below {limit}",
    }


def _compound(rule: Compound, sample: Sample) -> dict[str, Any]:
    return {
        "metric": rule.symptom,
        "value": text_of(sample.values[0]),
        "unit": METRICS[rule.symptom].unit,
        "limit": "1",
        "side": "above",
        "any_of": list(rule.any_of),
        "quiet_at": "0",
    }
