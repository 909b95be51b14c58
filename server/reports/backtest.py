"""Back-tests on stored readings: patient by patient, so that a cohort needs no more room than its largest patient.

Each patient is judged under the plan in force today, over everything since that plan began; the candidate changes the
rules alone. No notice is made and nothing is written. Clicks are not replayed: a reading that a person took out counts.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from alerts.backtest import ASSUMED, Burden, Question, Report, candidate, cohort, compare, not_carried_over
from alerts.backtest_report import to_mapping
from alerts.episodes import Span
from alerts.keys import KeyProblem, Keys
from alerts.plan import Plan
from alerts.proposal import limits_of as proposed_limits
from alerts.rulebook import Rulebook
from server.access import Actor, system
from server.db.engine import Database
from server.reports import inputs
from server.reports.proposals import proposal

_EVER = Span(start=datetime.min.replace(tzinfo=UTC), end=datetime.max.replace(tzinfo=UTC))

Limits = Mapping[str, Mapping[str, Any]]
Events = Mapping[str, tuple[datetime, ...]]  # patient -> moments
_Read = TypeVar("_Read")


class CandidateError(ValueError):
    """What was asked for cannot be tried; names file and key."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What to try and on what: a rulebook, limits on top, and the span (None: all that is stored).

    `proposed`: in place of both, the individual limits that each patient's start-up period suggests.
    """

    book: Rulebook | None = None
    limits: Limits = field(default_factory=dict)
    limits_file: str = ""
    proposed: bool = False
    events: Events = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None
    burden: Burden = ASSUMED


@dataclass(slots=True, kw_only=True)
class Course:
    """A back-test under way: what was reported, and what was left out or not carried over, and why."""

    reports: list[Report] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    not_carried: dict[str, list[str]] = field(default_factory=dict)
    lacking: dict[str, set[str]] = field(default_factory=dict)  # rule -> rulebooks in force that do not have it
    proposed: dict[str, Limits] = field(default_factory=dict)  # patient -> limits

    def add(self, other: "Course") -> None:
        """Take in what was found of other patients; in which order makes no difference to the report."""
        self.reports += other.reports
        self.left_out |= other.left_out
        self.not_carried |= other.not_carried
        self.proposed |= other.proposed
        for rule, books in other.lacking.items():
            self.lacking.setdefault(rule, set()).update(books)


@dataclass(frozen=True, kw_only=True)
class Share:
    """Some of a cohort's patients, for a process that opens the database itself. Can be sent to one."""

    address: str = field(repr=False)  # may hold a password
    tried: Candidate
    patients: tuple[str, ...]


def backtest(database: Database, actor: Actor, tried: Candidate, patients: Iterable[str]) -> dict[str, Any]:
    """The report of `alerts.backtest_report` on these patients, each read in a transaction of its own.

    Raises `NotFoundError` and `CandidateError`.
    """
    return told(gone_through(database, actor, tried, patients), tried)


def share(one: Share) -> Course:
    """What is found of a share of a cohort; everything that a process or a cluster's worker is asked to do."""
    with closing(Database(one.address)) as database:
        return gone_through(database, system(), one.tried, one.patients)


def gone_through(database: Database, actor: Actor, tried: Candidate, patients: Iterable[str]) -> Course:
    """Each of these patients under both plans. Raises `NotFoundError` and `CandidateError`."""
    course = Course()
    for patient in patients:
        with database.read() as connection:
            inputs.check_known(connection, actor, patient)
            own = _proposed(connection, actor, patient, course) if tried.proposed else tried.limits
            if patient not in course.left_out:
                _one(connection, patient, replace(tried, limits=own), course)
    return course


def told(course: Course, tried: Candidate) -> dict[str, Any]:
    """The report of everything that was gone through; raises `CandidateError` when nobody could be."""
    if course.lacking and not course.reports:
        rule = min(course.lacking)
        books = ", ".join(sorted(course.lacking[rule]))
        raise CandidateError(f"{tried.limits_file}: rules.{rule}: the rulebook {books} has no such rule")
    known = sum(len(set(each)) for each in tried.events.values())
    inside = sum(len(each.events) for each in course.reports)
    asked = {
        "rulebook": None if tried.book is None else {"name": tried.book.name, "version": tried.book.version},
        "limits": json.loads(json.dumps(tried.limits, default=float)),
        "left_out": course.left_out,
        "individual_not_carried_over": course.not_carried,
        "events_outside": known - inside,
    }
    if tried.proposed:
        asked["proposed"] = json.loads(json.dumps(course.proposed, default=float))
    return to_mapping(cohort(course.reports), Question(span=_EVER), tried.burden, asked)


