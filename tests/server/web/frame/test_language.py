"""Times, spans and values as the reader writes them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from server.web.frame.language import Speech, choose
from vitals.reading import Extreme

NOW = datetime(2026, 11, 22, 6, 40, 12, tzinfo=UTC)


def speech(language: str = "nb") -> Speech:
    return Speech(language=language, zone=ZoneInfo("Europe/Oslo"), now=NOW)


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, None, "nb"),
        (None, "de-DE,de;q=0.9", "nb"),
        (None, "nn-NO,nn;q=0.9,nb;q=0.8", "nn"),
        (None, "no", "nb"),
        (None, "de,en-GB;q=0.8", "en"),
        ("nn", "en", "nn"),
        ("xx", "en", "en"),
        (None, "*;q=0.1,,;;", "nb"),
    ],
)
def test_the_language_is_what_was_chosen_then_what_is_wished(
    cookie: str | None, accepted: str | None, language: str
) -> None:
    assert choose(cookie, accepted) == language


@pytest.mark.parametrize(
    ("moment", "nb", "en"),
    [
        (datetime(2026, 11, 22, 6, 31, tzinfo=UTC), "kl. 07:31 i dag", "07:31 today"),
        (datetime(2026, 11, 21, 22, 59, tzinfo=UTC), "kl. 23:59 i går", "23:59 yesterday"),
        (datetime(2026, 11, 21, 23, 1, tzinfo=UTC), "kl. 00:01 i dag", "00:01 today"),
        (datetime(2026, 11, 3, 6, 0, tzinfo=UTC), "3. nov. kl. 07:00", "07:00 on 3 Nov"),
        (datetime(2025, 7, 3, 6, 0, tzinfo=UTC), "3. juli 2025 kl. 08:00", "08:00 on 3 Jul 2025"),
    ],
)
def test_a_moment_is_told_by_the_wall_clock_at_home(moment: datetime, nb: str, en: str) -> None:
    assert speech("nb").moment(moment) == nb
    assert speech("en").moment(moment) == en


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "under ett minutt"),
        (timedelta(seconds=59), "under ett minutt"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(minutes=60), "1 t"),
        (timedelta(minutes=125), "2 t 5 min"),
        (timedelta(hours=24), "1 d"),
        (timedelta(hours=76), "3 d 4 t"),
    ],
)
def test_a_span_is_as_long_as_it_needs_to_be(length: timedelta, text: str) -> None:
    assert speech().span(length) == text


def test_a_moment_that_is_still_to_come_counts_as_now() -> None:
    assert speech().since(NOW + timedelta(minutes=3)) == "under ett minutt"


@pytest.mark.parametrize(
    ("metric", "value", "nb", "en"),
    [
        ("spo2", Decimal(87), "87\xa0%", "87\xa0%"),
        ("spo2", "87.5", "88\xa0%", "88\xa0%"),
        ("weight", Decimal("82.45"), "82,5\xa0kg", "82.5\xa0kg"),
        ("glucose", Decimal(14), "14,0\xa0mmol/L", "14.0\xa0mmol/L"),
        ("systolic", Decimal(180), "180\xa0mmHg", "180\xa0mmHg"),
        ("temperature", Decimal("38.1"), "38,1\xa0°C", "38.1\xa0°C"),
        ("spo2", Extreme.LO, "for lav til å måles", "too low to measure"),
        ("symptom_red", Decimal(1), "ja", "yes"),
        ("cat", Decimal(21), "21", "21"),
        ("spo2", None, "–", "–"),
    ],
)
def test_a_value_is_written_as_a_nurse_writes_it(
    metric: str, value: Decimal | Extreme | str | None, nb: str, en: str
) -> None:
    assert speech("nb").value(metric, value) == nb
    assert speech("en").value(metric, value) == en


def test_a_word_that_nobody_has_translated_is_shown_all_the_same() -> None:
    assert speech().word("rule", "moon_phase_high") == "moon phase high"
