"""A mapping of reasons is read whole, and one that nobody knows takes no page down."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from server.web.views import why
from vitals.reading import Extreme


def test_the_reasons_of_a_threshold_are_read_exactly() -> None:
    read = why.read(
        {
            "rule": "weight_high",
            "metric": "weight",
            "value": "82.40",
            "limit": 82,
            "side": "above",
            "quiet_at": "81.9",
            "taken_at": "2026-11-22T07:31:00+01:00",
            "limit_set_by": "plan",
            "plan_version": 3,
            "quality": "poor",
        }
    )
    assert (read.notice, read.value, read.limit, read.quiet_at) == (
        "threshold",
        Decimal("82.40"),
        Decimal(82),
        Decimal("81.9"),
    )
    assert read.taken_at == datetime(2026, 11, 22, 6, 31, tzinfo=UTC)
    assert (read.set_by, read.plan_version, read.is_poor) == ("plan", 3, True)


@pytest.mark.parametrize(
    ("mapping", "notice"),
    [
        ({}, "other"),
        ({"rule": "quarantined", "value": "120"}, "quarantined"),
        ({"slot_start": "2026-11-22T06:00:00+00:00"}, "missing"),
        ({"value": "87", "limit": "92"}, "other"),  # without a time the sentence cannot be said
        ({"value": {"a": 1}, "limit": [], "taken_at": 7, "side": 3, "plan_version": "x", "rule": None}, "other"),
        ({"value": "NaN", "limit": "Infinity", "taken_at": "2026-11-22T06:00:00"}, "other"),
    ],
)
def test_what_is_missing_or_strange_is_none(mapping: dict[str, object], notice: str) -> None:
    assert why.read(mapping).notice == notice


def test_lo_and_hi_are_words_of_the_device() -> None:
    read = why.read({"value": "LO", "limit": "88", "taken_at": "2026-11-22T06:00:00+00:00", "metric": "spo2"})
    assert (read.value, read.is_extreme, read.notice) == (Extreme.LO, True, "threshold")
