from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.timekeeping import AHEAD_MAX, BEHIND_MAX, CHANGED, CORRECTED, NOT_TRUSTED, ClockShown, timing
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


def shows(wall: str, at: datetime = HEARD) -> ClockShown:
    return ClockShown(shown=local(wall), at=at)


@pytest.mark.parametrize(
    ("shown", "record", "taken_at", "offset_s"),
    [
        ("2026-11-22T10:31:05", "2026-11-22T10:30:05", "2026-11-22T06:30:05", -3 * 3600),  # ahead
        ("2026-11-20T07:31:05", "2026-11-20T07:30:05", "2026-11-22T06:30:05", 2 * 86400),  # behind
        ("2026-11-22T07:31:17", "2026-11-22T07:30:17", "2026-11-22T06:30:05", -12),
        ("1970-01-01T00:12:00", "1970-01-01T00:10:00", "2026-11-22T06:29:05", 1795331945),  # began with its battery
        ("2040-01-01T00:00:00", "2039-12-31T23:59:00", "2026-11-22T06:30:05", -413656135),
    ],
)
def test_a_clock_that_was_seen_to_be_wrong_is_corrected(shown: str, record: str, taken_at: str, offset_s: int) -> None:
    result = timing(local(record), HEARD, OSLO, seen=shows(shown))
    assert (result.clock, result.flags) == (ClockSource.CORRECTED, (CORRECTED,))
    assert result.taken_at == datetime.fromisoformat(taken_at).replace(tzinfo=UTC)
    assert result.offset_s == offset_s
    assert result.taken_at - _plain(record) == timedelta(seconds=offset_s)


def _plain(wall: str) -> datetime:
    return local(wall).replace(tzinfo=OSLO).astimezone(UTC)


def test_a_clock_that_was_seen_to_be_right_is_believed() -> None:
    result = timing(local("2026-11-22T07:30:00"), HEARD, OSLO, seen=shows("2026-11-22T07:31:00"))
    assert (result.clock, result.offset_s, result.flags) == (ClockSource.DEVICE, 0, ())


def test_only_a_running_clock_tells_records_apart() -> None:
    late = timing(local("2026-11-20T07:30:05"), HEARD, OSLO, seen=shows("2026-11-20T07:31:05"))
    reset = timing(local("1970-01-01T00:10:00"), HEARD, OSLO, seen=shows("1970-01-01T00:12:00"))
    assert (late.trusted, reset.trusted) == (True, False)


def test_a_record_from_before_the_clock_jumped_is_not_moved_by_the_jump() -> None:
    old = timing(local("2026-11-20T07:30:05"), HEARD, OSLO, seen=shows("2000-01-01T00:03:00"))
    assert (old.clock, old.flags) == (ClockSource.DEVICE, (CHANGED,))
    assert old.taken_at == datetime(2026, 11, 20, 6, 30, 5, tzinfo=UTC)
    worse = timing(local("1970-01-01T09:00:00"), HEARD, OSLO, seen=shows("1970-01-01T00:03:00"))
    assert (worse.clock, worse.flags, worse.taken_at) == (ClockSource.GATEWAY, (NOT_TRUSTED,), HEARD)


def test_a_device_that_says_its_clock_is_not_set_is_not_corrected_by_it() -> None:
    result = timing(local("2026-11-22T07:00:00"), HEARD, OSLO, clock_set=False, seen=shows("2026-11-22T09:31:05"))
    assert (result.clock, result.taken_at) == (ClockSource.GATEWAY, HEARD)


def test_a_device_that_nobody_moved_to_summer_time_is_right_on_both_sides_of_the_change() -> None:
    """It shows winter time for ever; records of both sides are heard on one summer's day."""
    heard = datetime(2026, 3, 29, 10, 0, tzinfo=UTC)
    seen = shows("2026-03-29T11:00:00", heard)  # Oslo is at 12:00
    before = timing(local("2026-03-29T01:30:00"), heard, OSLO, seen=seen)
    after = timing(local("2026-03-29T10:00:00"), heard, OSLO, seen=seen)
    assert before.taken_at == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert after.taken_at == datetime(2026, 3, 29, 9, 0, tzinfo=UTC)
    assert (before.offset_s, after.offset_s) == (0, 3600)


def test_in_the_hour_that_exists_twice_the_devices_own_clock_says_which() -> None:
    heard = datetime(2026, 10, 25, 1, 40, tzinfo=UTC)
    result = timing(local("2026-10-25T02:30:00"), heard, OSLO, seen=shows("2026-10-25T02:40:00", heard))
    assert result.taken_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@given(
    st.datetimes(min_value=local("1582-01-01T00:00:00")),
    st.datetimes(min_value=local("1582-01-01T00:00:00")),
    st.sampled_from(["Europe/Oslo", "America/Anchorage", "Asia/Tokyo"]),
)
def test_no_clock_breaks_it_and_the_correction_is_what_was_added(wall: datetime, shown: datetime, zone: str) -> None:
    result = timing(wall, HEARD, ZoneInfo(zone), seen=ClockShown(shown=shown, at=HEARD))
    assert -BEHIND_MAX <= result.taken_at - HEARD <= AHEAD_MAX
    assert abs(result.offset_s) <= 2 * 10**9
    assert (result.offset_s == 0) or result.clock is ClockSource.CORRECTED
