from decimal import Decimal

import pytest

from gateway.profiles import DecodeError, decode
from gateway.profiles.quirks import NONE, QUIRKS, Quirk, QuirkError, quirk_of

RENPHO = bytes.fromhex("4e6a07ea0707040c1a06aa00000000")


def test_a_quirk_is_found_whatever_the_capitals() -> None:
    assert quirk_of("2A9D", "renpho  es-wbe28") is QUIRKS[0]
    assert decode("2A9D", RENPHO, "RENPHO ES-WBE28").metrics == {"weight": Decimal("94.900")}


def test_a_quirk_concerns_its_model_and_characteristic_alone() -> None:
    assert quirk_of("2A5E", "Renpho ES-WBE28") is NONE
    assert quirk_of("2A9D", "Renpho") is NONE
    assert quirk_of("2A9D", None) is NONE
    with pytest.raises(DecodeError, match="reserved bits set in 0x4E"):
        decode("2A9D", RENPHO, "Renpho")


def test_a_quirk_forgives_only_its_own_bit() -> None:
    with pytest.raises(DecodeError, match="reserved bits set in 0x8E"):
        decode("2A9D", b"\xce" + RENPHO[1:], "Renpho ES-WBE28")


def test_two_matches_are_an_error() -> None:
    row = Quirk(models=("A", "B"), characteristic="2A9D", source="one")
    other = Quirk(models=("b",), characteristic="2A9D", source="two")
    assert quirk_of("2A9D", "a", (row, other)) is row
    with pytest.raises(QuirkError, match="2 quirks for model 'B', characteristic 2A9D"):
        quirk_of("2A9D", "B", (row, other))


def test_the_table_does_not_contradict_itself() -> None:
    for row in QUIRKS:
        for model in row.models:
            assert quirk_of(row.characteristic, model) is row
        assert row.source
