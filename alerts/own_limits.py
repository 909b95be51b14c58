"""Where the limits of a threshold rule stand for one patient: at fixed numbers, or by the patient's own level.

A relative rule's limits are offsets from the baseline: unknown before there is one. Other rules may name a second
place for their bands, taken from the baseline on (a prescribed floor in place of it, where there is one).
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from alerts.at_once import with_defaults
from alerts.history import BaselineState
from alerts.plan import Plan
from alerts.rules import Band, Threshold
from vitals.metrics import METRICS

_ZEROS = (Decimal(0),) * 8


def offsets(rule: Threshold, plan: Plan, baselines: Mapping[str, BaselineState]) -> tuple[Decimal, ...] | None:
    """What to add to the rule's limits, metric by metric; None while a baseline that it needs is unknown."""
    if not rule.relative:
        return _ZEROS[: len(rule.metrics)]
    known = []
    for metric in rule.metrics:
        own = own_level(rule.name, metric, plan, baselines)
        if own is None:
            return None
        known.append(own)
    return tuple(known)


def own_level(rule: str, metric: str, plan: Plan, baselines: Mapping[str, BaselineState]) -> Decimal | None:
    """The patient's own level of a metric: a clinician's word, else the median of the start-up; None: not yet."""
    own = plan.facts.baseline.get(metric)
    if own is None:
        state = baselines.get(f"{rule}.{metric}")
        own = None if state is None else state.value
    return own


def standing(rule: Threshold, plan: Plan, baselines: Mapping[str, BaselineState]) -> Threshold:
    """The rule with its bands where they stand now."""
    if not rule.with_baseline:
        return rule
    level = own_level(rule.name, rule.metrics[0], plan, baselines)
    return rule if level is None else _moved(rule, level, plan.facts.spo2_floor)


@lru_cache(maxsize=1024)
def _moved(rule: Threshold, level: Decimal, floor: Decimal | None) -> Threshold:
    """The rule with its bands by the patient's own level; a milder band stays a step nearer to normal."""
    step = Decimal(1).scaleb(-METRICS[rule.metrics[0]].decimals)
    bands: list[Band] = []
    for band in reversed(rule.bands):
        limit = band.limits[0]
        if band.own is not None:
            limit = level + band.own.offset if not band.own.at_floor or floor is None else floor
            limit = limit if band.own.at_most is None else min(limit, band.own.at_most)
            confirm = band.own.confirm or band.confirm
            band = replace(band, confirm=confirm, unless=())
        severe = bands[0].limits[0] if bands else None
        if severe is not None and limit is not None:
            limit = max(limit, severe + step)
        bands.insert(0, replace(band, limits=(limit,)))
    moved = replace(rule, bands=tuple(bands))
    return replace(moved, bands=tuple(with_defaults(band, moved) for band in moved.bands))
