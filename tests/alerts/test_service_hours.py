"""Service hours in wall time, over weekends, holidays and the two odd nights."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.service_hours import Hours, Service, wall

OSLO = ZoneInfo("Europe/Oslo")
OFFICE = Service(hours=Hours(start=480, end=930, days=(0, 1, 2, 3, 4)), closed=frozenset({date(2026, 3, 9)}), zone=OSLO)
ALWAYS = Service(hours=Hours(), closed=frozenset(), zone=OSLO)
NEVER = Service(hours=Hours(days=()), closed=frozenset(), zone=OSLO)


def oslo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OSLO).astimezone(UTC)


def test_open_from_the_first_minute_to_the_last_both_included():
    assert OFFICE.is_open(oslo("2026-03-06T08:00"))
    assert OFFICE.is_open(oslo("2026-03-06T15:30"))
    assert not OFFICE.is_open(oslo("2026-03-06T15:30") + timedelta(seconds=1))
    assert not OFFICE.is_open(oslo("2026-03-09T10:00"))
    assert ALWAYS.is_open(oslo("2026-03-08T00:00"))
    evening = Service(hours=Hours(start=900, days=(0,)), closed=frozenset(), zone=OSLO)
    assert evening.is_open(oslo("2026-03-10T00:00"))
    assert not evening.is_open(oslo("2026-03-10T00:01"))


def test_the_next_opening_skips_weekend_and_holiday():
    assert OFFICE.opens(oslo("2026-03-06T15:30")) == oslo("2026-03-10T08:00")
    assert OFFICE.opens(oslo("2026-03-06T09:00")) == oslo("2026-03-06T09:00")
    assert NEVER.opens(oslo("2026-03-06T09:00")) is None


def test_four_hours_of_work_and_the_end_of_that_day():
    found = OFFICE.after(oslo("2026-03-06T13:30"), timedelta(hours=4))
    assert found == (oslo("2026-03-10T10:00"), oslo("2026-03-10T15:30"))
    assert OFFICE.after(oslo("2026-03-06T11:30"), timedelta(hours=4)) == (
        oslo("2026-03-06T15:30"),
        oslo("2026-03-06T15:30"),
    )
    assert ALWAYS.after(oslo("2026-03-06T22:00"), timedelta(hours=4)) == (
        oslo("2026-03-07T02:00"),
        oslo("2026-03-08T00:00"),
    )
    assert NEVER.after(oslo("2026-03-06T22:00"), timedelta(hours=4)) is None


def test_times_that_do_not_exist_or_exist_twice_take_the_offset_before_the_change():
    assert wall(date(2026, 3, 29), 150, OSLO) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert wall(date(2026, 10, 25), 150, OSLO) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert wall(date(2026, 3, 28), 1440, OSLO) == datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
