"""A proposal of individual limits from what is stored. Only reads: it becomes a plan by a person's hand alone."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import Connection, and_, select

from alerts.backtest import ASSUMED
from alerts.backtest_report import tally
from alerts.own_levels import NEED, OwnLevel
from alerts.proposal import Limit, Proposal, ProposedRule, propose
from server.access import Actor
from server.db import tables
from server.reports import inputs
from server.watch.patient import readings

START_UP = timedelta(days=28)  # a start-up of two to four weeks of daily readings is national practice


def proposal(connection: Connection, actor: Actor, patient: str) -> Proposal | None:
    """What could be set for this patient, from the first four weeks of the plan in force; None: no plan is active.

    A reading that a person took out does not count. Raises `NotFoundError`.
    """
    inputs.check_known(connection, actor, patient)
    plan = inputs.plan_in_force(connection, patient)
    if plan is None:
        return None
    ends = plan.starts_at + START_UP
    taken_at = tables.reading.c.taken_at
    stored = readings(connection, patient, and_(taken_at >= plan.starts_at, taken_at <= ends))
    fact = tables.fact
    invalidated = select(fact.c.why).where(fact.c.patient_id == patient, fact.c.kind == "invalidated")
    out = {(why or {}).get("reading_id") for why in connection.execute(invalidated).scalars()}
    counting = [each for _, each in stored if each.reading_id not in out]
    known = inputs.known_until(connection, patient) or plan.starts_at
    return propose(plan, counting, max(plan.starts_at, min(known, ends)))


def to_mapping(found: Proposal) -> dict[str, Any]:
    """The proposal as a JSON-able mapping; exact numbers stay decimals. `limits` could be tried by a back-test."""
    trial = found.trial
    return {
        "rulebook": {"name": found.plan.rulebook, "version": found.plan.rulebook_version},
        "plan_version": found.plan.version,
        "until": found.until,
        "needs": {"readings": NEED.readings, "days": NEED.days},
        "levels": [_level(each) for each in found.levels],
        "rules": [_rule(each) for each in found.rules],
        "facts": [
            {
                "fact": each.fact,
                "metric": each.level.metric,
                "proposed": each.proposed,
                "in_force": each.in_force,
                "rules": list(each.rules),
            }
            for each in found.facts
        ],
        "kept": {rule: reason.value for rule, reason in sorted(found.kept.items())},
        "trial": None
        if trial is None
        else {"in_force": tally(trial.in_force, ASSUMED), "proposed": tally(trial.candidate, ASSUMED)},
        "applied": False,
    }


def _level(level: OwnLevel) -> dict[str, Any]:
    spread = None if level.spread is None else level.spread.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return {
        "metric": level.metric,
        "median": level.value,
        "standard_deviation": spread,
        "readings": level.readings,
        "days": level.days,
        "known_from": level.known_from,
        "set_to": level.set_to,
    }


def _rule(each: ProposedRule) -> dict[str, Any]:
    return {
        "rule": each.rule,
        "metric": each.level.metric,
        "side": each.side.value,
        "limits": [_limit(limit) for limit in each.limits],
        "bounds": {
            "distance": each.bound.distance,
            "spreads": each.bound.spreads,
            "tightest": each.bound.tightest,
            "loosest": each.bound.loosest,
            "source": each.bound.source,
        },
    }


def _limit(limit: Limit) -> dict[str, Any]:
    return {
        "priority": limit.priority.word,
        "in_force": limit.in_force,
        "proposed": limit.proposed,
        "wished": limit.wished,
        "held_by": limit.held_by,
    }
