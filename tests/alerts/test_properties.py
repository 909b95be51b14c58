"""What holds for every patient: the heart's promises, tried on made-up ones."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import memory
from alerts.engine import step
from alerts.replay import Replay
from alerts.view import PatientView
from tests.alerts.watched import Asked, Watched, tell
from tests.alerts.worlds import CI_EXAMPLES, EXAMPLES, MINUTE, World, worlds

WHOLE = settings.default.max_examples > CI_EXAMPLES  # in the deep search every minute is asked, else those of an hour


@EXAMPLES
@given(worlds(), st.integers(0, 100), st.integers(1, 59))
def test_event_to_event_is_minute_by_minute(world: World, first: int, second: int):
    sparse, dense = tell(world), tell(world, asked_also=tuple(_minutes(world, first, second)))
    assert dense.facts == sparse.facts
    assert dense.alerts == sparse.alerts
    assert dense.memory == sparse.memory
    assert dense.zone == sparse.zone


def _minutes(world: World, first: int, second: int) -> Iterator[datetime]:
    """Every minute of an hour of the world, and moments between the minutes in all of it."""
    minutes = (world.end - world.start) // MINUTE
    for at in range(minutes) if WHOLE else range(first, min(first + 60, minutes)):
        yield world.start + at * MINUTE
    for at in range(first % 17, minutes, 17):
        yield world.start + at * MINUTE + timedelta(seconds=second)


@EXAMPLES
@given(worlds())
def test_asking_twice_changes_nothing(world: World):
    def ask_again(replay: Watched, asked: Asked) -> None:
        before = (replay.alerts, replay.memory, replay.zone, len(replay.facts))
        Replay.arrive(replay, (), asked.at)
        assert (replay.alerts, replay.memory, replay.zone, len(replay.facts)) == before
        if replay.wake_at is not None:  # a deadline that the first time took away was perhaps still looked at
            assert asked.wake_at is not None
            assert asked.wake_at <= replay.wake_at

    tell(world, watch=ask_again)


@EXAMPLES
@given(worlds(), st.integers(0, 1 << 32))
def test_order_within_a_batch_and_repeats_change_nothing(world: World, seed: int):
    plain = tell(world)
    repeats = [replace(each, received_at=each.received_at + 40 * MINUTE) for each in world.readings[:5]]
    mixed = [*world.readings, *repeats]
    random.Random(seed).shuffle(mixed)
    again = tell(world, readings=mixed)
    assert again.facts == plain.facts
    assert again.alerts == plain.alerts
    assert again.memory == plain.memory


@EXAMPLES
@given(worlds(changes=False), st.integers(0, 1 << 32))
def test_what_rules_say_does_not_depend_on_the_order_of_arrival(world: World, seed: int):
    """After the last click, late readings come in two orders; those in time set deadlines, and come when they did."""
    clicked_until = max((each.at for each in world.clicks), default=world.start)
    chance = random.Random(seed)

    def later(span: int) -> datetime:
        return min(clicked_until + timedelta(minutes=1 + chance.randrange(span)), world.end)

    first, second = [], []
    for each in world.readings:
        if each.received_at > clicked_until and each.received_at - each.taken_at > 15 * MINUTE:
            at = later(30), later(30)
            late = [moment for moment in at if moment - each.taken_at > 15 * MINUTE]
            first.append(replace(each, received_at=at[0]) if len(late) == 2 else each)
            second.append(replace(each, received_at=at[1]) if len(late) == 2 else each)
        else:
            first.append(each)
            second.append(each)
    one, other = tell(world, readings=first), tell(world, readings=second)
    assert _from_readings(one) == _from_readings(other)
    if not world.clicks:
        assert one.zone == other.zone


_OF_ARRIVAL = frozenset({"received_at", "late", "late_at", "judged"})


def _from_readings(replay: Replay) -> object:
    """What memory knows from readings, without when they arrived."""
    assert replay.memory is not None
    known = json.loads(memory.dump(replay.memory))
    return _without(_OF_ARRIVAL, {name: known.get(name) for name in ("anchor", "tail")})


def _without(names: frozenset[str], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(names, each) for name, each in value.items() if name not in names}
    return [_without(names, each) for each in value] if isinstance(value, list) else value


@EXAMPLES
@given(worlds(), st.integers(0, 260))
def test_memory_carried_forward_is_memory_rebuilt(world: World, minutes: int):
    replay = tell(world, until=(moment := min(world.start + minutes * MINUTE, world.end)))
    assert replay.memory is not None
    view = PatientView(
        patient=replay.patient,
        plan=replay.plan,
        memory=replay.memory,
        arrivals=tuple(replay.stored.values()),
        complete=True,
        alerts=replay.alerts,
    )
    rebuilt = step(view, moment)
    assert rebuilt.facts == ()
    assert rebuilt.memory == replace(replay.memory, stale=False)
    assert tuple(each for each in rebuilt.alerts if each.is_open) == replay.alerts
