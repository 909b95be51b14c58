import pytest

from gateway.profiles import DecodeError, decode


def test_a_clock_measures_nobody() -> None:
    decoded = decode("2A2B", bytes.fromhex("e10701040b262d030102"))
    assert decoded.no_measurement == "clock"
    assert decoded.flags == ("external_reference_time_update", "clock")


def test_a_weekday_that_there_is_not_is_refused() -> None:
    with pytest.raises(DecodeError, match="day of week: 8"):
        decode("2A2B", bytes.fromhex("e10701040b262d080102"))
