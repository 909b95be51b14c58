from datetime import datetime
from decimal import Decimal

import pytest

from gateway.profiles import CLOCK_NOT_SET, DecodeError, Special, decode
from gateway.profiles.glucose import ALL_RECORDS, AccessResponse, access_response, records_from
from vitals.reading import Quality

# Record 7 of 2026-08-22 09:48, mol per litre.
HEAD, VALUE = "07 00 ea 07 08 16 09 30 00", "37 c0 11"


def record(flags: int, *parts: str):
    return decode("2A18", bytes((flags,)) + bytes.fromhex(" ".join(parts)))


@pytest.mark.parametrize(
    ("offset", "taken_at"),
    [
        ("3c 00", "2026-08-22T10:48:00"),  # the meter's owner has set its display an hour on: summer time
        ("c4 ff", "2026-08-22T08:48:00"),
        ("00 00", "2026-08-22T09:48:00"),
    ],
)
def test_the_time_is_what_the_display_showed(offset: str, taken_at: str) -> None:
    assert record(0x07, HEAD, offset, VALUE).taken_at == datetime.fromisoformat(taken_at)


@pytest.mark.parametrize("offset", ["ff 7f", "00 80"])
def test_an_offset_too_large_to_say_leaves_a_clock_that_cannot_be_believed(offset: str) -> None:
    decoded = record(0x07, HEAD, offset, VALUE)
    assert decoded.taken_at == datetime.fromisoformat("2026-08-22T09:48:00")
    assert CLOCK_NOT_SET in decoded.flags


def test_an_offset_out_of_the_calendar_is_refused() -> None:
    with pytest.raises(DecodeError, match="time offset: 60 minutes from 9999-12-31 23:59:00 is no date"):
        record(0x07, "07 00 0f 27 0c 1f 17 3b 00", "3c 00", VALUE)


@pytest.mark.parametrize("bit", range(16))
def test_every_status_bit_speaks_for_or_against_the_measurement(bit: int) -> None:
    decoded = record(0x0E, HEAD, VALUE, (1 << bit).to_bytes(2, "little").hex())
    assert decoded.quality is (Quality.GOOD if bit in (0, 5, 6, 11) else Quality.POOR)
    assert (CLOCK_NOT_SET in decoded.flags) is (bit == 11)


@pytest.mark.parametrize(("status", "word"), [("20 00", Special.PLUS_INFINITY), ("40 00", Special.MINUS_INFINITY)])
def test_beyond_what_the_meter_can_measure_no_number_beside_it_counts(status: str, word: Special) -> None:
    decoded = record(0x0E, HEAD, VALUE, status)
    assert decoded.metrics == {"glucose": None}
    assert decoded.special == {"glucose": word}


@pytest.mark.parametrize("kind", ["1a", "4a", "41"])
def test_control_solution_is_nobody(kind: str) -> None:
    assert record(0x06, HEAD, "37 c0", kind).no_measurement == "control_solution"


def test_a_record_without_a_value_is_no_measurement() -> None:
    assert record(0x00, HEAD).no_measurement == "no_value"


def test_units_are_as_the_flags_say() -> None:
    assert record(0x06, HEAD, VALUE).metrics == {"glucose": Decimal("5.5")}
    assert round(record(0x02, HEAD, "78 b0 f1").metrics["glucose"] or 0, 2) == Decimal("6.66")


def test_a_context_belongs_to_its_record() -> None:
    # Carbohydrate, meal, tester, exercise, medication, HbA1c, extended: every field that there is.
    frame = "df 07 00 00 01 1e b0 02 11 1e 00 32 01 0a b0 41 00"
    decoded = decode("2A34", bytes.fromhex(frame))
    assert (decoded.sequence, decoded.flags, decoded.no_measurement) == (7, ("after_meal", "context"), "context")


def test_what_is_asked_of_the_memory() -> None:
    assert bytes.fromhex("0101") == ALL_RECORDS
    assert records_from(0x0102) == bytes.fromhex("01 03 01 02 01")


@pytest.mark.parametrize(
    ("frame", "code", "done"), [("06000101", 1, True), ("06000106", 6, True), ("06000102", 2, False)]
)
def test_the_end_of_a_request(frame: str, code: int, done: bool) -> None:
    response = access_response(bytes.fromhex(frame))
    assert response == AccessResponse(request=1, code=code)
    assert response.done is done


@pytest.mark.parametrize("frame", ["", "060001", "0600010100", "05000101", "06010101"])
def test_what_ends_no_request_is_refused(frame: str) -> None:
    with pytest.raises(DecodeError):
        access_response(bytes.fromhex(frame))
