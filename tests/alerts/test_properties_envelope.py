"""Inside the quiet envelope nothing happens; and whoever does not ask about what lies inside misses nothing."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.arrival import Arrival
from alerts.command import Command
from alerts.envelope import Envelope, are_quiet, dump, envelope, load
from alerts.memory import Memory
from alerts.replay import Replay
from alerts.view import Step
from tests.alerts import made_up
from tests.alerts.watched import Asked, Watched, tell
from tests.alerts.worlds import EXAMPLES, MINUTE, Tape, World, read, worlds
from vitals.frozen import changed
from vitals.metrics import METRICS

_TICK = timedelta(microseconds=1)
_HALF = {0: "0.4", 1: "0.04"}  # what rounding takes away again


def _envelope(replay: Replay, at: datetime) -> Envelope | None:
    assert replay.memory is not None
    done = Step(
        alerts=replay.alerts,
        facts=(),
        memory=replay.memory,
        zone=replay.zone,
        wake_at=replay.wake_at,
        outlook=replay.outlook,
    )
    return envelope(replay.plan, done, at)


@EXAMPLES
@given(worlds(), st.integers(0, 1 << 32))
def test_inside_the_envelope_a_reading_changes_nothing(world: World, seed: int):
    """At some step of the world, readings at the very ends of the spans, each asked about as it arrives."""
    chance = random.Random(seed)

    def try_some(replay: Watched, asked: Asked) -> None:
        if asked.refused or chance.randrange(3) or (found := _envelope(replay, asked.at)) is None:
            return
        made = load(dump(found) or "")
        assert made == found
        copy = _copy_of(replay)
        before = _public(copy)
        for each in _inside(made, asked.at, chance):
            assert made.holds(each)
            copy.arrive([each], max(each.received_at, asked.at))
            assert _public(copy) == before, f"{each} within {made}"

    tell(world, watch=try_some)


def _copy_of(replay: Replay) -> Replay:
    return Replay(
        plan=replay.plan,
        patient=replay.patient,
        memory=replay.memory,
        alerts=replay.alerts,
        zone=replay.zone,
        wake_at=replay.wake_at,
        outlook=replay.outlook,
        stored=dict(replay.stored),
    )


def _public(replay: Replay) -> object:
    assert replay.memory is not None
    said = changed(replay.memory, anchor=None, tail=(), stale=False, ahead={})
    return replay.facts, replay.alerts, replay.zone, said


def _inside(made: Envelope, now: datetime, chance: random.Random) -> Iterator[Arrival]:
    """Up to a dozen readings, of one metric or of all of them, at the ends of values and of time or between."""
    metrics = sorted(made.spans)
    for number in range(chance.randrange(1, 13)):
        chosen = metrics if chance.randrange(2) else [chance.choice(metrics)]
        after = max(made.spans[each].after for each in chosen)
        until = min(made.spans[each].until for each in chosen)
        earliest = max(after + _TICK, now - 15 * MINUTE)
        if until - _TICK < max(earliest, now):
            continue
        span = until - _TICK - earliest
        taken_at = earliest + chance.choice((timedelta(0), span, span * chance.random()))
        received_at = min(
            max(taken_at, now) + chance.choice((0, 1, 15)) * MINUTE, until - _TICK, taken_at + 15 * MINUTE
        )
        values = {each: _value(made, each, chance) for each in chosen}
        reading = Arrival(reading_id=f"q{number}", taken_at=taken_at, received_at=received_at, values=values)
        if received_at >= now and made.holds(reading):
            yield reading


def _value(made: Envelope, metric: str, chance: random.Random) -> object:
    span, decimals = made.spans[metric], METRICS[metric].decimals
    low, high = max(span.low, -1000), min(span.high, 1000)
    steps = int((high - low) / METRICS[metric].step)
    value = low + METRICS[metric].step * chance.choice((0, steps, steps, chance.randrange(steps + 1)))
    return value + type(value)(_HALF[decimals]) if chance.randrange(4) == 0 else value


@dataclass(slots=True, kw_only=True)
class Postponed(Watched):
    """A replay that is not asked about what is quiet, as the server is not."""

    envelope: Envelope | None = None
    waiting: list[str] = field(default_factory=list)  # stored, and not shown to the rules yet
    quiet: int = 0

    def arrive(self, arrivals: Sequence[Arrival], at: datetime) -> None:
        new = list({each.reading_id: each for each in arrivals if each.reading_id not in self.stored}.values())
        if new and self._is_early(at) and are_quiet(self.envelope, new):
            for each in new:
                self.stored[each.reading_id] = changed(each, judged=True)
                self.waiting.append(each.reading_id)
            self.quiet += len(new)
            return
        waited = [self.stored.pop(each) for each in self.waiting]
        self.waiting = []
        Replay.arrive(self, [*waited, *new], at)
        self.envelope = _envelope(self, at)

    def click(self, command: Command, at: datetime) -> str | None:
        self.arrive((), at)
        refusal = Replay.click(self, command, at)
        self.envelope = _envelope(self, at)
        return refusal

    def _is_early(self, at: datetime) -> bool:
        return self.wake_at is not None and at < self.wake_at


@EXAMPLES
@given(worlds(), st.integers(0, 1 << 32))
def test_what_is_quiet_may_wait_for_the_next_question(world: World, seed: int):
    """The same facts at the same moments, alerts, zone and memory, whether quiet readings are asked about or not."""
    crowded = replace(world, readings=(*world.readings, *_usual(world, random.Random(seed))))
    asked, postponed = tell(crowded), tell(crowded, kind=Postponed)
    asked.arrive((), world.end)
    postponed.arrive((), world.end)
    assert postponed.facts == asked.facts
    assert postponed.alerts == asked.alerts
    assert postponed.zone == asked.zone
    assert _known(postponed.memory) == _known(asked.memory)


def _known(memory: Memory | None) -> object:
    return None if memory is None else changed(memory, stale=False)


def _usual(world: World, chance: random.Random) -> Iterator[Arrival]:
    """What somebody who is well measures every few minutes."""
    book = next(each for each in made_up.BOOKS if each.name == world.book)
    at = world.start + chance.randrange(30) * MINUTE
    for number in range(12):
        at += chance.choice((1, 3, 7, 11)) * MINUTE
        act = book.acts[chance.randrange(len(book.acts))]
        values = {metric: book.usual(metric) for metric in act}
        late = chance.choice((0, 0, 0, 2, 15))
        if at + late * MINUTE < world.end:
            yield Arrival(reading_id=f"u{number}", taken_at=at, received_at=at + late * MINUTE, values=values)


def test_a_well_patient_has_an_envelope_for_what_he_measures():
    """Of the properties nothing would be left if nobody had one."""
    quiet = seen = 0
    for book in made_up.BOOKS:
        for seed in range(5):
            found = _well(book, seed)
            quiet, seen = quiet + found[0], seen + found[1]
    assert quiet > seen / 4  # the first of each metric is never quiet, nor are those of which the first level is made


def _well(book: made_up.Book, seed: int) -> tuple[int, int]:
    world = replace(read(Tape(bytes([made_up.BOOKS.index(book)]))), readings=(), clicks=(), changes=())
    readings = tuple(_usual(world, random.Random(seed)))
    told = tell(replace(world, readings=readings), kind=Postponed)
    assert isinstance(told, Postponed)
    return told.quiet, len(readings)
