"""Who hears a reading, and in which order."""

from alerts import rulebook
from alerts.rules import Compound
from tests.alerts.worlds import SLOW, START


def _plan():
    return rulebook.draft(SLOW.book, {"plan_id": "made up", "timezone": "UTC", "starts_at": START.isoformat()})


def test_only_those_that_listen_hear_it_each_kind_in_the_order_of_names():
    heard = _plan().hearing(("symptom_yellow", "weight"))
    assert [rule.name for rule in heard.single] == ["crisis", "missing_weight"]
    assert [rule.name for rule in heard.counting] == ["drift", "gain", "loss", "gain_felt"]
    assert isinstance(heard.counting[-1], Compound)


def test_a_metric_that_no_rule_knows_is_heard_by_none():
    assert _plan().hearing(("glucose",)) == ((), ())
