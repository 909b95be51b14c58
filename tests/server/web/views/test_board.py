"""The order of the list, how much waits in it, and that a place in it can be written down and found again."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web.views.board import Board, Urgency, board, place
from server.web.views.groups import PRIORITY_ORDER, grouped, waits
from tests.server.web.views.standings import Open, gathered

NOW = datetime(2026, 11, 22, 6, 40, tzinfo=UTC)


def alert(name: str, patient: str, priority: str, minutes: int, **changed: Any) -> Open:
    made = Open(
        patient_id=patient,
        raised_at=NOW - timedelta(minutes=minutes),
        id=name,
        rule="spo2_low",
        state="active",
        priority=priority,
        pace=0,
        snoozed_until=None,
        owner=None,
        condition=True,
    )
    return replace(made, **changed)


def order(*alerts: Open) -> list[str]:
    return [row.patient for row in board_of(alerts).rows]


def board_of(alerts: Iterable[Open]) -> Board:
    return board(gathered(alerts, NOW))


def test_priority_goes_before_pace_and_pace_before_waiting() -> None:
    rows = [alert("1", "ada", "medium", 900, pace=2), alert("2", "bo", "high", 60), alert("3", "cora", "high", 1)]
    assert order(*rows) == ["bo", "cora", "ada"]
    rows[2] = replace(rows[2], pace=1)
    assert order(*rows) == ["cora", "bo", "ada"]


def test_the_longest_wait_counts_beside_the_fastest_pace_of_the_highest_priority() -> None:
    rows = [
        alert("1", "ada", "high", 5, pace=1),
        alert("2", "ada", "high", 50),
        alert("3", "ada", "low", 500, pace=2),
    ]
    (row,) = board_of(rows).rows
    assert (row.urgency.priority, row.urgency.pace, row.urgency.waited_since) == (
        "high",
        1,
        NOW - timedelta(minutes=50),
    )


def test_what_somebody_has_does_not_lift_the_rest_of_the_patients_alerts() -> None:
    rows = [
        alert("taken", "ada", "critical", 5, state="acknowledged", owner="anna"),
        alert("open", "ada", "low", 300),
        alert("other", "bo", "high", 10),
    ]
    assert order(*rows) == ["bo", "ada"]
    assert board_of(rows).urgent == 1


def test_a_patient_whose_every_alert_is_taken_stands_below() -> None:
    taken = alert("1", "ada", "critical", 5, state="acknowledged", owner="anna")
    later = alert("2", "bo", "medium", 5, snoozed_until=NOW + timedelta(hours=1))
    assert order(taken, later, alert("3", "cora", "low", 1)) == ["cora", "ada", "bo"]
    found = board_of([taken])
    assert (found.waiting, found.urgent, found.rows[0].urgency.is_taken) == (0, 0, True)


_ALERTS = st.lists(
    st.builds(
        alert,
        st.uuids().map(str),
        st.sampled_from(("ada", "bo", "cora")),
        st.sampled_from((*PRIORITY_ORDER, "new")),
        st.integers(0, 200),
        rule=st.sampled_from(("spo2_low", "pulse_high", "quarantined")),
        state=st.sampled_from(("active", "acknowledged", "cleared")),
        pace=st.integers(0, 2),
        snoozed_until=st.none() | st.integers(-60, 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    ),
    max_size=25,
)


@given(_ALERTS)
def test_what_waits_is_counted_as_it_is_grouped(alerts: list[Open]) -> None:
    wanted = sum(any(waits(each, NOW) for each in group) for group in grouped(alerts))
    found = board_of(alerts)
    assert found.waiting == wanted
    assert len(found.rows) == len({each.patient_id for each in alerts})
    assert [row.urgency for row in found.rows] == sorted(row.urgency for row in found.rows)


@given(_ALERTS)
def test_a_place_can_be_written_down_and_found_again(alerts: list[Open]) -> None:
    for row in board_of(alerts).rows:
        assert place(str(row.urgency)) == row.urgency
        assert row.patient not in str(row.urgency).split(".")


@pytest.mark.parametrize("text", [None, "", "0.1", "a.b.c.d.e", "0.1.2.3.4.5", "0." * 200, "1.5.2.x.y"])
def test_what_we_did_not_write_is_no_place(text: str | None) -> None:
    assert place(text) is None


def test_a_place_sorts_as_the_list_does() -> None:
    waiting, taken = Urgency(False, 3, 2, 9, "b"), Urgency(True, 0, 0, 1, "a")
    assert waiting < taken
