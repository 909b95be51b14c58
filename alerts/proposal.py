"""A proposal of individual limits after the start-up period: shown to a clinician, never applied by itself.

Only the mildest band of an ordinary limit is moved, only within `bounds`, and towards less alarm only where the bounds
allow it; of saturation only down from a prescribed floor. Each proposal says what it rests on, and a back-test over the
same readings says what it would have meant. What is not proposed says why not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any

from alerts.arrival import Arrival
from alerts.backtest import Question, Report, candidate, compare
from alerts.bounds import BOUNDS, FLOOR_STEPS, SPREADS, Bound
from alerts.episodes import Span
from alerts.keys import exact
from alerts.own_levels import OwnLevel, own_levels
from alerts.plan import Plan
from alerts.priority import Priority
from alerts.rules import AnyRule, Band, Method, Side, Threshold, Trend
from vitals.metrics import METRICS


class Kept(StrEnum):
    """Why no other limit is proposed for a rule."""

    NOT_KNOWN = "not_known"  # too few readings yet
    INDIVIDUAL = "individual"  # somebody has set this patient's limits already
    FOLLOWS = "follows"  # the limit follows the own level by itself
    NEEDS_FLOOR = "needs_floor"  # the own level lies so near that only a prescribed floor could allow a lower limit
    NOT_LOOSER = "not_looser"  # it would have to be further out than the limit in force
    FITS = "fits"  # the limit in force stands about where it would be proposed


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit in force and the one proposed. `wished`: before the bounds; `held_by`: what stopped it there."""

    priority: Priority
    in_force: Decimal
    proposed: Decimal
    wished: Decimal
    held_by: str | None = None  # tightest | loosest | next_band | floor

    @property
    def changes(self) -> bool:
        """Whether it is another number than the one in force."""
        return self.in_force != self.proposed


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedRule:
    """Other limits for one rule, most mild first, and the bound they keep."""

    rule: str
    level: OwnLevel
    side: Side
    limits: tuple[Limit, ...]
    bound: Bound

    @property
    def is_looser(self) -> bool:
        """Whether it would raise less than what is in force."""
        first = self.limits[0]
        return (first.proposed > first.in_force) is (self.side is Side.ABOVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedFact:
    """A baseline or spread that the rules use, to be confirmed by a clinician. `in_force`: what one has set already."""

    fact: str  # baseline | spread
    level: OwnLevel
    proposed: Decimal
    in_force: Decimal | None
    rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Everything there is to say to a clinician. `trial`: the proposed limits against those in force, where any."""

    plan: Plan
    until: datetime
    levels: tuple[OwnLevel, ...]
    rules: tuple[ProposedRule, ...] = ()
    facts: tuple[ProposedFact, ...] = ()
    kept: Mapping[str, Kept] = field(default_factory=dict)
    trial: Report | None = None


def propose(plan: Plan, arrivals: Sequence[Arrival], until: datetime) -> Proposal:
    """What could be set for this patient, from readings of the start-up period that had arrived by `until`."""
    received = [each for each in arrivals if each.received_at <= until and each.taken_at >= plan.starts_at]
    metrics = [metric for metric in METRICS if any(metric in each.values for each in received)]
    levels = own_levels(plan, received, metrics)
    proposed, kept = _rules(plan, levels)
    trial = None
    if proposed and until > plan.starts_at:
        other = candidate(plan, None, limits_of(plan, proposed))
        trial = compare("", (plan, other), received, Question(span=Span(start=plan.starts_at, end=until)))
    return Proposal(
        plan=plan,
        until=until,
        levels=tuple(levels[metric] for metric in metrics if metric in levels),
        rules=proposed,
        facts=tuple(_facts(plan, levels)),
        kept=kept,
        trial=trial,
    )


def limits_of(plan: Plan, proposed: Sequence[ProposedRule]) -> dict[str, dict[str, Any]]:
    """The proposed limits as a plan's individual limits are written: rule -> the keys to replace."""
    return {each.rule: {"bands": _written(plan, each)} for each in proposed}


def _rules(plan: Plan, levels: Mapping[str, OwnLevel]) -> tuple[tuple[ProposedRule, ...], dict[str, Kept]]:
    proposed, kept = [], {}
    for name, rule in plan.rules.items():
        if not isinstance(rule, Threshold) or len(rule.metrics) > 1:
            continue
        bound = BOUNDS.get((rule.metrics[0], rule.side))
        if bound is None:
            continue
        found = _rule(plan, rule, levels.get(rule.metrics[0]), bound)
        if isinstance(found, ProposedRule):
            proposed.append(found)
        elif found is not None:
            kept[name] = found
    return tuple(proposed), kept


def _rule(plan: Plan, rule: Threshold, level: OwnLevel | None, bound: Bound) -> ProposedRule | Kept | None:
    """What is proposed for one rule, or why nothing is; None: it is of no kind that a proposal could be made for."""
    if rule.relative or rule.with_baseline:
        return Kept.FOLLOWS
    mild = [band for band in rule.bands if band.priority is Priority.MEDIUM]
    if len(mild) != 1 or mild[0] is not rule.bands[0] or any(band.is_run for band in rule.bands):
        return None  # what asks for runs, or is urgent from its first limit on, is not ours to move
    if rule.individual:
        return Kept.INDIVIDUAL
    if level is None or level.value is None or level.spread is None:
        return Kept.NOT_KNOWN
    if rule.metrics[0] == "spo2" and plan.facts.spo2_floor is not None:
        limits = _above_floor(rule, level.value, plan.facts.spo2_floor)
    else:
        limits = (_mildest(rule, level.value, level.spread, bound),)
    if abs(limits[0].proposed - limits[0].in_force) < bound.least_change:
        return _why_kept(rule, limits[0], level.value, bound)
    return ProposedRule(rule=rule.name, level=level, side=rule.side, limits=limits, bound=bound)


def _mildest(rule: Threshold, value: Decimal, spread: Decimal, bound: Bound) -> Limit:
    """The mildest limit, counted from the own level and held by the bounds and the next band."""
    outward = 1 if rule.side is Side.ABOVE else -1
    step = Decimal(1).scaleb(-METRICS[rule.metrics[0]].decimals)
    wished = _on_grid(value + outward * max(bound.distance, bound.spreads * spread), step, rule.side)
    now = _limit(rule.bands[0])
    loosest = now if bound.loosest is None else bound.loosest
    if (now - loosest) * outward > 0:
        loosest = now  # a rulebook that is looser than the bound stays as it is
    proposed, held_by = wished, None
    for name, edge, is_past in (
        ("tightest", bound.tightest, (bound.tightest - wished) * outward > 0),
        ("loosest", loosest, (wished - loosest) * outward > 0),
    ):
        if is_past:
            proposed, held_by = edge, name
    if (now - bound.tightest) * outward < 0 and held_by == "tightest":
        proposed = now  # a rulebook that is tighter than the bound stays as it is
    severe = [_limit(band) - outward * step for band in rule.bands[1:]]
    if severe and (proposed - severe[0]) * outward > 0:
        proposed, held_by = severe[0], "next_band"
    return Limit(priority=rule.bands[0].priority, in_force=now, proposed=proposed, wished=wished, held_by=held_by)


def _above_floor(rule: Threshold, value: Decimal, floor: Decimal) -> tuple[Limit, ...]:
    """Both limits of saturation where a floor is prescribed, as the COPD rulebook has them; never below the floor."""
    severe = [band for band in rule.bands if band.priority >= Priority.HIGH]
    medium, high = (_on_grid(value - step, Decimal(1), rule.side) for step in FLOOR_STEPS)
    limits = []
    for band, wished, least in ((rule.bands[0], medium, floor + 1), *((each, high, floor) for each in severe[:1])):
        now = _limit(band)
        proposed = max(min(wished, now), least)
        held_by = "floor" if proposed > wished else None
        limits.append(
            Limit(priority=band.priority, in_force=now, proposed=min(proposed, now), wished=wished, held_by=held_by)
        )
    return tuple(limits)


def _why_kept(rule: Threshold, limit: Limit, value: Decimal, bound: Bound) -> Kept:
    if rule.metrics[0] == "spo2" and limit.held_by == "loosest" and value - limit.in_force < bound.distance:
        return Kept.NEEDS_FLOOR
    outward = 1 if rule.side is Side.ABOVE else -1
    is_wider = (limit.wished - limit.in_force) * outward >= bound.least_change
    return Kept.NOT_LOOSER if is_wider else Kept.FITS


def _facts(plan: Plan, levels: Mapping[str, OwnLevel]) -> list[ProposedFact]:
    """Baselines that enabled rules count from, and spreads that they measure by."""
    found = []
    for metric, level in levels.items():
        if level.value is None or level.spread is None:
            continue
        uses = tuple(name for name, rule in plan.rules.items() if _counts_from(rule, metric))
        if uses:
            found.append(
                ProposedFact(fact="baseline", level=level, proposed=level.value, in_force=level.set_to, rules=uses)
            )
        by_spread = tuple(name for name in uses if isinstance(plan.rules[name], Trend))
        if by_spread and metric in SPREADS:
            least, most = SPREADS[metric]
            spread = min(max(level.spread.quantize(Decimal("0.1")), least), most)
            now = plan.facts.spread.get(metric)
            found.append(ProposedFact(fact="spread", level=level, proposed=spread, in_force=now, rules=by_spread))
    return found


def _counts_from(rule: AnyRule, metric: str) -> bool:
    if isinstance(rule, Trend):
        return rule.metric == metric and rule.method is Method.MACD_CUSUM
    return isinstance(rule, Threshold) and metric in rule.metrics and (rule.relative or rule.with_baseline)


def _written(plan: Plan, each: ProposedRule) -> list[dict[str, Any]]:
    """The rule's bands as the plan writes them, with the proposed limits in place of those in force."""
    other = {limit.priority.word: limit.proposed for limit in each.limits}
    bands = plan.table[each.rule]["bands"]
    return [{**band, "limit": other.get(band["priority"], exact(band["limit"], "limit"))} for band in bands]


def _limit(band: Band) -> Decimal:
    limit = band.limits[0]
    assert limit is not None, "a rule of one metric has a limit in each band"
    return limit


def _on_grid(value: Decimal, step: Decimal, side: Side) -> Decimal:
    """The nearest number outward that a value can have: a limit is not moved towards normal by rounding."""
    return value.quantize(step, rounding=ROUND_CEILING if side is Side.ABOVE else ROUND_FLOOR)
