"""Made-up patients for the properties: a plan, readings that come in any order, and clicks, in a few sharp hours.

A world is read from a tape of bytes, one byte a choice, of which 0 is the plainest. Hypothesis makes and shrinks one
string of bytes far quicker than some hundred numbers. Values lie on and beside the limits of the rulebook, moments on
and beside the deadlines of the moments before them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from alerts import rulebook
from alerts.arrival import Arrival
from alerts.command import Action
from alerts.plan import Outside, Period, Plan
from tests.alerts.made_up import BOOKS, FACTS, Book, values_near_limits
from vitals.reading import Extreme, Quality

# Ten times what the profile says: 1,000 worlds in CI, 50,000 in the deep search.
CI_EXAMPLES = 100
EXAMPLES = settings(max_examples=10 * settings.default.max_examples, suppress_health_check=[HealthCheck.too_slow])
MINUTE = timedelta(minutes=1)
LIVE = 90 * MINUTE  # readings come in the first part of the watched hours, clicks a while longer
CLICKED = 140 * MINUTE
_WATCHED = (*[160 * MINUTE] * 4, 270 * MINUTE)  # the longer ones have room for four service hours

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Night:
    """When the watched hours begin, and in which zone: each has a midnight or a change of the clocks in it."""

    start: datetime
    timezone: str


NIGHTS = (
    Night(datetime(2026, 3, 3, 23, 30, tzinfo=UTC), "UTC"),  # a Tuesday: the weekly grace ends at its midnight
    Night(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "Europe/Oslo"),  # 00:30; an hour is left out at 02:00
    Night(datetime(2026, 10, 24, 23, 0, tzinfo=UTC), "Europe/Oslo"),  # 01:00; the hour from 02:00 comes twice
)


@dataclass(frozen=True, slots=True)
class Click:
    """A click to be: whose alert or reading is meant is said by its place among those that are there then."""

    at: datetime
    signal: Action
    place: int
    by: str
    has_outcome: bool
    until: datetime
    slot_fulfilled: bool


@dataclass(frozen=True, kw_only=True)
class World:
    """One made-up patient's whole story."""

    book: str
    plan: Plan = field(repr=False)
    setting: Mapping[str, Any]  # what of the plan is not the rulebook's, to be read when a property fails
    readings: tuple[Arrival, ...]
    clicks: tuple[Click, ...] = ()
    changes: tuple[tuple[datetime, Plan], ...] = field(default=(), repr=False)  # plan versions to come
    outages: tuple[Period, ...] = ()  # nobody asks; what arrives then is seen at its end
    start: datetime  # of the watched hours
    end: datetime


