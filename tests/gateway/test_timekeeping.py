from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.timekeeping import AHEAD_MAX, BEHIND_MAX, NOT_TRUSTED, timing
from vitals.reading import ClockSource

OSLO = ZoneInfo("Europe/Oslo")
HEARD = datetime(2026, 11, 22, 6, 31, 5, tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_set_clock_is_believed_in_the_devices_own_zone() -> None:
    result = timing(local("2026-11-22T07:31:00"), HEARD, OSLO)
    assert result.taken_at == datetime(2026, 11, 22, 6, 31, tzinfo=UTC)
    assert (result.clock, result.flags, result.trusted) == (ClockSource.DEVICE, (), True)


def test_without_a_device_time_the_moment_of_hearing_counts_and_nothing_is_wrong() -> None:
    result = timing(None, HEARD, OSLO)
    assert (result.taken_at, result.clock, result.flags, result.trusted) == (HEARD, ClockSource.GATEWAY, (), False)


def test_a_clock_that_says_it_was_never_set_is_not_believed() -> None:
    result = timing(local("2026-11-22T07:31:00"), HEARD, OSLO, clock_set=False)
    assert (result.taken_at, result.clock, result.flags) == (HEARD, ClockSource.GATEWAY, (NOT_TRUSTED,))


@pytest.mark.parametrize(
    ("off", "trusted"),
    [
        (AHEAD_MAX, True),
        (AHEAD_MAX + timedelta(seconds=1), False),
        (-BEHIND_MAX, True),
        (-BEHIND_MAX - timedelta(seconds=1), False),
        (timedelta(hours=1), False),
    ],
)
def test_belief_ends_ten_minutes_ahead_and_sixty_days_behind(off: timedelta, trusted: bool) -> None:
    result = timing((HEARD + off).replace(tzinfo=None), HEARD, ZoneInfo("UTC"))
    assert result.trusted is trusted
    assert result.taken_at == (HEARD + off if trusted else HEARD)
    assert result.flags == (() if trusted else (NOT_TRUSTED,))


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00+00:00"),  # exists twice: the first one
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00+00:00"),
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00+00:00"),  # does not exist: with the offset before
    ],
)
def test_the_night_the_clocks_change(wall: str, expected: str) -> None:
    moment = datetime.fromisoformat(expected)
    assert timing(local(wall), moment + timedelta(minutes=1), OSLO).taken_at == moment


@given(
    st.datetimes(min_value=local("1582-01-01T00:00:00")),
    st.sampled_from(["Europe/Oslo", "America/Anchorage", "Asia/Tokyo"]),
)
def test_no_date_breaks_it_and_nothing_lies_far_from_hearing(wall: datetime, zone: str) -> None:
    result = timing(wall, HEARD, ZoneInfo(zone))
    assert -BEHIND_MAX <= result.taken_at - HEARD <= AHEAD_MAX
    assert result.taken_at.tzinfo is UTC
