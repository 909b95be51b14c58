"""The patient's own level of each metric in the start-up period, known exactly as the rules know it.

Rules that count from a baseline collect it for themselves; this asks the same fold for the metrics that no rule
collects, with a rule that is never met.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from alerts.arrival import Arrival
from alerts.fold import empty, fold
from alerts.history import BaselineState
from alerts.intake import Marks
from alerts.plan import Plan
from alerts.rules import BaselineNeed

NEED = BaselineNeed()  # 7 good values on 5 local days
_NEVER = 1_000_000  # more than anybody measures, and further than any value lies


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLevel:
    """What is known of one metric: `value` and `spread` (median, sample standard deviation) once there is enough.

    `readings` and `days`: what it rests on, or what there is so far. `set_to`: what a clinician has set instead.
    """

    metric: str
    readings: int
    days: int
    value: Decimal | None = None
    spread: Decimal | None = None
    known_from: datetime | None = None
    set_to: Decimal | None = None


def own_levels(plan: Plan, arrivals: Sequence[Arrival], metrics: Sequence[str]) -> Mapping[str, OwnLevel]:
    """Metric -> its own level in these readings; a metric that was never measured well has none."""
    ordered = sorted(arrivals, key=lambda each: each.key)
    known = _collected(plan, ordered, metrics, NEED.readings, NEED.days)
    found: dict[str, OwnLevel] = {}
    for metric in metrics:
        state = known.get(metric, BaselineState())
        upto = [each for each in ordered if state.known_from is None or each.taken_at <= state.known_from]
        rests_on = _collected(plan, upto, [metric], _NEVER, _NEVER).get(metric, BaselineState())
        if not rests_on.values:
            continue
        found[metric] = OwnLevel(
            metric=metric,
            readings=len(rests_on.values),
            days=len(rests_on.days),
            value=state.value,
            spread=state.spread,
            known_from=state.known_from,
            set_to=plan.facts.baseline.get(metric),
        )
    return found


def _collected(
    plan: Plan, ordered: Sequence[Arrival], metrics: Sequence[str], readings: int, days: int
) -> dict[str, BaselineState]:
    """What the rules would have collected of each metric after these readings, in event order."""
    facts = replace(plan.facts, baseline={}, spread={})  # what was set does not say what was measured
    table: dict[str, Mapping[str, Any]] = dict(plan.table)
    for metric in metrics:
        table[f"own level of {metric}"] = {
            "kind": "threshold",
            "metric": metric,
            "side": "below",
            "relative_to": "baseline",
            "baseline_readings": readings,
            "baseline_days": days,
            "bands": [{"limit": -_NEVER, "priority": "low"}],
        }
    asking = replace(plan, table=table, facts=facts)
    history = fold(empty(asking), ordered, asking, Marks()).history
    names = {metric: f"own level of {metric}.{metric}" for metric in metrics}
    return {metric: history.baselines[name] for metric, name in names.items() if name in history.baselines}
