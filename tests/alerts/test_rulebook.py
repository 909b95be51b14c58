"""Rulebooks are read strictly: what is wrong is named by file and key."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alerts import rulebook
from alerts.keys import KeyProblem
from alerts.plan import PatientFacts
from alerts.priority import Priority
from alerts.rules import Missing, Threshold

GOOD = """
name = "own"
version = "1"
source = "tests"
reviewed_on = 2026-01-01
verified = true
ends_after = "14d"

[rules.spo2_low]
kind = "threshold"
metric = "spo2"
side = "below"
bands = [
  { limit = 92, priority = "high" },
  { limit = 94, priority = "medium" },
]

[rules.missing_spo2]
kind = "missing"
metric = "spo2"
slots = ["13:00-16:00", "07:00-10:00"]
grace = "30min"
"""


def read(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(text)
    return rulebook.load(path)


def test_a_good_rulebook_reads(tmp_path):
    book = read(tmp_path, GOOD)
    low, missing = book.rules["spo2_low"], book.rules["missing_spo2"]
    assert isinstance(low, Threshold)
    assert isinstance(missing, Missing)
    assert [band.priority for band in low.bands] == [Priority.MEDIUM, Priority.HIGH]
    assert low.deadband == (Decimal(2),)
    assert [(slot.start, slot.end) for slot in missing.slots] == [(420, 600), (780, 960)]
    assert book.ends_after == timedelta(days=14)


@pytest.mark.parametrize("name", rulebook.shipped())
def test_every_shipped_rulebook_reads_and_says_where_it_is_from(name):
    book = rulebook.load(name)
    assert book.name == name
    assert book.rules
    assert book.source


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('version = "1"', "version = true", "version"),
        ('source = "tests"\n', "", "source: missing"),
        ("reviewed_on = 2026-01-01", 'reviewed_on = "2026-01-01"', "reviewed_on"),
        ("verified = true", 'verified = "yes"', "verified"),
        ('ends_after = "14d"', 'ends_after = "a fortnight"', "ends_after"),
        ('name = "own"', 'name = "own"\ncolour = "red"', "colour: unknown key"),
        ('kind = "threshold"', 'kind = "oracle"', "rules.spo2_low.kind"),
        ('kind = "threshold"', "", "rules.spo2_low.kind: missing"),
        ('metric = "spo2"\nside', 'metric = "sp02"\nside', "rules.spo2_low.metric: unknown metric 'sp02'"),
        ('side = "below"', 'side = "beneath"', "rules.spo2_low.side"),
        ('limit = 92, priority = "high"', 'limit = "92", priority = "high"', "rules.spo2_low.bands[0].limit"),
        ('limit = 92, priority = "high"', 'limit = 92, priority = "hihg"', "rules.spo2_low.bands[0].priority"),
        ('limit = 92, priority = "high"', 'limit = 95, priority = "high"', "rules.spo2_low.bands: limit 94"),
        ('limit = 92, priority = "high"', 'limit = 94, priority = "high"', "nearer to normal"),
        ('priority = "high"', 'priority = "high", confirm = true', "rules.spo2_low.bands[0].confirm"),
        ('priority = "high"', 'priority = "high", apart = "2h"', "rules.spo2_low.bands[0].apart"),
        ('priority = "high"', 'priority = "high", limt = 3', "rules.spo2_low.bands[0].limt: unknown key"),
        ('side = "below"', 'side = "below"\nclear_readings = 0', "rules.spo2_low.clear_readings"),
        ('side = "below"', 'side = "below"\ndeadband = -1', "rules.spo2_low.deadband"),
        ('"07:00-10:00"', '"07:00-14:00"', "rules.missing_spo2.slots: must not overlap"),
        ('"07:00-10:00"', '"22:00-02:00"', "rules.missing_spo2.slots"),
        ('grace = "30min"', "grace = 30", "rules.missing_spo2.grace"),
        ('grace = "30min"', 'every = "7d"', "rules.missing_spo2.every"),
        ("[rules.spo2_low]", "[rules.spo2_low", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, key):
    assert old in GOOD
    with pytest.raises(rulebook.RulebookError) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert str(caught.value).startswith("own.toml: ")
    assert key in str(caught.value)


def test_a_rulebook_that_is_not_there_lists_those_that_are():
    with pytest.raises(rulebook.RulebookError, match=r"plague\.toml.*covid19"):
        rulebook.load("plague")


def test_individual_limits_pass_the_same_checks(tmp_path):
    book = read(tmp_path, GOOD)
    own = rulebook.merge(book, {"spo2_low": {"bands": [{"limit": 90, "priority": "medium"}]}})
    assert own.rules["spo2_low"].individual
    assert not own.rules["missing_spo2"].individual
    assert not book.rules["spo2_low"].individual
    assert "spo2_low" not in rulebook.merge(book, {"spo2_low": {"enabled": False}}).rules
    with pytest.raises(KeyProblem, match=r"rules\.spo2_low\.bands\[0\]\.limit"):
        rulebook.merge(book, {"spo2_low": {"bands": [{"limit": True, "priority": "medium"}]}})
    with pytest.raises(KeyProblem, match=r"rules\.spo2_hihg"):
        rulebook.merge(book, {"spo2_hihg": {"enabled": False}})


def test_what_rings_at_once_follows_the_limits():
    low = rulebook.load("covid19").rules["spo2_low"]
    assert isinstance(low, Threshold)
    assert low.bands[-1].unless == (Decimal(88),)
    assert low.bands[-1].confirm == timedelta(minutes=15)
    assert low.bands[0].confirm is None
    own = rulebook.merge(rulebook.load("covid19"), {"spo2_low": {"bands": [{"limit": 90, "priority": "high"}]}})
    assert own.rules["spo2_low"].bands[-1].unless == (Decimal(87),)  # type: ignore[union-attr]


def test_a_rulebook_may_name_the_facts_that_approval_needs(tmp_path):
    assert read(tmp_path, GOOD).approval_needs == ()
    book = read(tmp_path, 'approval_needs = ["spo2_floor", "age"]\n' + GOOD)
    assert book.lacking(PatientFacts(age=71)) == ("spo2_floor",)
    assert book.lacking(PatientFacts(age=71, spo2_floor=Decimal(84))) == ()
    with pytest.raises(rulebook.RulebookError, match=r"own\.toml: approval_needs: 'floor' is none of age"):
        read(tmp_path, 'approval_needs = ["floor"]\n' + GOOD)
    assert rulebook.load("copd").approval_needs == ("spo2_floor", "spo2_scale")
