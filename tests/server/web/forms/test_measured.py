"""What people type in as measured: read strictly, never guessed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web.forms.measured import (
    AHEAD,
    BOTH,
    BY_HAND,
    CAT,
    NO_TIME,
    NOT_A_NUMBER,
    NOTHING,
    UNLIKELY,
    WHICH_DAY,
    read,
)
from vitals.reading import Extreme

NOW = datetime(2026, 11, 22, 6, 40, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")


def reading(**typed: str) -> tuple[dict[str, object], dict[str, str]]:
    found = read(typed, BY_HAND, OSLO, NOW)
    return dict(found.values), dict(found.wrong)


def test_a_comma_and_a_point_are_the_same() -> None:
    assert reading(temperature="37,5")[0] == reading(temperature=" 37.5 ")[0] == {"temperature": Decimal("37.5")}


@pytest.mark.parametrize(
    "text", ["abc", "-5", "1e3", "37,5,1", "37 5", "１２", "0x10", "NaN", "99999", "5 mmol", "<b>6</b>", "6.123"]
)
def test_what_is_no_plain_number_is_not_read(text: str) -> None:
    assert reading(weight=text) == ({}, {"weight": NOT_A_NUMBER})


def test_a_value_that_nobody_has_is_asked_about_and_then_taken() -> None:
    assert reading(glucose="126") == ({}, {"glucose": UNLIKELY})  # mg/dL is not guessed
    assert reading(glucose="126", is_right="yes") == ({"glucose": Decimal(126)}, {})
    assert reading(cat="41", is_right="yes") == ({}, {"cat": CAT})


def test_a_glucose_meter_may_say_that_it_is_too_low() -> None:
    assert reading(glucose="Lo")[0] == {"glucose": Extreme.LO}
    assert reading(spo2="Lo")[1] == {"spo2": NOT_A_NUMBER}


def test_blood_pressure_is_two_numbers() -> None:
    assert reading(systolic="140")[1] == {"diastolic": BOTH}
    assert reading(diastolic="80")[1] == {"systolic": BOTH}
    assert reading(systolic="140", diastolic="80")[1] == {}
    alone = read({"systolic": "140"}, ("systolic", "pulse"), OSLO, NOW)  # a plan that hears one of them
    assert alone.wrong == {}


def test_nothing_at_all_is_said() -> None:
    assert reading() == ({}, {"form": NOTHING})


def test_when_it_was_measured() -> None:
    def taken(**typed: str) -> tuple[datetime, dict[str, str]]:
        found = read({"pulse": "70", **typed}, BY_HAND, OSLO, NOW)
        return found.taken_at, dict(found.wrong)

    assert taken() == (NOW, {})
    assert taken(when="today", clock="07:10") == (NOW - timedelta(minutes=30), {})
    assert taken(when="today", clock="7.10") == (NOW - timedelta(minutes=30), {})
    assert taken(when="yesterday", clock="23:40") == (NOW - timedelta(hours=8), {})
    assert taken(when="today", clock="09:00")[1] == {"clock": AHEAD}
    assert taken(when="today", clock="25:00")[1] == {"clock": NO_TIME}
    assert taken(when="today")[1] == {"clock": NO_TIME}
    assert taken(when="tomorrow")[1] == {"when": WHICH_DAY}


@given(st.dictionaries(st.sampled_from([*BY_HAND, "when", "clock", "is_right"]), st.text(max_size=20)))
def test_whatever_is_typed_gives_values_or_messages(typed: dict[str, str]) -> None:
    found = read(typed, BY_HAND, OSLO, NOW)
    assert found.values or found.wrong
    assert found.taken_at <= NOW
