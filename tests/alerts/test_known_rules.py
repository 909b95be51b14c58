"""Tables that are written alike share their rules; others never do."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alerts import rulebook
from alerts.known_rules import known_rules
from alerts.plan import Plan, from_mapping, to_mapping
from tests.server.world import START


def plan() -> Plan:
    settings = {"plan_id": "p", "facts": {"age": 71}, "starts_at": START.isoformat()}
    return from_mapping(json.loads(json.dumps(to_mapping(rulebook.draft(rulebook.load("covid19"), settings)))))


def with_limit(table: Mapping[str, Any], limit: float) -> dict[str, Any]:
    rule = dict(table["spo2_low"])
    return {**table, "spo2_low": {**rule, "bands": [{**rule["bands"][0], "limit": limit}]}}


def test_plans_that_are_written_alike_share_their_rules_and_their_table() -> None:
    one, other = plan(), replace(plan(), plan_id="q")
    assert one.rules is other.rules
    assert one.table is plan().table


def test_another_number_or_another_way_to_write_it_makes_rules_of_their_own() -> None:
    table = plan().table
    shared = known_rules(table)
    limits = {text: known_rules(with_limit(table, limit)) for text, limit in (("38", 38), ("38.0", 38.0), ("93", 93))}
    assert len({id(each) for each in (shared, *limits.values())}) == 4
    assert [str(each.table["spo2_low"]["bands"][0]["limit"]) for each in limits.values()] == ["38", "38.0", "93"]


def test_whose_numbers_they_are_is_not_shared() -> None:
    table = plan().table
    assert known_rules(table).rules["spo2_low"] != known_rules(table, frozenset({"spo2_low"})).rules["spo2_low"]
    assert known_rules(table) is not known_rules(table, floored=True)
