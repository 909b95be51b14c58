"""Quick values are frozen dataclasses like any other, and `changed` is `dataclasses.replace`."""

from dataclasses import FrozenInstanceError, dataclass, field, replace
from datetime import date

import pytest

from alerts.history import BandState, History, MissingState
from alerts.memory import Memory
from vitals.frozen import changed, quick


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
    with pytest.raises(AttributeError):
        changed(BandState(), colour="red")


@quick
@dataclass(frozen=True, slots=True)
class Made:
    one: int
    two: tuple[int, ...] = ()
    three: dict[str, int] = field(default_factory=dict, kw_only=True)


def test_a_quick_value_takes_what_a_plain_one_takes():
    assert repr(Made(1, (2,), three={"a": 3})) == "Made(one=1, two=(2,), three={'a': 3})"
    assert Made(1) == Made(one=1, two=(), three={})
    assert Made(1).three is not Made(1).three
    for wrong in ({}, {"one": 1, "four": 4}):
        with pytest.raises(TypeError):
            Made(**wrong)
    with pytest.raises(TypeError):
        Made(1, (), {})


def test_a_quick_value_is_locked_like_a_plain_one():
    for value in (Made(1), changed(Made(1), one=2)):
        assert type(value) is Made
        with pytest.raises(FrozenInstanceError):
            value.one = 3


def test_what_computes_something_when_made_is_refused():
    class Computing:
        def __post_init__(self):
            """Something."""

    with pytest.raises(TypeError, match="computes something"):
        quick(Computing)