class Tape:
    """Bytes, read one after the other; after the last there are only zeros."""

    def __init__(self, text: bytes) -> None:
        self._text, self._at = text, 0

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` (at most 256), not included."""
        at, self._at = self._at, self._at + 1
        return (self._text[at] if at < len(self._text) else 0) % limit

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, the first being the plainest."""
        return options[self.below(len(options))]

    def happens(self, one_in: int) -> bool:
        """Whether something rare happens."""
        return self.below(one_in) == one_in - 1

    def section(self, length: int) -> "Tape":
        """The next bytes as a tape of their own, so that what is read of it moves nothing behind it."""
        at, self._at = self._at, self._at + length
        return Tape(self._text[at : at + length])


_PLAN, _READING, _CLICK = 24, 14, 9
_MOST_READINGS, _MOST_CLICKS = 7, 6
_LENGTH = _PLAN + _READING * _MOST_READINGS + _CLICK * _MOST_CLICKS


def worlds(*, changes: bool = True, clicked: bool = True) -> st.SearchStrategy[World]:
    """Worlds of every rulebook; with a new plan version now and then, and with clicks, unless told otherwise."""

    def grow(text: bytes) -> World:
        world = read(Tape(text))
        world = world if changes else replace(world, changes=())
        return world if clicked else replace(world, clicks=())

    return st.binary(min_size=_LENGTH, max_size=_LENGTH).map(grow)


def read(tape: Tape) -> World:
    """The world on the tape."""
    first = tape.section(_PLAN)
    book, night = first.pick(BOOKS), first.pick(NIGHTS)
    readings_wanted, clicks_wanted = first.below(_MOST_READINGS + 1), first.below(_MOST_CLICKS + 1)
    days = first.pick(book.days)
    plan, setting = _plan(first, book, night, days)
    old = _old(first, book, plan, night, days)
    sections = [tape.section(_READING) for _ in range(_MOST_READINGS)]
    live = _live(sections[:readings_wanted], book, night)
    readings = (*old, *live, *_repeats(first, live))
    clicks = [tape.section(_CLICK) for _ in range(_MOST_CLICKS)][:clicks_wanted]
    moments = tuple(each.received_at for each in live) or (night.start,)
    return World(
        book=book.name,
        plan=plan,
        setting=setting,
        readings=readings,
        clicks=tuple(click for each in clicks for click in _with_acknowledgement(_click(each, moments, night))),
        changes=_changes(first, plan, night),
        outages=_outages(first, night),
        start=night.start,
        end=night.start + first.pick(_WATCHED),
    )


@lru_cache(maxsize=256)
def _draft(book: Book, night: Night, days: int) -> Plan:
    local = night.start.astimezone(rulebook.draft(book.book, _settings(night, night.start)).zone)
    midnight = datetime.combine(local.date() - timedelta(days=days), datetime.min.time(), local.tzinfo)
    return rulebook.draft(book.book, _settings(night, midnight.astimezone(UTC)))


def _settings(night: Night, starts_at: datetime) -> dict[str, Any]:
    return {"plan_id": "made up", "timezone": night.timezone, "starts_at": starts_at.isoformat()}


def _plan(tape: Tape, book: Book, night: Night, days: int) -> tuple[Plan, Mapping[str, Any]]:
    """A plan with any mode outside hours, perhaps a pause or an end, perhaps with facts of the patient's own."""
    hours, outside = tape.pick(_HOURS), tape.pick((Outside.FULL, Outside.NOBODY, Outside.RESPONSE_CENTRE_RED))
    draft = _draft(book, night, days)
    setting: dict[str, Any] = {
        "facts": tape.pick(FACTS),
        "hours": replace(draft.hours, start=hours[0], end=hours[1], days=hours[2]),
        "outside": outside,
        "closed": tape.pick(((), (), (date(2026, 3, 4), date(2026, 3, 29), date(2026, 10, 25)))),
        "pauses": (_period(tape, night),) if tape.happens(5) else (),
        "offline": (Period(start=night.start - 8 * MINUTE, end=night.start + 90 * MINUTE),) if tape.happens(4) else (),
        "ends_at": night.start + tape.below(130) * MINUTE if tape.happens(12) else draft.ends_at,
    }
    return replace(draft, **setting), setting


_HOURS = (
    (0, 1440, (0, 1, 2, 3, 4, 5, 6)),
    (0, 120, (0, 1, 2, 3, 4, 5, 6)),
    (150, 190, (0, 1, 2, 3, 4, 5, 6)),  # in the nights of change it opens at a time that is not, or is twice
    (480, 930, (0, 1, 2, 3, 4)),
)


def _period(tape: Tape, night: Night) -> Period:
    start = night.start + (tape.below(150) - 40) * MINUTE
    return Period(start=start, end=start + tape.pick((30, 60, 100, 0)) * MINUTE)


def _changes(tape: Tape, plan: Plan, night: Night) -> tuple[tuple[datetime, Plan], ...]:
    """Now and then a new version of the plan: a pause more, or other facts of the patient's own."""
    if not tape.happens(6):
        return ()
    at = night.start + tape.below(120) * MINUTE
    if tape.happens(2):
        pause = Period(start=at, end=at + 40 * MINUTE)
        return ((at, replace(plan, version=2, pauses=(*plan.pauses, pause))),)
    return ((at, replace(plan, version=2, facts=tape.pick(FACTS))),)


def _outages(tape: Tape, night: Night) -> tuple[Period, ...]:
    """One or two spans in which nothing is asked; they end before the watched hours do."""
    first = night.start + tape.below(100) * MINUTE
    first_end = first + tape.pick((7, 1, 16, 40)) * MINUTE
    second = first_end + (1 + tape.below(8)) * MINUTE
    return (Period(start=first, end=first_end), Period(start=second, end=second + 11 * MINUTE))


def _old(tape: Tape, book: Book, plan: Plan, night: Night, days: int) -> tuple[Arrival, ...]:
    """What was measured once or twice a day before: seen in time, or in one late batch as the watched hours begin."""
    in_time, twice = tape.happens(2), tape.happens(2)
    steps = tape.pick(_STEPS[:3] if in_time else _STEPS)  # nobody is there yet to answer what rings for days
    acts = book.acts[tape.below(len(book.acts))], book.acts[tape.below(len(book.acts))]
    found = []
    for day in range(days):
        for at in range(2 if twice else 1):
            values = {metric: book.usual(metric) for metric in acts[at]}
            if "weight" in values:
                values["weight"] += steps[day % len(steps)] * (1 if len(steps) > 1 else day)
            taken_at = plan.starts_at + timedelta(days=day, hours=9 + 2 * at)
            if taken_at < night.start:
                received_at = taken_at if in_time else night.start + (day % 2) * 20 * MINUTE
                found.append(_arrival(f"o{day}.{at}", taken_at, received_at, values))
    return tuple(found)


_STEPS = tuple(
    tuple(Decimal(step) for step in steps)
    for steps in (("0",), ("0.3",), ("-0.4",), ("0", "0.4", "2.1"), ("0", "-4.0"), ("0.1", "1.2", "0.1"))
)


def _arrival(name: str, taken_at: datetime, received_at: datetime, values: Mapping[str, Any]) -> Arrival:
    return Arrival(reading_id=name, taken_at=taken_at, received_at=received_at, values=values)


def _live(sections: Sequence[Tape], book: Book, night: Night) -> tuple[Arrival, ...]:
    """Readings of the watched hours; some poor, some late, some at the same moment, many close after another."""
    found: list[Arrival] = []
    act, taken_at = 0, night.start
    for at, tape in enumerate(sections):
        act = act if tape.happens(2) else tape.below(len(book.acts))
        if found and tape.below(4):
            taken_at = min(taken_at + tape.pick(_AFTER_READING) * MINUTE, night.start + LIVE)
        else:
            taken_at = night.start + tape.below(91) * MINUTE
        delay, number = tape.pick(_DELAYS), tape.below(256)
        received_at = taken_at + (delay if delay is not None else 20 + number % 80) * MINUTE
        quality = tape.pick((Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.POOR))
        metrics = book.acts[act]
        values: dict[str, Any] = {metric: tape.pick(values_near_limits(book, metric)) for metric in metrics}
        if number >= 236:
            values[metrics[0]] = Extreme.LO if number % 2 else Extreme.HI
        found.append(replace(_arrival(f"r{at}", taken_at, received_at, values), quality=quality))
    return tuple(found)


_AFTER_READING = (1, 0, 5, 14, 15, 16, 20, 30, 60, 61, 2)
_DELAYS = (0, 0, 0, 0, 0, 2, 11, 15, 16, None, None, 60)


def _repeats(tape: Tape, live: Sequence[Arrival]) -> tuple[Arrival, ...]:
    """Second deliveries."""
    chosen = tape.below(256)
    return tuple(
        replace(each, received_at=each.received_at + 7 * at * MINUTE)
        for at, each in enumerate(live[:4])
        if chosen >> (2 * at) & 3 == 3
    )


def _click(tape: Tape, moments: Sequence[datetime], night: Night) -> Click:
    """A click, legal or not, soon after a reading or a click's deadline, or anywhere."""
    after = tape.pick(moments) + tape.pick(_AFTER_ARRIVAL) * MINUTE
    at = after if tape.below(5) else night.start + tape.below(141) * MINUTE
    return Click(
        at=min(max(at, night.start), night.start + CLICKED),
        signal=tape.pick(_SIGNALS),
        place=tape.below(256),
        by=tape.pick(("anna", "bo")),
        has_outcome=bool(tape.below(4)),
        until=at + tape.pick((75, 20, 5, 90, 60, 720, 721, 0)) * MINUTE,
        slot_fulfilled=not tape.below(2),
    )


def _with_acknowledgement(click: Click) -> tuple[Click, ...]:
    """What is urgent is only put off by somebody who has taken it on."""
    if click.signal is not Action.SNOOZE:
        return (click,)
    return (replace(click, at=click.at - MINUTE, signal=Action.ACKNOWLEDGE), click)


_AFTER_ARRIVAL = (0, 1, 2, 5, 10, 14, 15, 16, 30, 45, 61, 100)
_SIGNALS = (
    *[Action.ACKNOWLEDGE] * 6,
    *[Action.RESOLVE] * 4,
    *[Action.SNOOZE] * 4,
    *[Action.RELEASE] * 2,
    *[Action.INVALIDATE] * 3,
    *[Action.ACCEPT] * 2,
    Action.TAKE_OVER,
    *[Action.DISPATCH] * 3,
    *[Action.DISPATCH_ACCEPT] * 2,
    Action.DISPATCH_REFUSE,
)
