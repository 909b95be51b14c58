"""The patient's own plan: which rules, with which numbers, in whose time zone, and who answers when.

A plan version is a value. The server keeps it as the JSON of `to_mapping`; `from_mapping` checks it as strictly as a
rulebook. Numbers stay exact on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts import codec
from alerts.freshness import Need
from alerts.hearing import Hearing
from alerts.keys import KeyProblem, Keys, exact, wall_span, weekdays
from alerts.known_rules import KnownRules, known_rules
from alerts.rules import AnyRule
from alerts.service_hours import Hours, Service
from vitals.metrics import METRICS


class PlanError(ValueError):
    """A plan that breaks the contract; says which key and why."""


class Outside(StrEnum):
    """What happens outside service hours."""

    NOBODY = "nobody"  # ladders start when the service opens
    RESPONSE_CENTRE_RED = "response_centre_red"  # high and critical go to the response centre
    FULL = "full"  # as in service hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A span of time, aware UTC; `end` None: not over yet. Both ends belong to it."""

    start: datetime
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether `moment` lies in it."""
        return self.start <= moment and (self.end is None or moment <= self.end)

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether it has more than an end in common with the span from `start` to `end`."""
        return self.start < end and (self.end is None or start < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFacts:
    """What a clinician said about the patient; None is unknown, which is not the same as no."""

    age: int | None = None
    pregnant: bool = False
    spo2_scale: int | None = None
    spo2_floor: Decimal | None = None
    on_oxygen: bool | None = None
    baseline: Mapping[str, Decimal] = field(default_factory=dict)  # metric -> value
    spread: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One version of a plan. All times are aware UTC; `ends_at` acts as a pause without end."""

    plan_id: str
    version: int
    rulebook: str
    rulebook_version: str
    table: Mapping[str, Mapping[str, Any]]  # the merged rules as written; `rules` is their meaning
    individual: tuple[str, ...] = ()  # rules with numbers of this patient's own
    facts: PatientFacts = field(default_factory=PatientFacts)
    timezone: str = "Europe/Oslo"
    starts_at: datetime
    ends_at: datetime | None = None
    hours: Hours = field(default_factory=Hours)
    closed: tuple[date, ...] = ()
    outside: Outside = Outside.FULL
    pauses: tuple[Period, ...] = ()
    offline: tuple[Period, ...] = ()  # the gateway was silent

    @cached_property
    def _known_rules(self) -> KnownRules:
        return known_rules(self.table, frozenset(self.individual), floored=self.facts.spo2_floor is not None)

    @cached_property
    def rules(self) -> Mapping[str, AnyRule]:
        """The enabled rules by name, in the order of names."""
        return self._known_rules.rules

    @property
    def listeners(self) -> Mapping[str, tuple[AnyRule, ...]]:
        """Metric -> the rules that judge it, in the order of names."""
        return self._known_rules.listeners

    def hearing(self, metrics: tuple[str, ...]) -> Hearing:
        """The rules that judge a reading of `metrics`: the single ones, then those that count, each in their order."""
        return self._known_rules.hearing(metrics)

    @property
    def missing(self) -> tuple[str, ...]:
        """The rules that ask for scheduled readings."""
        return self._known_rules.missing

    @property
    def freshness(self) -> tuple[Need, ...]:
        """Which values must be young for all to be well."""
        return self._known_rules.freshness

    @property
    def relative(self) -> frozenset[str]:
        """The rules whose limits are offsets from a baseline."""
        return self._known_rules.relative

    @property
    def runs(self) -> tuple[str, ...]:
        """The rules with a band that several readings in a row enter."""
        return self._known_rules.runs

    @cached_property
    def zone(self) -> ZoneInfo:
        """The patient's own time zone."""
        return ZoneInfo(self.timezone)

    @cached_property
    def service(self) -> Service:
        """When somebody is at work."""
        return Service(hours=self.hours, closed=frozenset(self.closed), zone=self.zone)

    @cached_property
    def rests(self) -> tuple[Period, ...]:
        """Pauses, and the time after the plan's end."""
        after = () if self.ends_at is None else (Period(start=self.ends_at),)
        return (*self.pauses, *after)

    @cached_property
    def key(self) -> str:
        """Changes whenever what was made of the readings may have changed."""
        rests = ",".join(f"{each.start.isoformat()}/{each.end and each.end.isoformat()}" for each in self.rests)
        return f"{self.plan_id}:{self.version}:{rests}"


def to_mapping(plan: Plan) -> dict[str, Any]:
    """The plan as a JSON-able mapping."""
    return {
        "plan_id": plan.plan_id,
        "version": plan.version,
        "rulebook": plan.rulebook,
        "rulebook_version": plan.rulebook_version,
        "rules": _plain(plan.table),
        "individual": list(plan.individual),
        "facts": {name: value for name, value in _plain(_facts_table(plan.facts)).items() if value is not None},
        "timezone": plan.timezone,
        "starts_at": plan.starts_at.isoformat(),
        "ends_at": None if plan.ends_at is None else plan.ends_at.isoformat(),
        "hours": hours_text(plan.hours),
        "closed": [each.isoformat() for each in plan.closed],
        "outside": plan.outside.value,
        "pauses": [codec.encode(each) for each in plan.pauses],
        "offline": [codec.encode(each) for each in plan.offline],
    }


def from_mapping(mapping: Mapping[str, Any]) -> Plan:
    """The plan in a mapping shaped as `to_mapping` makes it; raises `PlanError` naming the key."""
    try:
        return _read(Keys(mapping))
    except KeyProblem as problem:
        raise PlanError(str(problem)) from None


def _read(keys: Keys) -> Plan:
    timezone = keys.text("timezone", "Europe/Oslo")
    plan = Plan(
        plan_id=keys.text("plan_id"),
        version=keys.whole("version", 1),
        rulebook=keys.text("rulebook"),
        rulebook_version=keys.text("rulebook_version"),
        table=known_rules(keys.raw("rules")).table,  # one that must be refused is refused now; those alike are one
        individual=keys.texts("individual", ()),
        facts=read_facts(keys.table("facts", {})),
        timezone=check_timezone(timezone, keys.path("timezone")),
        starts_at=_moment(keys.text("starts_at"), keys.path("starts_at")),
        ends_at=_optional_moment(keys, "ends_at"),
        hours=read_hours(keys.text("hours", "00:00-24:00"), keys.path("hours")),
        closed=keys.dates("closed"),
        outside=Outside(keys.choice("outside", tuple(Outside), "full")),
        pauses=_periods(keys, "pauses"),
        offline=_periods(keys, "offline"),
    )
    keys.finish()
    return plan


def read_facts(keys: Keys) -> PatientFacts:
    """The patient's facts in a table; raises `KeyProblem`."""
    facts = PatientFacts(
        age=keys.whole("age") if keys.has("age") else None,
        pregnant=keys.flag("pregnant", default=False),
        spo2_scale=keys.whole("spo2_scale") if keys.has("spo2_scale") else None,
        spo2_floor=keys.number("spo2_floor") if keys.has("spo2_floor") else None,
        on_oxygen=keys.flag("on_oxygen") if keys.has("on_oxygen") else None,
        baseline=_by_metric(keys.table("baseline", {})),
        spread=_by_metric(keys.table("spread", {})),
    )
    if facts.spo2_scale not in (None, 1, 2):
        raise keys.problem("spo2_scale", "must be 1 or 2")
    for metric, spread in facts.spread.items():
        if spread <= 0:
            raise keys.table("spread").problem(metric, "must be more than 0")
    keys.finish()
    return facts


def read_hours(text: str, at: str) -> Hours:
    """Service hours such as 08:00-15:30 mon-fri (every day where no days are named); raises `KeyProblem`."""
    span, _, days = text.partition(" ")
    start, end = wall_span(span, at)
    return Hours(start=start, end=end, days=weekdays(days, at) if days else tuple(range(7)))


def hours_text(hours: Hours) -> str:
    """The text that `read_hours` reads."""
    span = f"{hours.start // 60:02}:{hours.start % 60:02}-{hours.end // 60:02}:{hours.end % 60:02}"
    return f"{span} {','.join(('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')[day] for day in hours.days)}"


def check_timezone(name: str, at: str) -> str:
    """`name` when it is a time zone of the IANA list; raises `KeyProblem`."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise KeyProblem(at, f"{name!r} is not a time zone such as Europe/Oslo") from None
    return name


def _by_metric(keys: Keys) -> dict[str, Decimal]:
    values = {}
    for name in keys.names():
        if name not in METRICS:
            raise keys.problem(name, "unknown metric")
        values[name] = exact(keys.raw(name), keys.path(name))
    return values


def _periods(keys: Keys, name: str) -> tuple[Period, ...]:
    periods = []
    for each in keys.tables(name, ()):
        start = _moment(each.text("start"), each.path("start"))
        periods.append(Period(start=start, end=_optional_moment(each, "end")))
        each.finish()
    return tuple(sorted(periods, key=lambda period: period.start))


def _optional_moment(keys: Keys, name: str) -> datetime | None:
    return None if keys.raw(name, None) is None else _moment(keys.text(name), keys.path(name))


def _moment(text: str, at: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise KeyProblem(at, f"{text!r} is not a time such as 2026-11-22T07:31:05Z") from None
    if moment.tzinfo is None:
        raise KeyProblem(at, f"{text!r} has no time zone")
    return moment.astimezone(UTC)


def _facts_table(facts: PatientFacts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in PatientFacts.__slots__}


def _plain(value: Any) -> Any:
    """Numbers as JSON has them, 38.0 not as 38: evidence quotes a limit as it was written, stored or not.

    A decimal of a table is short, so its float has the same shortest text.
    """
    if isinstance(value, Decimal):
        return float(value) if int(value.as_tuple().exponent) < 0 else int(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
