"""A plan is a value that survives its JSON exactly, and is refused by key when it is wrong."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from alerts import plan, rulebook

SETTINGS = {
    "plan_id": "p1",
    "version": 3,
    "timezone": "America/New_York",
    "starts_at": "2026-03-02T00:00:00-05:00",
    "hours": "08:00-15:30 mon-fri",
    "closed": ["2026-05-17"],
    "outside": "response_centre_red",
    "facts": {"age": 71, "on_oxygen": False, "baseline": {"weight": 82.1}, "spo2_floor": 84},
    "pauses": [{"start": "2026-03-04T00:00:00Z", "end": None}],
    "offline": [{"start": "2026-03-03T00:00:00Z", "end": "2026-03-03T06:00:00Z"}],
}


def test_a_plan_survives_its_json():
    own = rulebook.merge(
        rulebook.load("covid19"), {"temperature_high": {"bands": [{"limit": 37.9, "priority": "medium"}]}}
    )
    drawn = rulebook.draft(own, SETTINGS)
    text = json.dumps(plan.to_mapping(drawn))
    again = plan.from_mapping(json.loads(text))
    assert again.rules == drawn.rules
    assert again == drawn
    assert json.dumps(plan.to_mapping(again)) == text
    assert again.rules["temperature_high"].individual


def test_a_number_comes_back_from_json_as_it_was_written():
    drawn = rulebook.draft(rulebook.load("cancer"), {**SETTINGS, "facts": {"baseline": {"weight": Decimal("82.0")}}})
    again = plan.from_mapping(json.loads(json.dumps(plan.to_mapping(drawn))))
    assert [str(band.limits[0]) for band in drawn.rules["fever"].bands] == ["38.0", "38.0", "38.3"]
    assert repr(again.rules["fever"]) == repr(drawn.rules["fever"])
    assert str(again.facts.baseline["weight"]) == "82.0"


def test_the_end_comes_at_the_patients_own_midnight():
    drawn = rulebook.draft(rulebook.load("covid19"), SETTINGS)  # clocks change on 8 March in New York
    assert drawn.ends_at == datetime(2026, 3, 16, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("timezone", "Oslo", "timezone"),
        ("starts_at", "2026-03-02T00:00:00", "has no time zone"),
        ("hours", "8-16", "hours"),
        ("hours", "08:00-16:00 weekdays", "weekdays such as mon-fri"),
        ("outside", "sleep", "outside"),
        ("facts", {"age": "old"}, "facts.age"),
        ("facts", {"spo2_scale": 3}, "facts.spo2_scale"),
        ("facts", {"baseline": {"wieght": 80}}, "facts.baseline.wieght"),
        ("pauses", [{"from": "2026-03-04T00:00:00Z"}], "pauses[0].start"),
        ("colour", "red", "colour: unknown key"),
    ],
)
def test_what_is_wrong_is_named(key, value, words):
    with pytest.raises(plan.PlanError) as caught:
        rulebook.draft(rulebook.load("covid19"), {**SETTINGS, key: value})
    assert words in str(caught.value)
