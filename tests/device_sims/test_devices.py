"""One device: the shape of its clock, and what it says."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from device_sims.devices import ClockShape, Personality, oximeter_frame, personality, scale_frame

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


def test_frames_carry_the_time_or_say_that_there_is_none():
    shown = local("2026-11-22T07:31:05")
    assert oximeter_frame(Decimal(87), Decimal(104), shown).hex() == "0357006800ea070b16071f050001"
    assert oximeter_frame(Decimal(87), Decimal(104), None).hex() == "12570068000001"
    assert scale_frame(Decimal("82.30"), shown).hex() == "064c40ea070b16071f0501"
