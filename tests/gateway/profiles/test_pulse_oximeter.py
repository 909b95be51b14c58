import pytest

from gateway.profiles import decode
from gateway.profiles.pulse_oximeter import MeasurementStatus, SensorStatus
from vitals.reading import Quality

VOUCHED = {"measurement_ongoing", "validated", "fully_qualified", "from_storage"}


@pytest.mark.parametrize("bit", range(16))
def test_only_four_words_of_the_device_leave_a_measurement_good(bit: int) -> None:
    decoded = decode("2A5E", bytes.fromhex("0253006000") + (1 << bit).to_bytes(2, "little"))
    names = {str(status.name).lower() for status in MeasurementStatus if status == 1 << bit} or {"unknown_status"}
    assert set(decoded.flags) == names
    assert decoded.quality is (Quality.GOOD if names <= VOUCHED else Quality.POOR)


@pytest.mark.parametrize("bit", range(24))
def test_any_word_about_the_sensor_makes_a_measurement_poor(bit: int) -> None:
    names = [str(status.name).lower() for status in SensorStatus if status == 1 << bit] or ["unknown_status"]
    for characteristic, flags in (("2A5E", b"\x04"), ("2A5F", b"\x08")):
        frame = flags + bytes.fromhex("53006000") + (1 << bit).to_bytes(3, "little")
        decoded = decode(characteristic, frame)
        assert decoded.flags == tuple(names)
        assert decoded.quality is Quality.POOR


def test_nothing_said_is_good_and_status_zero_too() -> None:
    assert decode("2A5E", bytes.fromhex("0053006000")).quality is Quality.GOOD
    assert decode("2A5F", bytes.fromhex("0c530060000000000000")).quality is Quality.GOOD
