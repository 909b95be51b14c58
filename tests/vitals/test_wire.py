"""The wire refuses what breaks the contract, names field and reason, and keeps every digit of what it accepts."""

import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitals.metrics import METRICS
from vitals.reading import ClockSource, DeviceId, Extreme, Measurement, Quality, Reading, ReadingId, RefusedFrame
from vitals.wire import (
    BODY_BYTES_MAX,
    Receipt,
    Rejection,
    WireError,
    parse_frame,
    parse_reading,
    parse_receipt,
    peek_id,
    render_frame,
    render_reading,
    render_receipt,
)

_ID = "0b0f6a3e-2f0e-5c65-9f5e-3f0d3a1c2b4d"

GOOD: dict[str, Any] = {
    "id": _ID,
    "device": "c0:00:00:00:00:01",
    "taken_at": "2026-11-22T07:31:05Z",
    "values": {"spo2": 93, "pulse": 88},
}


def body(**changes: Any) -> bytes:
    fields = {**GOOD, **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def test_a_minimal_reading_has_the_defaults_of_the_contract() -> None:
    assert parse_reading(body()) == Reading(
        id=ReadingId(_ID),
        device=DeviceId("C0:00:00:00:00:01"),
        taken_at=datetime(2026, 11, 22, 7, 31, 5, tzinfo=UTC),
        clock=ClockSource.DEVICE,
        measurements=(
            Measurement(metric="pulse", value=Decimal(88)),
            Measurement(metric="spo2", value=Decimal(93)),
        ),
    )


def test_a_time_with_an_offset_becomes_utc() -> None:
    reading = parse_reading(body(taken_at="2026-11-22T08:31:05.5+01:00"))
    assert reading.taken_at == datetime(2026, 11, 22, 7, 31, 5, 500_000, tzinfo=UTC)
    assert reading.taken_at.tzinfo is UTC


def test_a_meters_word_for_beyond_its_range_is_a_value() -> None:
    reading = parse_reading(body(values={"glucose": "LO"}))
    assert reading.measurements == (Measurement(metric="glucose", value=Extreme.LO),)


def test_a_reading_without_values_says_why() -> None:
    assert parse_reading(body(values={}, flags=["spo2:NaN"])).measurements == ()


def test_an_unknown_field_is_ignored() -> None:
    assert parse_reading(body(firmware="2.1")) == parse_reading(body())


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"id": ...}, "id", "missing"),
        ({"id": 7}, "id", "must be a text"),
        ({"id": "7"}, "id", "not a UUID"),
        ({"device": ...}, "device", "missing"),
        ({"device": ""}, "device", "empty"),
        ({"device": "x" * 65}, "device", "longer than 64"),
        ({"device": "A\nB"}, "device", "cannot be printed"),
        ({"taken_at": ...}, "taken_at", "missing"),
        ({"taken_at": "2026-11-22T07:31:05"}, "taken_at", "with its zone"),
        ({"taken_at": "2026-02-30T07:31:05Z"}, "taken_at", "no such date"),
        ({"taken_at": "0001-01-01T00:00:00+23:00"}, "taken_at", "no such date"),
        ({"taken_at": "22.11.2026"}, "taken_at", "RFC 3339"),
        ({"clock": "sundial"}, "clock", "one of device, corrected, gateway"),
        ({"offset_s": 1.5}, "offset_s", "whole number"),
        ({"values": ...}, "values", "missing"),
        ({"values": [93]}, "values", "object"),
        ({"values": {}}, "values", "no flag says why"),
        ({"values": {"o2": 93}}, "values.o2", "unknown metric"),
        ({"values": {"spo2": "93"}}, "values.spo2", "number"),
        ({"values": {"spo2": None}}, "values.spo2", "number"),
        ({"values": {"spo2": True}}, "values.spo2", "number"),
        ({"values": {"spo2": 1e300}}, "values.spo2", "digits"),
        ({"quality": "fair"}, "quality", "one of good, poor"),
        ({"flags": "motion"}, "flags", "list"),
        ({"flags": ["x" * 65]}, "flags", "64"),
        ({"flags": ["x"] * 33}, "flags", "more than 32"),
        ({"battery": 101}, "battery", "0 to 100"),
        ({"battery": "full"}, "battery", "0 to 100"),
    ],
)
def test_a_wrong_field_is_named_with_its_reason(changes: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason) as refusal:
        parse_reading(body(**changes))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"values":{"spo2":NaN}}', "NaN is not a number"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "more than|nested too deeply"),
        (b"[" * 16_000, "nested too deeply"),
        (b'{"v":1E99999999999999999999}', "no instrument gives"),
        (b" " * (BODY_BYTES_MAX + 1), "more than the"),
    ],
)
def test_what_is_not_a_json_object_is_refused_in_words(raw: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        parse_reading(raw)


_VALUES = st.one_of(
    st.sampled_from(Extreme),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9),
)
_READINGS = st.builds(
    Reading,
    id=st.uuids().map(lambda each: ReadingId(str(each))),
    device=st.text("ABCDEF0123456789:", min_size=1, max_size=17).map(DeviceId),
    model=st.none() | st.text("abc 123Å", min_size=1, max_size=20),
    taken_at=st.datetimes(
        min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    clock=st.sampled_from(ClockSource),
    offset_s=st.integers(-(10**9), 10**9),
    measurements=st.dictionaries(st.sampled_from(sorted(METRICS)), _VALUES, min_size=1).map(
        lambda values: tuple(Measurement(metric=name, value=values[name]) for name in sorted(values))
    ),
    quality=st.sampled_from(Quality),
    flags=st.lists(st.text("abc:_", max_size=20), max_size=4).map(tuple),
    battery=st.none() | st.integers(0, 100),
)


@given(_READINGS)
def test_a_reading_comes_back_digit_for_digit(reading: Reading) -> None:
    assert parse_reading(render_reading(reading)) == reading


@given(_READINGS, st.data())
def test_a_damaged_message_is_a_reading_or_a_refusal_and_nothing_else(reading: Reading, data: st.DataObject) -> None:
    raw = bytearray(render_reading(reading))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not raw:
            raw = bytearray(b"{")
    with contextlib.suppress(WireError):
        parse_reading(bytes(raw))


def test_a_frame_comes_back_byte_for_byte() -> None:
    frame = RefusedFrame(
        id=ReadingId(_ID),
        device=DeviceId("C0:00:00:00:00:01"),
        model=None,
        characteristic="2A5E",
        frame=b"\x00\x62",
        heard_at=datetime(2026, 11, 22, 7, 31, 5, tzinfo=UTC),
        reason="truncated",
    )
    assert parse_frame(render_frame(frame)) == frame


def test_a_frame_that_is_not_hexadecimal_is_refused() -> None:
    raw = body(characteristic="2A5E", frame="0g", heard_at="2026-11-22T07:31:05Z", reason="truncated")
    with pytest.raises(WireError, match="frame: not hexadecimal"):
        parse_frame(raw)


def test_a_receipt_comes_back_whole() -> None:
    receipt = Receipt(
        accepted=(ReadingId(_ID),), rejected=(Rejection(id=ReadingId(_ID), reason="values.o2: unknown metric"),)
    )
    assert parse_receipt(render_receipt(receipt)) == receipt


@pytest.mark.parametrize(
    "raw", [b'{"accepted":"x"}', b'{"accepted":["x"]}', b'{"rejected":["x"]}', b'{"rejected":[{}]}']
)
def test_a_crooked_receipt_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        parse_receipt(raw)


def test_the_id_of_a_refused_message_can_still_be_named() -> None:
    assert peek_id(body(values={"o2": 1})) == _ID
    assert peek_id(b"not json") is None
    assert peek_id(b'{"v":1E99999999999999999999}') is None
