from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.device_clocks import ClockPolicy, clock_policy, current_time_frame
from gateway.profiles import decode

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("model", "policy"),
    [
        ("A&D  UA-651BLE", ClockPolicy.SET),
        ("ua-651ble", ClockPolicy.SET),
        ("BEURER BM85", ClockPolicy.SET),
        ("HEM-7361T", ClockPolicy.SET_WHEN_OFF),
        ("Nonin 3230", ClockPolicy.NEVER),
        ("", ClockPolicy.NEVER),
        (None, ClockPolicy.NEVER),
    ],
)
def test_the_policy_is_the_models(model: str | None, policy: ClockPolicy) -> None:
    assert clock_policy(model) is policy


@pytest.mark.parametrize(
    ("now", "local", "weekday"),
    [
        ("2026-11-22T07:31:05+00:00", "2026-11-22T08:31:05", 7),
        ("2026-10-25T01:30:00+00:00", "2026-10-25T02:30:00", 7),  # the second half past two of that night
        ("2026-12-31T23:59:59.5+00:00", "2027-01-01T00:59:59", 5),
    ],
)
def test_what_is_written_reads_as_the_devices_local_time(now: str, local: str, weekday: int) -> None:
    frame = current_time_frame(datetime.fromisoformat(now).astimezone(UTC), OSLO)
    assert decode("2A2B", frame).taken_at == datetime.fromisoformat(local)
    assert frame[7] == weekday
