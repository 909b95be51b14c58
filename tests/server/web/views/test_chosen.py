"""What can be chosen, and that an address says it and nothing else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web.views.board import Row, Standing, Urgency
from server.web.views.chosen import CHOICES, Chosen, from_query, kind_of, page

NOW = datetime(2026, 11, 22, 6, 40, tzinfo=UTC)
HERE = Urgency(False, 1, 2, 1000, "alert")


@given(st.fixed_dictionaries({name: st.sampled_from(("", *words)) for name, words in CHOICES.items()}))
def test_an_address_says_what_was_chosen(asked: dict[str, str]) -> None:
    chosen = Chosen.read(asked)
    assert from_query(chosen.query(HERE).removeprefix("?")) == (chosen, HERE)
    assert chosen.is_all is not any(asked.values())


@given(st.text(max_size=300))
def test_whatever_stands_in_an_address_is_read_and_nothing_of_it_is_said_again(text: str) -> None:
    chosen, after = from_query(text)
    for word in chosen.query(after).removeprefix("?").split("&"):
        assert not word or word.split("=")[0] in (*CHOICES, "after")
    assert from_query("priority=<script>&zone=red")[0] == Chosen(zone="red")


def _row(patient: str, urgency: Urgency = HERE) -> Row:
    return Row(patient=patient, urgency=urgency, waiting=1)


def _alert(**changed: object) -> Standing:
    made = Standing("ada", NOW, "1", "spo2_low", "active", "high", 0, None, None, True)
    return made._replace(**changed)


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        (Chosen(), True),
        (Chosen(state="waiting"), True),
        (Chosen(state="taken"), False),
        (Chosen(priority="high"), True),
        (Chosen(priority="low"), False),
        (Chosen(kind="missing"), False),
        (Chosen(priority="high", kind="missing"), False),  # one alert must be both
        (Chosen(whose="mine"), True),
        (Chosen(whose="mine", priority="low"), False),
    ],
)
def test_a_patient_is_shown_for_one_alert_that_is_as_asked_for(chosen: Chosen, shown: bool) -> None:
    assert chosen.keeps(_row("ada"), [_alert(owner="anna")], "anna") is shown


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("spo2_low", "value"),
        ("weight_trend", "value"),
        ("missing_spo2", "missing"),
        ("symptom_red", "symptom"),
        ("cat_rise", "symptom"),
        ("quarantined", "unlikely"),
    ],
)
def test_what_an_alert_is_about(rule: str, kind: str) -> None:
    assert kind_of(rule) == kind


def test_pages_follow_each_other_without_a_gap_while_the_list_changes() -> None:
    rows = [_row(str(number), HERE._replace(since=number)) for number in range(7)]
    before, first = page(rows, None, 3)
    assert (before, [row.patient for row in first]) == (0, ["0", "1", "2"])
    last = list(first)[-1].urgency
    del rows[2]  # closed meanwhile: the place after it is still the same
    assert [row.patient for row in page(rows, last, 3)[1]] == ["3", "4", "5"]
    assert page(rows, rows[-1].urgency, 3) == (6, [])