def limits_of(path: Path) -> Limits:
    """The `[rules.NAME]` tables of a file of individual limits; raises `CandidateError` naming file and key."""

    def read(keys: Keys) -> Limits:
        rules = keys.table("rules")
        for name in rules.names():
            rules.table(name)  # refuses what is not a table
        return {name: rules.raw(name) for name in rules.names()}

    return _file(path, read)


def events_of(path: Path) -> Events:
    """The `[[event]]` tables (`patient`, `at`) of a file of past events; raises `CandidateError`."""

    def read(keys: Keys) -> Events:
        found: dict[str, tuple[datetime, ...]] = {}
        for each in keys.tables("event"):
            patient = each.text("patient")
            raw = each.raw("at")
            try:
                at = moment(raw if isinstance(raw, str) else raw.isoformat())
            except (ValueError, AttributeError):
                raise each.problem("at", f"must be a time such as 2026-11-22T07:31:05Z, not {raw!r}") from None
            each.finish()
            found[patient] = (*found.get(patient, ()), at)
        return found

    return _file(path, read)


def moment(text: str) -> datetime:
    """An RFC 3339 time, or a date: its midnight in UTC. Raises `ValueError`."""
    if len(text) == len("2026-11-22"):
        return datetime.combine(date.fromisoformat(text), time(0), UTC)
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at.astimezone(UTC)


def _proposed(connection: Connection, actor: Actor, patient: str, course: Course) -> Limits:
    """The limits proposed for this patient; without any the patient is left out."""
    found = proposal(connection, actor, patient)
    limits: Limits = {} if found is None else proposed_limits(found.plan, found.rules)
    if limits:
        course.proposed[patient] = limits
    else:
        course.left_out[patient] = "no plan in force" if found is None else "no other limit is proposed"
    return limits


def _one(connection: Connection, patient: str, tried: Candidate, course: Course) -> None:
    plan = inputs.plan_in_force(connection, patient)
    until = inputs.known_until(connection, patient)
    if plan is None or until is None:
        course.left_out[patient] = "no plan in force" if plan is None else "nothing is stored"
        return
    start = max(tried.start or plan.starts_at, plan.starts_at)
    end = min(tried.end or until, until)
    if end <= start:
        course.left_out[patient] = "nothing is stored in that time"
        return
    table = plan.table if tried.book is None else tried.book.table
    lacking = sorted(set(tried.limits) - set(table))
    if lacking:
        course.lacking.setdefault(lacking[0], set()).add(tried.book.name if tried.book else plan.rulebook)
        course.left_out[patient] = f"the rulebook has no rule {lacking[0]}"
        return
    question = Question(span=Span(start=start, end=end), events=tried.events.get(patient, ()))
    arrivals = [each for each in inputs.arrivals(connection, patient, plan) if each.received_at <= end]
    course.reports.append(compare(patient, (plan, _candidate(plan, tried)), arrivals, question))
    if dropped := not_carried_over(plan, tried.book):
        course.not_carried[patient] = list(dropped)


def _candidate(plan: Plan, tried: Candidate) -> Plan:
    try:
        return candidate(plan, tried.book, tried.limits)
    except KeyProblem as problem:
        raise CandidateError(f"{tried.limits_file or 'rulebook'}: {problem}") from None


def _file(path: Path, read: Callable[[Keys], _Read]) -> _Read:
    try:
        keys = Keys(tomllib.loads(path.read_bytes().decode(), parse_float=Decimal))
        found = read(keys)
        keys.finish()
    except OSError as error:
        raise CandidateError(f"{path.name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise CandidateError(f"{path.name}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise CandidateError(f"{path.name}: is not TOML: {error}") from None
    except KeyProblem as problem:
        raise CandidateError(f"{path.name}: {problem}") from None
    return found
