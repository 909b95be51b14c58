"""One device: the shape of its clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from device_sims.devices import ClockShape, Personality, personality

OSLO = ZoneInfo("Europe/Oslo")
local = datetime.fromisoformat
BEGAN = datetime(2026, 11, 22, 6, 20, tzinfo=UTC)


def test_the_same_address_is_the_same_device_and_all_shapes_exist():
    drawn = [personality(f"02:56:41:00:00:{number:02X}") for number in range(60)]
    assert drawn == [personality(f"02:56:41:00:00:{number:02X}") for number in range(60)]
    assert {each.shape for each in drawn} == set(ClockShape)


def test_clocks_show_local_time_and_go_wrong_in_their_own_way():
    at = BEGAN + timedelta(days=10)
    assert Personality(shape=ClockShape.RIGHT).shown(at, BEGAN, OSLO) == local("2026-12-02T07:20")
    off = Personality(shape=ClockShape.OFF, offset_s=-75)
    assert off.shown(at, BEGAN, OSLO) == local("2026-12-02T07:18:45")
    drifts = Personality(shape=ClockShape.DRIFTS, drift_s_per_day=6)
    assert drifts.shown(at, BEGAN, OSLO) == local("2026-12-02T07:21")
    assert Personality(shape=ClockShape.NEVER_SET).shown(at, BEGAN, OSLO) is None
