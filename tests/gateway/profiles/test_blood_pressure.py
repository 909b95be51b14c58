import pytest

from gateway.profiles import decode
from gateway.profiles.blood_pressure import PressureStatus
from vitals.reading import Quality

SOUND = "14 78 00 50 00 5d 00 3c 00"  # mmHg, with pulse and status


def with_status(bits: int):
    return decode("2A35", bytes.fromhex(SOUND) + bits.to_bytes(2, "little"))


@pytest.mark.parametrize("bit", range(16))
def test_every_status_bit_has_a_name_and_only_the_pulse_leaves_the_measurement_good(bit: int) -> None:
    decoded = with_status(1 << bit)
    names = [str(status.name).lower() for status in PressureStatus if status == 1 << bit] or ["unknown_status"]
    assert decoded.flags == (names[0],)
    assert decoded.quality is (Quality.GOOD if bit in (2, 3, 4) else Quality.POOR)


def test_what_is_in_the_cuff_on_its_way_is_no_measurement() -> None:
    frame = bytes.fromhex("00 80 00 ff 07 ff 07")
    assert decode("2A36", frame).no_measurement == "cuff_pressure_on_its_way"
    assert decode("2A35", frame).no_measurement is None
