"""Story files, read strictly: a patient, readings, clicks, and what must then be true."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from alerts import rulebook
from alerts.alert import OPEN
from alerts.arrival import Arrival
from alerts.command import EVERY_RULE, Action, Command, Outcome
from alerts.fact import Role
from alerts.keys import KeyProblem, Keys, exact, toml_key
from alerts.plan import Outside, Period, Plan, check_timezone, read_facts, read_hours
from alerts.priority import Priority
from alerts.raising import QUARANTINED
from alerts.rules import SCORED
from alerts.zone import Zone
from vitals.metrics import METRICS
from vitals.reading import Extreme, Quality

_DAY_TIME = re.compile(r"D(\d{1,4}) (\d\d):(\d\d)(?::(\d\d))?")
_YEARS = range(1900, 2900)  # within these every sum of times is a time
_CAUSES = ("gateway", "device", "patient", "")
_PARAMETERS = tuple("oxygen" if each == "oxygen_flow" else each for each in SCORED)
_WORDS = tuple(each.word for each in Priority)


class StoryError(ValueError):
    """A story file that is wrong; names file and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A command at its moment; `refused`: it must be refused."""

    at: datetime
    command: Command
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What must be true after everything up to `at`; None: not asked."""

    at: datetime
    open: tuple[Mapping[str, Any], ...] | None = None
    raised: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[Mapping[str, Any], ...] | None = None
    advice: tuple[str, ...] | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A story, ready to run."""

    sentence: str
    plan: Plan
    arrivals: tuple[Arrival, ...]  # each reading once: its earliest delivery
    clicks: tuple[Click, ...]
    expects: tuple[Expect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calendar:
    """What "D1" means."""

    day_1: date
    zone: ZoneInfo

    def moment(self, keys: Keys, name: str) -> datetime:
        """A time of the story in UTC: Dn HH:MM[:SS] in the patient's zone, or an RFC 3339 time."""
        value = keys.raw(name)
        match = _DAY_TIME.fullmatch(value) if isinstance(value, str) else None
        try:
            if match is not None and int(match[1]) > 0:
                day = self.day_1 + timedelta(days=int(match[1]) - 1)
                wall = time(int(match[2]), int(match[3]), int(match[4] or 0))
                return datetime.combine(day, wall, self.zone).astimezone(UTC)
            moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        except (ValueError, OverflowError):
            moment = None
        if not isinstance(moment, datetime) or moment.tzinfo is None or moment.year not in _YEARS:
            raise keys.problem(name, f'must be a time such as "D1 08:02" or "2026-03-28T08:29:00Z", not {value!r}')
        return moment.astimezone(UTC)


def load(path: Path) -> Story:
    """The story in that file; raises `StoryError` naming file and key."""
    try:
        text = path.read_bytes().decode()
        return _read(Keys(_table(text)), path)
    except OSError as error:
        raise StoryError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise StoryError(f"{path}: is not UTF-8 text") from None
    except KeyProblem as problem:
        raise StoryError(f"{path}: {problem}") from None
    except rulebook.RulebookError as error:
        raise StoryError(f"{path}: rulebook: {error}") from None


