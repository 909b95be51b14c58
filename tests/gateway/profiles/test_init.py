import json
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.profiles import PROFILES, Decoded, DecodeError, Special, decode, render, short_uuid

SPOT_CHECK = bytes.fromhex("0062004800")


@pytest.mark.parametrize("text", ["2A5E", "2a5e", "0x2A5E", " 2A5E ", "00002a5e-0000-1000-8000-00805F9B34FB"])
def test_every_spelling_of_a_characteristic_is_the_same(text: str) -> None:
    assert short_uuid(text) == "2A5E"
    assert decode(text, SPOT_CHECK) == decode("2A5E", SPOT_CHECK)


@pytest.mark.parametrize("text", ["", "2A5", "2A5EE", "xyzw", "46A970E0-0D5F-11E2-8B5E-0002A5D5C51B"])
def test_what_is_no_16_bit_uuid_is_refused(text: str) -> None:
    with pytest.raises(DecodeError, match="is not a 16-bit Bluetooth UUID"):
        short_uuid(text)


def test_a_characteristic_without_profile_is_refused_by_name() -> None:
    with pytest.raises(DecodeError, match="no profile reads characteristic 2A6E; known: 2A18, 2A19, 2A1C, 2A2B, "):
        decode("2A6E", b"\x00\x50")


def test_render_is_the_line_of_the_contract() -> None:
    assert json.dumps(render(decode("2A5E", SPOT_CHECK))) == (
        '{"metrics": {"spo2": 98, "pulse": 72}, "taken_at": null, "special": {}, "flags": []}'
    )


def test_render_names_special_values_and_prints_exact_digits() -> None:
    decoded = Decoded(
        metrics={"spo2": None, "weight": Decimal("117.9340162"), "pulse": Decimal("1E+10")},
        special={"spo2": Special.NRES},
        taken_at=datetime(2026, 7, 14, 23, 41, 32),  # noqa: DTZ001 - a device's local time
        flags=("low_perfusion",),
    )
    assert json.dumps(render(decoded)) == (
        '{"metrics": {"spo2": null, "weight": 117.9340162, "pulse": 10000000000}, '
        '"taken_at": "2026-07-14T23:41:32", "special": {"spo2": "NRes"}, "flags": ["low_perfusion"]}'
    )


@given(st.binary(min_size=2, max_size=2))
def test_printed_pounds_are_the_exact_number(raw: bytes) -> None:
    decoded = decode("2A9D", b"\x01" + raw)
    printed = json.loads(json.dumps(render(decoded)), parse_float=Decimal, parse_int=Decimal)
    assert printed["metrics"]["weight"] == decoded.metrics["weight"]


@given(st.sampled_from(sorted(PROFILES)), st.binary(max_size=24), st.sampled_from([None, "Renpho ES-WBE28", "other"]))
def test_any_bytes_are_read_or_refused_with_a_reason(characteristic: str, frame: bytes, model: str | None) -> None:
    reason = ""
    try:
        decoded = decode(characteristic, frame, model)
    except DecodeError as refusal:
        reason = refusal.reason
    else:
        reason = "read"
        assert {name for name, value in decoded.metrics.items() if value is None} == set(decoded.special)
        json.dumps(render(decoded), allow_nan=False)
    assert reason
