"""What holds for every patient: the heart's promises, tried on made-up ones."""

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import memory
from alerts.alert import from_mapping, to_mapping
from alerts.engine import step
from alerts.memory import Memory
from alerts.replay import Replay, Timed
from alerts.view import PatientView
from tests.alerts.worlds import HOURS, MINUTE, START, arrivals, clicks, commands, plans, told

EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
END = START + timedelta(hours=HOURS)


@EXAMPLES
@given(plans(), arrivals(), commands())
def test_event_to_event_is_minute_by_minute(plan, readings, asked):
    sparse = told(plan, readings, clicks(asked))
    every_minute = [Timed(at=START + minute * MINUTE, do=lambda _: None) for minute in range(HOURS * 60)]
    dense = told(plan, readings, [*clicks(asked), *every_minute])
    assert dense.facts == sparse.facts
    assert dense.alerts == sparse.alerts
    assert dense.memory == sparse.memory


@EXAMPLES
@given(plans(), arrivals(), commands())
def test_asking_twice_changes_nothing(plan, readings, asked):
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

    moments = [Timed(at=each.received_at, do=lambda _: None) for each in readings]
    told(plan, readings, [at(each) for each in (*clicks(asked), *moments)])


@EXAMPLES
@given(plans(), arrivals(), commands(), st.randoms(use_true_random=False))
def test_order_within_a_batch_and_repeats_change_nothing(plan, readings, asked, chance: random.Random):
    plain = told(plan, readings, clicks(asked))
    mixed = [*readings, *(replace(each, received_at=each.received_at + 40 * MINUTE) for each in readings[:5])]
    chance.shuffle(mixed)
    again = told(plan, tuple(mixed), clicks(asked))
    assert again.facts == plain.facts
    assert again.alerts == plain.alerts


@EXAMPLES
@given(plans(), arrivals(st.integers(16, 85)), st.lists(st.integers(16, 85), min_size=14, max_size=14))
def test_what_rules_say_does_not_depend_on_the_order_of_arrival(plan, readings, delays):
    other = tuple(
        replace(each, received_at=each.taken_at + delay * MINUTE) for each, delay in zip(readings, delays, strict=False)
    )
    first, second = told(plan, readings, []), told(plan, other, [])
    assert _said(first) == _said(second)


def _said(replay: Replay) -> object:
    assert replay.memory is not None
    history = replay.memory.anchor
    return (
        replay.zone,
        [each.reading_id for each in replay.memory.tail],
        {name: [band.clear for band in getattr(state, "bands", ())] for name, state in history.states.items()},
        {name: (getattr(state, "row", 0), getattr(state, "began_at", None)) for name, state in history.states.items()},
        history.baselines,
        history.metrics,
        [each.reading_id for each in history.quarantine],
    )


@EXAMPLES
@given(plans(), arrivals(), commands())
def test_memory_carried_forward_is_memory_rebuilt(plan, readings, asked):
    replay = told(plan, readings, clicks(asked))
    view = PatientView(
        patient=replay.patient,
        plan=plan,
        memory=replay.memory,
        arrivals=tuple(replay.stored.values()),
        complete=True,
        alerts=replay.alerts,
    )
    rebuilt = step(view, END)
    assert rebuilt.facts == ()
    assert rebuilt.memory == replace(replay.memory, stale=False)
    assert tuple(each for each in rebuilt.alerts if each.is_open) == replay.alerts


@EXAMPLES
@given(plans(), arrivals(), commands())
def test_memory_and_alerts_survive_their_text(plan, readings, asked):
    replay = told(plan, readings, clicks(asked))
    assert isinstance(replay.memory, Memory)
    text = memory.dump(replay.memory)
    assert memory.load(text) == replay.memory
    assert memory.dump(memory.load(text)) == text
    for each in replay.alerts:
        assert from_mapping(to_mapping(each)) == each
