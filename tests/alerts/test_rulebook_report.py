"""Rulebooks in words: every number is told, and only what differs is called different."""

from decimal import Decimal

import pytest

from alerts import rulebook
from alerts.keys import Keys
from alerts.rulebook_report import Difference, differences, duration, words

BOOK = """
name = "own"
version = "1"
source = "tests"
reviewed_on = 2026-01-01
verified = false
ends_after = "14d"

[rules.spo2_low]
kind = "threshold"
metric = "spo2"
side = "below"
bands = [
  { limit = 94, priority = "medium" },
  { limit = 92, priority = "high" },
]

[rules.temperature_high]
kind = "threshold"
metric = "temperature"
side = "above"
deadband = 0.5
bands = [{ limit = 38.0, priority = "medium", readings = 2, apart = "120min" }]

[rules.missing_spo2]
kind = "missing"
metric = "spo2"
slots = ["07:00-10:00"]
grace = "60min"
"""


@pytest.fixture
def read(tmp_path):
    def read(text, name="own.toml"):
        path = tmp_path / name
        path.write_text(text)
        return rulebook.load(path)

    return read


def test_a_book_in_words_says_where_its_numbers_are_from_and_what_holds_unsaid(read):
    assert words(read(BOOK)) == (
        "own, version 1 (not verified: numbers from a secondary source)",
        "source: tests",
        "reviewed on 2026-01-01; a plan under it ends after 14d",
        "",
        "missing_spo2: missing, spo2 %",
        "  slots = 07:00-10:00",
        "  grace = 1h",
        "",
        "spo2_low: threshold, spo2 %, below",
        "  medium: limit = 94 %",
        "  high: limit = 92 %, confirm = within 15min (by default), unless = 88 % (by default)",
        "",
        "temperature_high: threshold, temperature Cel, above",
        "  deadband = 0.5 Cel",
        "  medium: limit = 38 Cel, readings = 2, apart = 2h",
    )


@pytest.mark.parametrize("name", rulebook.shipped())
def test_every_number_of_a_shipped_book_is_told(name):
    book = rulebook.load(name)
    text = "\n".join(words(book))

    def numbers(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [number for each in value for number in numbers(each)]
        return [value] if isinstance(value, int | Decimal) and not isinstance(value, bool) else []

    blocks = dict(each.split(": ", 1) for each in text.split("\n\n")[1:])
    assert list(blocks) == sorted(book.table)
    for rule, table in book.table.items():
        assert blocks[rule].startswith(table["kind"])
        told = blocks[rule].replace(",", " ").split()
        missing = [number for number in numbers(table) if f"{Decimal(number).normalize():f}" not in told]
        assert missing == []
    assert "{'" not in text


@pytest.mark.parametrize("name", rulebook.shipped())
def test_a_book_does_not_differ_from_itself(name):
    assert differences(rulebook.load(name), rulebook.load(name)) == ()


def test_what_differs_is_told_rule_by_rule(read):
    other = (
        BOOK.replace("limit = 92", "limit = 91").replace('"60min"', '"45min"').replace('ends_after = "14d"\n', "")
        + '[rules.pulse_high]\nkind = "threshold"\nmetric = "pulse"\nside = "above"\n'
        + 'bands = [{ limit = 110, priority = "medium" }]\n'
    )
    found = differences(read(BOOK), read(other, "other.toml"))
    assert found == (
        Difference(rule="", key="ends_after", first="14d", second=None),
        Difference(rule="missing_spo2", key="grace", first="1h", second="45min"),
        Difference(rule="pulse_high", key="", first=None, second="present"),
        Difference(rule="spo2_low", key="bands[high].limit", first="92", second="91"),
    )


def test_the_same_meaning_written_otherwise_is_no_difference(read):
    other = BOOK.replace('"120min"', '"2h"').replace("38.0", "38").replace("deadband = 0.5", "deadband = 0.50")
    other = other.replace(
        'limit = 92, priority = "high"', 'limit = 92, priority = "high", confirm = { within = "15min" }'
    )
    other = other.replace('version = "1"', 'version = "2"')
    assert differences(read(BOOK), read(other, "other.toml")) == ()


def test_a_rule_switched_off_differs(read):
    other = BOOK.replace('metric = "temperature"', 'metric = "temperature"\nenabled = false')
    (found,) = differences(read(BOOK), read(other, "other.toml"))
    assert found == Difference(rule="temperature_high", key="enabled", first=None, second="false")
    assert any(line.endswith("above, switched off") for line in words(read(other)))


def test_durations_are_said_in_their_largest_whole_unit():
    for text in ("30s", "90s", "15min", "36h", "14d", "0s"):
        assert duration(Keys({"it": text}).duration("it")) == text


def test_what_approval_needs_is_told_and_compared(read):
    needs = 'approval_needs = ["spo2_floor", "spo2_scale"]'
    book = read(needs + BOOK)
    assert words(book)[3] == "a plan under it is approved only when it states spo2_floor and spo2_scale"
    expected = Difference(rule="", key="approval_needs", first=None, second="spo2_floor, spo2_scale")
    assert differences(read(BOOK, "other.toml"), book) == (expected,)