def _table(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise KeyProblem(toml_key(text, error), f"is not TOML: {error}") from None


def _read(keys: Keys, path: Path) -> Story:
    sentence = keys.text("story")
    timezone = check_timezone(keys.text("timezone", "Europe/Oslo"), "timezone")
    day_1 = keys.raw("day_1")
    if type(day_1) is not date or day_1.year not in _YEARS:
        raise keys.problem("day_1", "must be a date such as 2026-03-02")
    calendar = _Calendar(day_1=day_1, zone=ZoneInfo(timezone))
    book = _book(keys, path)
    plan = rulebook.draft(
        book,
        {
            "plan_id": "story",
            "timezone": timezone,
            "starts_at": datetime.combine(day_1, time(0), calendar.zone).isoformat(),
        },
    )
    plan = replace(
        plan,
        facts=read_facts(keys.table("patient", {})),
        hours=read_hours(keys.text("hours", "00:00-24:00"), "hours"),
        closed=keys.dates("closed"),
        outside=Outside(keys.choice("outside", tuple(Outside), "full")),
        pauses=_periods(keys, "pause", calendar),
        offline=_periods(keys, "gateway", calendar),
    )
    names = frozenset({*book.table, QUARANTINED})
    arrivals = _arrivals(keys, calendar)
    story = Story(
        sentence=sentence,
        plan=plan,
        arrivals=arrivals,
        clicks=_clicks(keys, calendar, names, frozenset(each.reading_id for each in arrivals)),
        expects=_expects(keys, calendar, names),
    )
    keys.finish()
    return story


def _book(keys: Keys, path: Path) -> rulebook.Rulebook:
    name = keys.text("rulebook")
    book = rulebook.load(name if name.isidentifier() else path.parent / name)
    limits = keys.table("rules", {})
    return rulebook.merge(book, {rule: limits.raw(rule) for rule in limits.names()})


def _periods(keys: Keys, name: str, calendar: _Calendar) -> tuple[Period, ...]:
    periods = []
    for each in keys.tables(name, ()):
        period = Period(start=calendar.moment(each, "from"), end=calendar.moment(each, "to"))
        each.finish()
        if period.end is not None and period.end < period.start:
            raise each.problem("to", "is before from")
        periods.append(period)
    return tuple(sorted(periods, key=lambda period: period.start))


def _arrivals(keys: Keys, calendar: _Calendar) -> tuple[Arrival, ...]:
    known: dict[str, Arrival] = {}
    for at, each in enumerate(keys.tables("reading", ())):
        arrival = _arrival(each, calendar, str(at + 1))
        each.finish()
        before = known.get(arrival.reading_id)
        if before is not None and replace(arrival, received_at=before.received_at) != before:
            raise each.problem("id", f"{arrival.reading_id!r} was another reading before")
        if before is None or arrival.received_at < before.received_at:
            known[arrival.reading_id] = arrival
    return tuple(known.values())


def _arrival(keys: Keys, calendar: _Calendar, position: str) -> Arrival:
    taken_at = calendar.moment(keys, "at")
    received_at = calendar.moment(keys, "arrives") if keys.has("arrives") else taken_at
    if received_at < taken_at:
        raise keys.problem("arrives", "is before at")
    table = keys.table("values")
    values: dict[str, Decimal | Extreme] = {}
    for metric in table.names():
        if metric not in METRICS:
            raise table.problem(metric, "unknown metric")
        value = table.raw(metric)
        is_word = isinstance(value, str) and value in tuple(Extreme)
        values[metric] = Extreme(value) if is_word else exact(value, table.path(metric))
    if not values:
        raise keys.problem("values", "names no metric")
    return Arrival(
        reading_id=keys.text("id", position),
        taken_at=taken_at,
        received_at=received_at,
        values=values,
        quality=Quality(keys.choice("quality", tuple(Quality), "good")),
    )


def _clicks(keys: Keys, calendar: _Calendar, rules: frozenset[str], readings: frozenset[str]) -> tuple[Click, ...]:
    clicks = []
    for each in keys.tables("command", ()):
        signal = Action(each.choice("do", tuple(Action)))
        command = Command(
            signal=signal,
            by=each.text("by", "somebody"),
            rule=_rule(each, rules, signal),
            reading=_reading(each, readings, signal),
            outcome=Outcome(each.choice("outcome", tuple(Outcome))) if each.has("outcome") else None,
            until=calendar.moment(each, "until") if each.has("until") else None,
            slot_fulfilled=each.choice("slot", ("open", "fulfilled"), "open") == "fulfilled",
        )
        clicks.append(
            Click(at=calendar.moment(each, "at"), command=command, refused=each.flag("refused", default=False))
        )
        each.finish()
    return tuple(clicks)


def _rule(keys: Keys, rules: frozenset[str], signal: Action) -> str:
    if signal in (Action.INVALIDATE, Action.ACCEPT) and not keys.has("rule"):
        return ""
    rule = keys.text("rule")
    if rule != EVERY_RULE and rule not in rules:
        raise keys.problem("rule", f"the rulebook has no rule {rule!r}")
    return rule


def _reading(keys: Keys, readings: frozenset[str], signal: Action) -> str | None:
    if signal not in (Action.INVALIDATE, Action.ACCEPT) and not keys.has("reading"):
        return None
    reading = keys.text("reading")
    if reading not in readings:
        raise keys.problem("reading", f"there is no reading {reading!r}")
    return reading


def _expects(keys: Keys, calendar: _Calendar, rules: frozenset[str]) -> tuple[Expect, ...]:
    expects = []
    for each in keys.tables("expect", ()):
        raised = each.table("raised", {})
        expects.append(
            Expect(
                at=calendar.moment(each, "at"),
                open=tuple(_open(row, rules) for row in each.tables("open")) if each.has("open") else None,
                raised={name: raised.whole(_known(raised, name, name, rules)) for name in raised.names()},
                notices=tuple(_notice(row, rules) for row in each.tables("notices")) if each.has("notices") else None,
                advice=_advice(each) if each.has("advice") else None,
                zone=each.choice("zone", tuple(Zone)) if each.has("zone") else None,
            )
        )
        each.finish()
    return tuple(sorted(expects, key=lambda expect: expect.at))


def _open(keys: Keys, rules: frozenset[str]) -> Mapping[str, Any]:
    row: dict[str, Any] = {"rule": _known(keys, "rule", keys.text("rule"), rules)}
    choices = {"state": tuple(sorted(OPEN)), "priority": _WORDS, "highest": _WORDS}
    for name, words in choices.items():
        if keys.has(name):
            row[name] = keys.choice(name, words)
    for name in ("condition", "waiting", "late", "snoozed", "partial"):
        if keys.has(name):
            row[name] = keys.flag(name)
    if keys.has("level"):
        row["level"] = keys.whole("level")
    if keys.has("owner"):
        row["owner"] = keys.raw("owner")
        if not isinstance(row["owner"], str):
            raise keys.problem("owner", "must be a text")
    if keys.has("cause"):
        row["cause"] = keys.choice("cause", _CAUSES)
    if keys.has("missing"):
        row["missing"] = tuple(sorted(keys.texts("missing")))
        if wrong := [each for each in row["missing"] if each not in _PARAMETERS]:
            raise keys.problem("missing", f"{wrong[0]!r} is not one of {', '.join(_PARAMETERS)}")
    keys.finish()
    return row


def _notice(keys: Keys, rules: frozenset[str]) -> Mapping[str, Any]:
    row = {"to": keys.choice("to", tuple(Role))}
    if keys.has("rule"):
        row["rule"] = _known(keys, "rule", keys.text("rule"), rules)
    keys.finish()
    return row


def _advice(keys: Keys) -> tuple[str, ...]:
    words = keys.texts("advice")
    for word in words:
        if word not in (Zone.YELLOW, Zone.RED):
            raise keys.problem("advice", "each must be yellow or red")
    return words


def _known(keys: Keys, key: str, name: str, rules: frozenset[str]) -> str:
    if name not in rules:
        raise keys.problem(key, f"the rulebook has no rule {name!r}")
    return name
