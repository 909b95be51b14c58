"""Why an alert stands: structured, so that page, message and FHIR can each say it in their own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from alerts import why_band, why_counting
from alerts.finding import Beyond, Finding, text_of
from alerts.history import BaselineState, Episode, Quarantined, Sample, spell_of
from alerts.own_limits import offsets, standing
from alerts.plan import Plan
from alerts.priority import Priority
from alerts.rules import AnyRule, Band, Missing, Side, Threshold
from vitals.metrics import METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Under which plan and baselines, and when, something is explained."""

    plan: Plan
    at: datetime
    baselines: Mapping[str, BaselineState]


def of_finding(scene: Scene, name: str, finding: Finding) -> dict[str, Any]:
    """Why the rule's condition is present, or what waits."""
    plan = scene.plan
    rule = plan.rules.get(name)
    top = finding.held[-1] if finding.held else None
    if isinstance(rule, Missing):
        return _missing(scene, rule, finding, top)
    if isinstance(rule, Threshold):
        if top is not None and top.sample is not None:
            return of_sample(scene, rule, top.sample, top.priority)
        if finding.waits and finding.asks is not None:
            why = of_sample(scene, rule, finding.waits[-1].sample, finding.asks)
            return {**why, "waits_until": finding.waits[-1].deadline.isoformat()}
    elif rule is not None and top is not None and top.sample is not None:
        return _of_answer(scene, rule, top.sample, top.priority)
    return {}


def of_episode(scene: Scene, rule: AnyRule, episode: Episode) -> dict[str, Any]:
    """Why there was a condition that is over."""
    if isinstance(rule, Threshold):
        return of_sample(scene, rule, episode.sample, episode.highest)
    return _of_answer(scene, rule, episode.sample, episode.highest)


def _of_answer(scene: Scene, rule: AnyRule, sample: Sample, priority: Priority) -> dict[str, Any]:
    """Why a rule that counts gave this answer at this reading."""
    return {
        **head(scene, rule.name, rule.individual, priority),
        "kind": rule.kind,
        "device": sample.device,
        "reading_id": sample.reading_id,
        "taken_at": sample.taken_at.isoformat(),
        "received_at": sample.received_at.isoformat(),
        "late": sample.late,
        "quality": "good",
        **(sample.answer or {}),
        **why_counting.measured(rule, sample, priority),
    }


def of_newest(scene: Scene, name: str, finding: Finding) -> dict[str, Any] | None:
    """The newest value beyond a limit, where it is not the one that raised the alert: what the nurse sees last."""
    rule, known = scene.plan.rules.get(name), spell_of(finding.state)
    sample = None if known is None else known.newest
    if rule is None or sample is None:
        return None
    if isinstance(rule, Threshold):
        rule = standing(rule, scene.plan, scene.baselines)
        edges = offsets(rule, scene.plan, scene.baselines) or (Decimal(0),) * len(rule.metrics)
        index = _telling_metric(rule, list(rule.bands), sample, edges)
        metric, value = rule.metrics[index], text_of(sample.values[index])
    else:
        told = why_counting.measured(rule, sample, finding.priority or Priority.LOW)
        metric, value = told["metric"], told["value"]
    return {
        "metric": metric,
        "value": value,
        "device": sample.device,
        "reading_id": sample.reading_id,
        "taken_at": sample.taken_at.isoformat(),
    }


def of_sample(scene: Scene, rule: Threshold, sample: Sample, priority: Priority) -> dict[str, Any]:
    """Why this sample is beyond the rule's band of that priority."""
    plan, baselines = scene.plan, scene.baselines
    rule = standing(rule, plan, baselines)
    known = offsets(rule, plan, baselines) or (Decimal(0),) * len(rule.metrics)
    band = why_band.entered(rule, sample, priority, known)
    index = _telling_metric(rule, [] if band is None else [band], sample, known)
    limit = None if band is None else band.limits[index]
    mildest = next((each.limits[index] for each in rule.bands if each.limits[index] is not None), None)
    value = sample.values[index]
    return {
        **head(scene, rule.name, rule.individual, priority),
        "kind": rule.kind,
        "metric": rule.metrics[index],
        "value": text_of(value),
        "unit": METRICS[rule.metrics[index]].unit,
        "limit": None if limit is None else text_of(limit + known[index]),
        "baseline": text_of(known[index]) if rule.relative else None,
        "side": rule.side.value,
        "quality": "good" if sample.good else "poor",
        "device": sample.device,
        "reading_id": sample.reading_id,
        "taken_at": sample.taken_at.isoformat(),
        "received_at": sample.received_at.isoformat(),
        "late": sample.late,
        "quiet_at": None if mildest is None else why_band.quiet(rule, index, mildest + known[index]),
        **why_band.asked(rule, band, sample, known),
        **why_band.level(rule, scene.plan, scene.baselines, band),
    }


def of_quarantine(scene: Scene, held_back: Quarantined) -> dict[str, Any]:
    """Why a value is not believed."""
    return {
        **head(scene, "quarantined", False, Priority.LOW),
        "kind": "quarantined",
        "metric": held_back.metric,
        "value": held_back.value,
        "unit": METRICS[held_back.metric].unit,
        "limit": None,
        "side": None,
        "reason": held_back.reason,
        **why_band.doubt(held_back),
        "device": held_back.device,
        "reading_id": held_back.reading_id,
        "taken_at": held_back.taken_at.isoformat(),
        "received_at": held_back.received_at.isoformat(),
        "quiet_at": None,
    }


def _missing(scene: Scene, rule: Missing, finding: Finding, top: Beyond | None) -> dict[str, Any]:
    state = finding.state
    missed_from = getattr(state, "missed_from", None)
    last_good = getattr(state, "last_good", None)
    return {
        **head(scene, rule.name, rule.individual, rule.priority if top is None else top.priority),
        "kind": rule.kind,
        "metric": rule.metric,
        "value": None,
        "unit": METRICS[rule.metric].unit,
        "limit": None,
        "side": None,
        "device": None,
        "reading_id": None,
        "taken_at": None,
        "received_at": None,
        "slot_start": None if missed_from is None else missed_from.isoformat(),
        "overdue_since": None if top is None else top.newest_at.isoformat(),
        "missed_in_a_row": getattr(state, "row", None),
        "last_good_at": None if last_good is None else last_good.isoformat(),
        "cause": finding.cause,
        "quiet_at": None if missed_from is None else f"a good reading taken after {missed_from.isoformat()}",
    }


def head(scene: Scene, rule: str, individual: bool, priority: Priority) -> dict[str, Any]:
    """What every explanation begins with."""
    plan = scene.plan
    return {
        "rule": rule,
        "rulebook": plan.rulebook,
        "rulebook_version": plan.rulebook_version,
        "plan": plan.plan_id,
        "plan_version": plan.version,
        "limit_set_by": "plan" if individual else "rulebook",
        "priority": priority.word,
        "evaluated_at": scene.at.isoformat(),
    }


def _telling_metric(rule: Threshold, bands: list[Band], sample: Sample, known: tuple[Decimal, ...]) -> int:
    """The metric that speaks: the first one beyond its limit, else the first one present."""
    for band in bands:
        for index, (value, limit) in enumerate(zip(sample.values, band.limits, strict=True)):
            if value is None or limit is None:
                continue
            edge = limit + known[index]
            if value >= edge if rule.side is Side.ABOVE else value <= edge:
                return index
    return next((index for index, value in enumerate(sample.values) if value is not None), 0)
