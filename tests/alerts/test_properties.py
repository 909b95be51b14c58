"""What holds for every patient: the heart's promises, tried on made-up ones."""

import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import memory
from alerts.alert import from_mapping, to_mapping
from alerts.engine import step
from alerts.history import MissingState, RuleState, spell_of
from alerts.memory import Memory
from alerts.replay import Replay, Timed
from alerts.view import PatientView
from tests.alerts.worlds import MINUTE, START, World, worlds

EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@EXAMPLES
@given(worlds())
def test_event_to_event_is_minute_by_minute(world: World):
    sparse = world.told()
    every_tick = [Timed(at=START + tick * world.scale.tick, do=lambda _: None) for tick in range(world.scale.ticks)]
    dense = world.told([*world.clicks, *every_tick])
    assert dense.facts == sparse.facts
    assert dense.alerts == sparse.alerts
    assert dense.memory == sparse.memory


@EXAMPLES
@given(worlds())
def test_asking_twice_changes_nothing(world: World):
    def ask_again(replay: Replay) -> None:
        before = (replay.alerts, replay.memory, replay.zone, replay.wake_at, tuple(replay.facts))
        replay.arrive((), moment[0])
        assert (replay.alerts, replay.memory, replay.zone, replay.wake_at, tuple(replay.facts)) == before

    moment = [START]

    def at(event: Timed) -> Timed:
        def do(replay: Replay) -> None:
            moment[0] = event.at
            event.do(replay)
            ask_again(replay)

        return Timed(at=event.at, do=do)

    moments = [Timed(at=each.received_at, do=lambda _: None) for each in world.readings]
    world.told([at(each) for each in (*world.clicks, *moments)])


@EXAMPLES
@given(worlds(), st.randoms(use_true_random=False))
def test_order_within_a_batch_and_repeats_change_nothing(world: World, chance: random.Random):
    plain = world.told()
    repeats = (replace(each, received_at=each.received_at + 40 * MINUTE) for each in world.readings[:5])
    mixed = [*world.readings, *repeats]
    chance.shuffle(mixed)
    again = world.told(readings=tuple(mixed))
    assert again.facts == plain.facts
    assert again.alerts == plain.alerts


@EXAMPLES
@given(worlds(delays=st.integers(16, 85), clicked=False), st.lists(st.integers(16, 4000), min_size=30, max_size=30))
def test_what_rules_say_does_not_depend_on_the_order_of_arrival(world: World, delays: list[int]):
    ends = world.scale.end
    other = tuple(
        replace(each, received_at=min(each.taken_at + delay * MINUTE, ends))
        for each, delay in zip(world.readings, delays, strict=False)
    )
    first, second = world.told(), world.told(readings=other)
    assert _said(first) == _said(second)


def _said(replay: Replay) -> object:
    assert replay.memory is not None
    history = replay.memory.anchor
    return (
        replay.zone,
        [each.reading_id for each in replay.memory.tail],
        {name: _condition(state) for name, state in history.states.items()},
        history.baselines,
        history.metrics,
        [each.reading_id for each in history.quarantine],
    )


def _condition(state: RuleState) -> object:
    """What a state says of its condition, without when its readings arrived."""
    if isinstance(state, MissingState):
        return (state.row, state.began_at)
    known = spell_of(state)
    assert known is not None
    counted = (getattr(state, "cusum", None), getattr(state, "first_day", None), getattr(state, "answer", None))
    days = [(each.day, each.value) for each in getattr(state, "days", ())]
    return (known.began_at, known.highest, [band.clear for band in known.bands], counted, days)


@EXAMPLES
@given(worlds())
def test_memory_carried_forward_is_memory_rebuilt(world: World):
    replay = world.told()
    assert replay.memory is not None
    view = PatientView(
        patient=replay.patient,
        plan=world.plan,
        memory=replay.memory,
        arrivals=tuple(replay.stored.values()),
        complete=True,
        alerts=replay.alerts,
    )
    rebuilt = step(view, world.scale.end)
    assert rebuilt.facts == ()
    assert rebuilt.memory == replace(replay.memory, stale=False)
    assert tuple(each for each in rebuilt.alerts if each.is_open) == replay.alerts


@EXAMPLES
@given(worlds())
def test_memory_and_alerts_survive_their_text(world: World):
    replay = world.told()
    assert isinstance(replay.memory, Memory)
    text = memory.dump(replay.memory)
    assert memory.load(text) == replay.memory
    assert memory.dump(memory.load(text)) == text
    for each in replay.alerts:
        assert from_mapping(to_mapping(each)) == each
