"""What can be chosen, and that an address says it and nothing else."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web.views.board import Row, Urgency
from server.web.views.chosen import CHOICES, Chosen, from_query, page

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


def _row(patient: str, since: int = 1000, **changed: Any) -> Row:
    moment = datetime(2026, 11, 22, 6, 40, 0, since, tzinfo=UTC)
    row = Row((122, f"12{moment:%Y-%m-%d %H:%M:%S.%f}!alert"), patient, 1, is_meant=True, condition=True)
    return row._replace(**changed)


def test_a_patient_is_shown_for_one_alert_that_is_as_asked_for() -> None:
    waiting, taken = _row("ada"), _row("bo", key=(222, "22"))
    assert [Chosen(state=word).keeps(waiting) for word in ("", "waiting", "taken")] == [True, True, False]
    assert [Chosen(state=word).keeps(taken) for word in ("", "waiting", "taken")] == [True, False, True]
    assert not Chosen(priority="low").keeps(_row("ada", is_meant=False))


@pytest.mark.parametrize(("word", "of_alerts"), [("whose", True), ("priority", True), ("kind", True), ("zone", False)])
def test_only_what_alerts_say_is_asked_of_alerts(word: str, of_alerts: bool) -> None:
    assert Chosen(**{word: CHOICES[word][0]}).is_of_alerts is of_alerts


def test_pages_follow_each_other_without_a_gap_while_the_list_changes() -> None:
    rows = [_row(str(number), number) for number in range(7)]
    before, first = page(rows, None, 3)
    assert (before, [row.patient for row in first]) == (0, ["0", "1", "2"])
    last = list(first)[-1].urgency
    del rows[2]  # closed meanwhile: the place after it is still the same
    assert [row.patient for row in page(rows, last, 3)[1]] == ["3", "4", "5"]
    assert page(rows, rows[-1].urgency, 3) == (6, [])
