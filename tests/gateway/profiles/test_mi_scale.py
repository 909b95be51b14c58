import pytest

from gateway.profiles import decode

WHEN = "e5 07 04 0b 10 13 01"


def plain(control: int):
    return decode("181D", bytes((control,)) + bytes.fromhex("9e 43" + WHEN))


@pytest.mark.parametrize(
    ("control", "reason"),
    [
        (0x22, None),
        (0x02, "not_stabilised"),
        (0x82, "not_stabilised"),
        (0xA2, "weight_removed"),
        (0x62, "not_a_person"),
    ],
)
def test_only_a_settled_weight_of_a_person_still_there_is_a_new_one(control: int, reason: str | None) -> None:
    assert plain(control).no_measurement == reason


@pytest.mark.parametrize(
    ("control", "reason"),
    [("02 26", None), ("02 06", "not_stabilised"), ("02 a6", "weight_removed")],
)
def test_the_composition_scale_likewise(control: str, reason: str | None) -> None:
    decoded = decode("181B", bytes.fromhex(control + WHEN + "f7 01 9a 38"))
    assert decoded.no_measurement == reason


def test_impedance_counts_only_where_announced() -> None:
    assert "impedance" not in decode("181B", bytes.fromhex("02 24" + WHEN + "f7 01 9a 38")).details
