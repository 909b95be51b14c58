"""Back-test: what other limits would have said about the same readings, beside the limits in force.

Both plans run through the engine that the server runs, in virtual time, over everything that arrived; what happened
in the span is counted. Nobody clicks: an alert stays open, so a condition that comes back is the same alert returning
and counts as another episode. No notice leaves, no alert is written. Sums are whole numbers and taken in the order of
patients' ids, so that the same input gives the same report to the byte.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

from alerts.arrival import Arrival
from alerts.episodes import Episode, Span, by_hand, episodes, groups, in_zones
from alerts.fact import Fact
from alerts.keys import KeyProblem, Keys
from alerts.plan import Plan
from alerts.priority import Priority
from alerts.replay import Replay, run
from alerts.rulebook import Rulebook
from alerts.zone import Zone

_WEEK = timedelta(days=7)
_LEAST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """What a group of alerts costs: minutes by its highest priority, and patients that one nurse follows in a day."""

    minutes: Mapping[Priority, Decimal]
    patients_per_nurse: int
    source: str


ASSUMED = Burden(
    minutes={  # a plain dictionary, because it travels to other processes
        Priority.LOW: Decimal("2.5"),
        Priority.MEDIUM: Decimal(6),
        Priority.HIGH: Decimal(15),
        Priority.CRITICAL: Decimal(15),
    },
    patients_per_nurse=80,
    source="assumption, not measured: 2.5 min low, 6 min medium, 15 min high and critical; 80 patients a nurse",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a back-test is asked.

    `events` are moments at which something is known to have happened; one is caught when an episode was at least
    `catch_from` at some moment of the `window` before it.
    """

    span: Span
    events: tuple[datetime, ...] = ()
    window: timedelta = timedelta(days=14)
    catch_from: Priority = Priority.MEDIUM


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Whole numbers, so that adding is exact. `groups`: those that a person must handle, by highest priority."""

    length: timedelta = timedelta()  # patient-time
    episodes: Mapping[str, int] = field(default_factory=dict)  # rule -> times
    zones: Mapping[Zone, timedelta] = field(default_factory=dict)
    groups: Mapping[Priority, int] = field(default_factory=dict)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            length=self.length + other.length,
            episodes=Counter(self.episodes) + Counter(other.episodes),
            zones={zone: self.zones.get(zone, timedelta()) + other.zones.get(zone, timedelta()) for zone in Zone},
            groups=Counter(self.groups) + Counter(other.groups),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Two tallies over the same week."""

    span: Span
    in_force: Tally
    candidate: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """One patient: two tallies over a span, and over each of its weeks, oldest first."""

    span: Span
    in_force: Tally
    candidate: Tally
    weeks: tuple[Week, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A past event, and how long before it each plan spoke up; None: it did not."""

    at: datetime
    in_force: timedelta | None
    candidate: timedelta | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """One patient: two tallies over the same span, and where they part."""

    patient: str
    span: Span
    in_force: Tally
    candidate: Tally
    only_in_force: tuple[Episode, ...] = ()  # no episode of the same rule held at the same time under the other plan
    only_candidate: tuple[Episode, ...] = ()
    events: tuple[Caught, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Reports of different patients in the order of ids, and their sums."""

    reports: tuple[Report, ...]

    @cached_property
    def in_force(self) -> Tally:
        """All patients under their plans in force."""
        return sum((each.in_force for each in self.reports), Tally())

    @cached_property
    def candidate(self) -> Tally:
        """All patients under the candidate."""
        return sum((each.candidate for each in self.reports), Tally())


def candidate(plan: Plan, book: Rulebook | None, limits: Mapping[str, Mapping[str, Any]]) -> Plan:
    """`plan` under another rulebook, individual limits, or both; everything else of it stays.

    A rulebook takes the place of the whole table, individual limits of the plan included (`not_carried_over`).
    Raises `KeyProblem` naming the key under `rules`.
    """
    table = dict(plan.table if book is None else book.table)
    individual = set(plan.individual if book is None else ())
    for name, own in limits.items():
        Keys(own, f"rules.{name}")  # refuses what is not a table
        if name not in table:
            raise KeyProblem(f"rules.{name}", f"the rulebook {book.name if book else plan.rulebook} has no such rule")
        table[name] = {**table[name], **own}
        individual.add(name)
    made = replace(plan, table=table, individual=tuple(sorted(individual)))
    if book is not None:
        made = replace(made, rulebook=book.name, rulebook_version=book.version)
    _ = made.rules  # read now, so that a wrong number is refused before anything runs
    return made


def not_carried_over(plan: Plan, book: Rulebook | None) -> tuple[str, ...]:
    """Rules with individual limits in force that a candidate under `book` judges by the rulebook's numbers."""
    return () if book is None else tuple(sorted(plan.individual))


def compare(patient: str, plans: tuple[Plan, Plan], arrivals: Iterable[Arrival], question: Question) -> Report:
    """The plan in force and the candidate (in this order) over the same arrivals (in received order).

    The span is counted from the plan's start at the earliest; what arrived before it is judged and not counted.
    """
    received = tuple(arrivals)
    span = replace(question.span, start=max(question.span.start, plans[0].starts_at))
    (now, now_all), (other, other_all) = (_one(patient, plan, received, span) for plan in plans)
    caught = tuple(
        Caught(at=at, in_force=_lead(now_all, at, question), candidate=_lead(other_all, at, question))
        for at in sorted(set(question.events))
        if span.holds(at)
    )
    return Report(
        patient=patient,
        span=span,
        in_force=now,
        candidate=other,
        only_in_force=_alone(now_all, other_all, span),
        only_candidate=_alone(other_all, now_all, span),
        events=caught,
    )


def cohort(reports: Iterable[Report]) -> Cohort:
    """Reports of different patients as one; their order does not matter."""
    ordered = tuple(sorted(reports, key=lambda each: each.patient))
    twice = [each.patient for each, after in pairwise(ordered) if each.patient == after.patient]
    if twice:
        raise ValueError(f"patient {twice[0]} is in the cohort twice")
    return Cohort(reports=ordered)


def by_week(patient: str, plans: tuple[Plan, Plan], arrivals: Iterable[Arrival], span: Span) -> "Weeks":
    """The plan in force and the candidate (in this order) over the whole span, and over each of its weeks.

    The last week ends with the span and is as long as the others; the first may be shorter. Otherwise as `compare`.
    """
    received = tuple(arrivals)
    span = replace(span, start=max(span.start, plans[0].starts_at))
    courses = tuple(_run(patient, plan, received, span.end) for plan in plans)
    parts = _weeks(span)
    tallies = [[course.tally(part) for part in (span, *parts)] for course in courses]
    return Weeks(
        span=span,
        in_force=tallies[0][0],
        candidate=tallies[1][0],
        weeks=tuple(
            Week(span=part, in_force=now, candidate=other)
            for part, now, other in zip(parts, tallies[0][1:], tallies[1][1:], strict=True)
        ),
    )


def _weeks(span: Span) -> list[Span]:
    """The span's weeks, oldest first. No moment belongs to two, so that their sums are those of the span."""
    found, end = [], span.end
    while end > span.start:
        begin = max(span.start, end - _WEEK)
        found.append(Span(start=begin if begin == span.start else begin + _LEAST, end=end))
        end = begin
    return found[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """What one plan said from its start to the end of the arrivals."""

    plan: Plan
    facts: Sequence[Fact]
    episodes: tuple[Episode, ...]

    def tally(self, span: Span) -> Tally:
        """What was said in the span."""
        inside = [each for each in self.episodes if span.holds(each.began_at)]
        handled = groups([each for each in inside if by_hand(each, self.plan)])
        return Tally(
            length=span.end - span.start,
            episodes=Counter(each.rule for each in inside),
            zones=in_zones(self.facts, span),
            groups=Counter(max(each.highest for each in group) for group in handled),
        )


def _run(patient: str, plan: Plan, arrivals: Sequence[Arrival], until: datetime) -> _Course:
    replay = Replay(plan=plan, patient=patient)
    run(replay, arrivals, (), until)
    return _Course(plan=plan, facts=replay.facts, episodes=episodes(replay.facts))


def _one(patient: str, plan: Plan, arrivals: Sequence[Arrival], span: Span) -> tuple[Tally, tuple[Episode, ...]]:
    """What one plan says: the tally of the span, and every episode up to its end."""
    course = _run(patient, plan, arrivals, span.end)
    return course.tally(span), course.episodes


def _alone(own: Sequence[Episode], others: Sequence[Episode], span: Span) -> tuple[Episode, ...]:
    """Episodes of the span during which no episode of the same rule held on the other side."""
    return tuple(
        each
        for each in own
        if span.holds(each.began_at) and not any(each.rule == other.rule and each.meets(other) for other in others)
    )


def _lead(found: Sequence[Episode], event: datetime, question: Question) -> timedelta | None:
    """How long before `event` the first episode of the window was urgent enough: the window's length at most."""
    opens = event - question.window
    leads = []
    for each in found:
        reached = each.reached(question.catch_from)
        if reached is not None and reached <= event and (each.ended_at is None or each.ended_at >= opens):
            leads.append(event - max(reached, opens))
    return max(leads, default=None)
