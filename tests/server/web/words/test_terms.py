"""Every term of the house that can reach a page has a word for the reader."""

from enum import StrEnum

import pytest

from alerts.alert import State
from alerts.bounds import BOUNDS
from alerts.command import Outcome
from alerts.fact import FactKind
from alerts.fact import Role as Recipient
from alerts.priority import Priority
from alerts.proposal import Kept
from alerts.rulebook import load, shipped
from alerts.view import Zone
from server.access import Role
from server.ingest.receive import Kind
from server.web.words import terms as words
from vitals.metrics import METRICS


@pytest.mark.parametrize(
    ("table", "terms"),
    [
        ("state", State),
        ("outcome", Outcome),
        ("fact", FactKind),
        ("recipient", Recipient),
        ("zone", Zone),
        ("zone_meaning", Zone),
        ("role", Role),
        ("quarantine", Kind),
        ("kept", Kept),
    ],
)
def test_every_term_has_a_word(table: str, terms: type[StrEnum]) -> None:
    assert {term.value for term in terms} - set(words.TABLES[table]) == set()


def test_every_metric_priority_and_shipped_rule_has_a_word() -> None:
    assert set(METRICS) - set(words.METRICS) == set()
    assert {priority.word for priority in Priority} == set(words.PRIORITIES)
    assert set(shipped()) - set(words.RULEBOOKS) == set()
    rules = {rule for book in shipped() for rule in load(book).table}
    assert rules - set(words.RULES) == set()


def test_every_bound_of_a_proposal_says_where_it_comes_from() -> None:
    assert {f"{metric}_{side.value}" for metric, side in BOUNDS} == set(words.BOUNDS)
