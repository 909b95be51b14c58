"""What is read in one look is what is read in full; what is spelt otherwise is left alone."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitals.seal import seal
from vitals.wire import BODY_BYTES_MAX, parse_reading, read_in_full
from vitals.wire_plain import glimpse, read_plainly

PLAIN = (
    '{"id":"0b0f6a3e-2f0e-5c65-9f5e-3f0d3a1c2b4d","device":"c0:00:00:00:00:01","model":"Nonin 3230",'
    '"taken_at":"2026-11-22T07:31:05.25Z","clock":"device","offset_s":-3,"values":{"pulse":88,"spo2":93.50},'
    '"quality":"good","flags":[],"battery":80}'
)
_TOKEN = re.compile(r'"[^"]*"|-?[0-9.]+|null|[^"]')
# What might be taken for something else: other spellings, borders of ranges, digits that are not ours, names twice.
_ODD = (
    *(
        '"spo2"',
        '"pulse"',
        '"weight"',
        '"no_such_metric"',
        '"LO"',
        '""',
        '"a\\u0041"',
        '"Å"',
        '"٣"',
        '"device"',
        '"good"',
    ),
    *(
        "0",
        "-0",
        "00",
        "1e3",
        "1E999999",
        "100",
        "101",
        "-3.0",
        "1.",
        ".5",
        "999999999",
        "9999999999",
        "0.0000000001",
        "٣",
    ),
    *('"2026-02-30T07:31:05Z"', '"0000-01-01T00:00:00Z"', '"2026-11-22T07:31:60Z"', '"2026-11-22t07:31:05z"'),
    *(
        '"2026-11-22T07:31:05"',
        '"2026-11-22T07:31:05+02:00"',
        '"2026-11-22T24:00:00Z"',
        '"2026-11-22T07:31:05.1234567Z"',
    ),
    *("null", "true", "NaN", ",", ":", "{", "}", "[", "]", " ", "\n", "\\", "\x00"),
)


def test_our_own_spelling_is_read_in_one_look() -> None:
    assert read_plainly(PLAIN.encode()) == read_in_full(PLAIN.encode())


def test_whatever_is_read_in_one_look_is_read_alike_in_full() -> None:
    tokens = _TOKEN.findall(PLAIN)
    for at, odd, gone in itertools.product(range(len(tokens)), _ODD, (0, 1)):
        body = "".join([*tokens[:at], odd, *tokens[at + gone :]]).encode()
        plain = read_plainly(body)
        assert plain is None or plain == read_in_full(body), body


@given(st.data())
def test_that_holds_for_several_changes_at_once(data: st.DataObject) -> None:
    tokens = _TOKEN.findall(PLAIN)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(tokens) - 1))
        tokens[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(st.sampled_from(_ODD), max_size=2))
    body = "".join(tokens).encode()
    plain = read_plainly(body)
    assert plain is None or plain == read_in_full(body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"flags":[]', '"flags":["beyond_range"]'),
        ('"spo2":93.50', '"spo2":"LO"'),
        ('"model":"Nonin 3230"', '"model":"Ånund"'),
        ("05.25Z", "05+01:00"),
        ('"offset_s":-3', '"offset_s": -3'),
    ],
)
def test_other_spellings_are_read_all_the_same(old: str, new: str) -> None:
    body = PLAIN.replace(old, new).encode()
    assert body != PLAIN.encode()
    assert read_plainly(body) is None
    assert parse_reading(body) == read_in_full(body)


def test_one_name_twice_counts_once_and_a_flood_of_names_is_left_alone() -> None:
    twice = PLAIN.replace('"pulse":88', '"pulse":1,"pulse":88').encode()
    assert read_plainly(twice) == read_in_full(twice) == parse_reading(PLAIN.encode())
    flood = PLAIN.replace('"pulse":88', ",".join(['"pulse":88'] * 2_000)).encode()
    assert len(flood) > BODY_BYTES_MAX
    assert read_plainly(flood) is None


def test_what_is_read_in_one_look_can_be_glimpsed_under_its_seal() -> None:
    read = read_plainly(PLAIN.encode())
    assert read is not None
    assert glimpse(seal(b"k" * 32, "varde/v1/gw-1/readings", PLAIN.encode())) == (read.id, read.device)
    for other in (PLAIN.replace(":", ": "), PLAIN[1:], "", "\n"):
        assert glimpse(seal(b"k" * 32, "varde/v1/gw-1/readings", other.encode())) is None
    assert glimpse(b"\n" + PLAIN.encode()[:50]) is None
