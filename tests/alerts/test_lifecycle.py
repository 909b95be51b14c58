"""Walk the machine, then try every illegal step and check that nothing moved."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from alerts import diagram
from alerts.alert import Alert, Dispatch, State
from alerts.command import Action, IllegalSignal
from alerts.lifecycle import TABLE, Signal, after, buttons, is_legal, opening
from alerts.priority import Priority

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
ALERT = Alert(
    id="a",
    patient="p",
    rule="spo2_low",
    state=State.ACTIVE,
    priority=Priority.HIGH,
    highest=Priority.HIGH,
    condition=True,
    opened_at=AT,
    raised_at=AT,
    why={},
)
# Alerts of every sort that a guard can tell apart.
SORTS = tuple(
    replace(
        ALERT,
        priority=priority,
        highest=priority,
        condition=condition,
        waiting=waiting,
        dispatch=dispatch,
        needs_outcome=needs,
    )
    for priority, condition, waiting, dispatch, needs in product(
        (Priority.LOW, Priority.CRITICAL),
        (True, False),
        (True, False),
        (None, Dispatch.SENT, Dispatch.ACCEPTED),
        (None, True, False),
    )
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.start}-{row.signal.value}-{row.end}")
def test_every_row_can_be_walked(row):
    fitting = [each for each in SORTS if row.guard.holds(each)]
    assert fitting
    for each in fitting:
        if row.start is None:
            assert opening(row.signal, each) is row.end
        else:
            assert after(replace(each, state=row.start), row.signal) is row.end


@pytest.mark.parametrize("start", State)
@pytest.mark.parametrize("signal", Signal)
def test_every_signal_without_a_row_is_refused(start, signal):
    rows = [row for row in TABLE if (row.start, row.signal) == (start, signal)]
    for each in SORTS:
        alert = replace(each, state=start)
        fitting = [row for row in rows if row.guard.holds(alert)]
        assert len(fitting) <= 1, "two rows would both apply"
        assert is_legal(alert, signal) is bool(fitting)
        if not fitting:
            before = replace(alert)
            with pytest.raises(IllegalSignal, match=alert.rule):
                after(alert, signal)
            assert alert == before


def test_a_pending_alert_accepts_no_click():
    assert all(buttons(replace(each, state=State.PENDING)) == () for each in SORTS)


@pytest.mark.parametrize("state", [State.RESOLVED, State.WITHDRAWN])
def test_ends_are_ends(state):
    assert not [row for row in TABLE if row.start is state]


def test_buttons_are_the_legal_clicks():
    assert buttons(ALERT) == (Action.ACKNOWLEDGE, Action.RESOLVE)
    assert Action.SNOOZE in buttons(replace(ALERT, priority=Priority.MEDIUM))
    kept = replace(ALERT, state=State.ACKNOWLEDGED)
    assert Action.DISPATCH in buttons(kept)
    assert Action.DISPATCH_ACCEPT in buttons(replace(kept, dispatch=Dispatch.SENT))


@pytest.mark.parametrize("highest", [Priority.MEDIUM, Priority.HIGH, Priority.CRITICAL])
def test_no_signal_of_time_or_readings_resolves_what_needs_a_person(highest):
    by_people = {action.value for action in Action}
    for state, signal in product(State, Signal):
        alert = replace(ALERT, state=state, highest=highest)
        if signal.value not in by_people and is_legal(alert, signal):
            assert after(alert, signal) is not State.RESOLVED


def test_the_picture_has_every_row_and_the_page_is_current():
    picture = diagram.mermaid()
    for row in TABLE:
        assert f"--> {row.end.value}: {row.signal.value}" in picture
    page = Path(__file__).parents[2] / "docs" / "lifecycle.md"
    assert page.read_text() == diagram.page(), "run: python -m alerts diagram > docs/lifecycle.md"
