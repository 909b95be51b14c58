"""`changed` is `dataclasses.replace`, only quicker."""

from dataclasses import replace
from datetime import date

import pytest

from alerts.changed import changed
from alerts.history import BandState, History, MissingState
from alerts.memory import Memory


def test_it_makes_what_replace_makes():
    state = MissingState(day=date(2026, 3, 2), slot=1, row=2)
    assert changed(state, slot=2, cause="device") == replace(state, slot=2, cause="device")
    memory = Memory(plan_key="a", anchor=History())
    assert changed(memory, plan_key="b") == replace(memory, plan_key="b")
    assert hash(changed(BandState(clear=1), clear=2)) == hash(BandState(clear=2))


def test_the_value_itself_stays():
    state = BandState(clear=1)
    assert changed(state, clear=2).clear == 2
    assert state.clear == 1
    assert changed(state) == state


def test_a_name_that_is_no_field_is_refused():
    with pytest.raises(KeyError):
        changed(BandState(), colour="red")
