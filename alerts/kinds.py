"""The kinds of rules that make one answer of several readings, each with its module: a line a kind."""

from alerts import compound, mean, missing, score, spell, threshold, trend
from alerts.asked import Asked
from alerts.finding import Finding
from alerts.history import CompoundState, CountingState, MeanState, RuleState, ScoreState, TrendState
from alerts.plan import Plan
from alerts.rules import AnyRule, Compound, Counting, Mean, Method, Missing, Score, Threshold, Trend


def start(rule: AnyRule, plan: Plan) -> RuleState:
    """The state of any rule before any reading."""
    if isinstance(rule, Threshold):
        return threshold.start(rule)
    if isinstance(rule, Missing):
        return missing.start(rule, plan)
    if isinstance(rule, Score):
        return score.start(rule)
    if isinstance(rule, Trend):
        return trend.start(rule)
    return mean.start(rule) if isinstance(rule, Mean) else compound.start(rule)


def judge(rule: Counting, state: RuleState, asked: Asked) -> RuleState:
    """The state of a counting rule after one reading, in event order."""
    if isinstance(rule, Score) and isinstance(state, ScoreState):
        return score.judge(rule, state, asked)
    if isinstance(rule, Trend) and isinstance(state, TrendState):
        return trend.judge(rule, state, asked)
    if isinstance(rule, Mean) and isinstance(state, MeanState):
        return mean.judge(rule, state, asked)
    if isinstance(rule, Compound) and isinstance(state, CompoundState):
        return compound.judge(rule, state, asked)
    return state


def look(rule: Counting, state: CountingState) -> Finding:
    """What a counting rule says now."""
    return spell.look(state, rule.levels)


def sums_up(rule: AnyRule | None) -> bool:
    """Whether closing its alert starts the rule's sum again."""
    return isinstance(rule, Trend) and rule.method is Method.MACD_CUSUM
