"""Who hears a reading, and in which order."""

from alerts import rulebook
from alerts.rules import Compound


def _plan():
    facts = {"plan_id": "made up", "timezone": "UTC", "starts_at": "2026-03-02T00:00:00+00:00"}
    return rulebook.draft(rulebook.load("heart_failure"), facts)


def test_only_those_that_listen_hear_it_each_kind_in_the_order_of_names():
    heard = _plan().hearing(("symptom_red", "symptom_yellow", "weight"))
    assert [rule.name for rule in heard.single] == ["missing_weight", "symptom_red"]
    counting = [
        "weight_gain_3d",
        "weight_gain_7d",
        "weight_trend",
        "gain_with_symptoms",
    ]
    assert [rule.name for rule in heard.counting] == counting
    assert isinstance(heard.counting[-1], Compound)


def test_a_metric_that_no_rule_knows_is_heard_by_none():
    assert _plan().hearing(("glucose",)) == ((), ())
