"""What a threshold's band asked for besides its limit, where that limit comes from, and why a value is not believed.

A part of `why`: what it takes to say in words what would have kept an alert quiet. Durations are whole seconds.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from alerts.finding import text_of
from alerts.history import BaselineState, Quarantined, Sample
from alerts.own_limits import own_level
from alerts.plan import Plan
from alerts.priority import Priority
from alerts.rules import CONFIRM_DEFAULT, Band, Side, Threshold
from vitals.metrics import METRICS


def entered(rule: Threshold, sample: Sample, priority: Priority, known: tuple[Decimal, ...]) -> Band | None:
    """The band of that priority that the sample speaks for: one it enters alone, the furthest out, before a run."""
    alike = [band for band in rule.bands if band.priority is priority]
    passed = [band for band in alike if any(_passed(rule, band, sample, known))]
    alone = [band for band in passed if not band.is_run]
    return alone[-1] if alone else next(iter(passed or alike), None)


def asked(rule: Threshold, band: Band | None, sample: Sample, known: tuple[Decimal, ...]) -> dict[str, Any]:
    """What the band asked for besides the limit; of two metrics, the values, limits and quiet values of both."""
    told: dict[str, Any] = {}
    if band is not None and band.is_run:
        told["readings"] = band.readings
        told |= {f"{name}_s": _seconds(getattr(band, name)) for name in ("apart", "most", "silence")}
    wait = _wait(rule, band, sample, known)
    if wait is not None:
        told["confirm_s"] = _seconds(wait)
    if len(rule.metrics) > 1:
        told |= _of_each(rule, band, sample, known)
    return told


def quiet(rule: Threshold, index: int, edge: Decimal) -> str:
    """The value nearest to `edge`, among those that the metric is judged on, that is not beyond it."""
    step = Decimal(1).scaleb(-METRICS[rule.metrics[index]].decimals)
    if rule.side is Side.BELOW:
        return str(edge.quantize(step, rounding=ROUND_FLOOR) + step)
    return str(edge.quantize(step, rounding=ROUND_CEILING) - step)


def level(
    rule: Threshold, plan: Plan, baselines: Mapping[str, BaselineState], band: Band | None
) -> dict[str, Any]:  # fmt: skip
    """Where the limit comes from: fixed numbers, the patient's own level, or the floor prescribed in its place."""
    fixed = "plan" if rule.individual else "rulebook"
    if not (rule.relative or rule.with_baseline):
        return {"limit_from": fixed}
    metric = rule.metrics[0]
    own = own_level(rule.name, metric, plan, baselines)
    if own is None:
        return {"limit_from": fixed}
    at_floor = band is not None and band.own is not None and band.own.at_floor and plan.facts.spo2_floor is not None
    return {
        "limit_from": "floor" if at_floor else "baseline",
        "baseline": str(own),
        "baseline_set_by": "plan" if metric in plan.facts.baseline else "start_up",
    }


def doubt(held_back: Quarantined) -> dict[str, Any]:
    """Why a value is not believed, and what would have been: a range, or a value nearer to the one compared with."""
    number, plausible = Decimal(held_back.value), METRICS[held_back.metric].plausible
    if plausible is not None and not plausible[0] <= number <= plausible[1]:
        return {"doubt": "range", "least": str(plausible[0]), "most": str(plausible[1])}
    _, _, compared = held_back.reason.partition(" from ")
    return {"doubt": "jump", "compared": compared} if compared else {"doubt": "pulse_pressure"}


def _of_each(rule: Threshold, band: Band | None, sample: Sample, known: tuple[Decimal, ...]) -> dict[str, Any]:
    values, limits, quiet_at = {}, {}, {}
    for index, metric in enumerate(rule.metrics):
        limit = None if band is None else band.limits[index]
        mildest = next((each.limits[index] for each in rule.bands if each.limits[index] is not None), None)
        values[metric] = text_of(sample.values[index])
        limits[metric] = None if limit is None else text_of(limit + known[index])
        if mildest is not None:
            quiet_at[metric] = quiet(rule, index, mildest + known[index])
    return {"values": values, "limits": limits, "quiet": quiet_at}


def _wait(rule: Threshold, band: Band | None, sample: Sample, known: tuple[Decimal, ...]) -> timedelta | None:
    """How long a second reading was waited for before the band was entered; None: it was entered at once."""
    if band is None:
        return None
    if not sample.good:
        return band.confirm or CONFIRM_DEFAULT
    off_scale = any(value is not None and value.is_infinite() for value in sample.values)
    if band.confirm is None or off_scale or any(_reached(rule, band.unless, sample, known)):
        return None
    return band.confirm


def _passed(rule: Threshold, band: Band, sample: Sample, known: tuple[Decimal, ...]) -> list[bool]:
    return _reached(rule, band.limits, sample, known)


def _reached(
    rule: Threshold, limits: tuple[Decimal | None, ...], sample: Sample, known: tuple[Decimal, ...]
) -> list[bool]:
    """Metric by metric, whether the value is at the limit or further out."""
    found = []
    for value, limit, edge in zip(sample.values, limits, known, strict=False):
        if value is None or limit is None:
            found.append(False)
        else:
            found.append(value >= limit + edge if rule.side is Side.ABOVE else value <= limit + edge)
    return found


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())
