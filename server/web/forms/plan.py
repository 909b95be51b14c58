"""The editor of a plan: its fields from a plan, and a plan from its fields, each mistake beside the field it is in.

Pure. What was typed is kept as it was typed, so that nothing is lost when something is wrong.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from alerts.backtest import candidate
from alerts.keys import KeyProblem, wall_span
from alerts.plan import Outside, Plan
from alerts.room import Room, rooms
from alerts.rulebook import Rulebook
from alerts.rules import AnyRule, Method, Missing, Threshold, Trend
from server.care.approval import plain
from server.care.plans import ZONES_WITH_TEXT
from server.web.views.problem import Problem
from server.web.words.terms import N_
from vitals.metrics import METRICS

TEXT_MAX = 1000
_SLOTS_MAX = 8
_NUMBER = re.compile(r"[0-9]{1,4}([.,][0-9]{1,3})?")

_NO_NUMBER = N_("Write a number.")
_TOO_FINE = N_("Too many decimals.")
_OUT_OF_ROOM = N_("Must be between %(lowest)s and %(highest)s.")
_ORDER = N_("The more urgent limit must be further from normal than the milder one.")
_SLOTS = N_("Write times such as 06:00-11:00, with a comma between several.")
_UNBELIEVABLE = N_("No living person has this value.")
_CHOOSE = N_("Choose one of the answers.")
_TOO_LONG = N_("Too long: at most %(most)s characters.")
_EMPTY = N_("The patient needs a text here.")


@dataclass(frozen=True, kw_only=True)
class Editor:
    """What is edited: the plan in force (or a first draft), moved to the rulebook as it is today, and its room."""

    plan: Plan
    book: Rulebook
    texts: Mapping[str, str]
    rooms: tuple[Room, ...]

    @property
    def baselines(self) -> tuple[str, ...]:
        """The metrics whose own normal some rule counts from."""
        used = {metric for rule in self.plan.rules.values() for metric in _counted_from(rule)}
        return tuple(metric for metric in METRICS if metric in used)

    @property
    def schedules(self) -> tuple[str, ...]:
        """The rules that ask for measurements at times of the day."""
        return tuple(
            name for name, rule in self.plan.rules.items() if isinstance(rule, Missing) and "slots" in self.table(name)
        )

    @property
    def has_saturation(self) -> bool:
        """Whether floor, scale and oxygen mean anything to the rules."""
        return any("spo2" in rule.listens_to for rule in self.plan.rules.values())

    def table(self, rule: str) -> Mapping[str, Any]:
        """The rule as it is written."""
        return self.plan.table[rule]


def editor(plan: Plan, book: Rulebook, texts: Mapping[str, str]) -> Editor:
    """The plan's own limits on the rulebook's newest version."""
    own = {name: plan.table[name] for name in plan.individual if name in plan.table and name in book.table}
    plan = replace(plan, rulebook_version=book.version, table={**book.table, **own})
    return Editor(plan=plan, book=book, texts=texts, rooms=rooms(book.rules, book.table, plan.facts.spo2_floor))


def filled(shown: Editor, limits: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, str]:
    """Field -> what stands in it before anybody typed; `limits`: other ones to begin with, as a proposal has them."""
    values: dict[str, str] = {}
    for room in shown.rooms:
        bands = {**shown.table(room.rule), **(limits or {}).get(room.rule, {})}["bands"]
        values[limit_field(room)] = _text(bands[room.place]["limit"])
    for rule in shown.schedules:
        values[f"slots.{rule}"] = ", ".join(shown.table(rule)["slots"])
    facts = shown.plan.facts
    for metric in shown.baselines:
        values[f"baseline.{metric}"] = _text(facts.baseline.get(metric))
    values["spo2_floor"] = _text(facts.spo2_floor)
    values["spo2_scale"] = "" if facts.spo2_scale is None else str(facts.spo2_scale)
    values["on_oxygen"] = {None: "", True: "yes", False: "no"}[facts.on_oxygen]
    values["outside"] = shown.plan.outside.value
    return values | {f"text.{zone}": shown.texts.get(zone, "") for zone in ZONES_WITH_TEXT}


def limit_field(room: Room) -> str:
    """The name of the field of one limit."""
    return f"limit.{room.rule}.{room.place}"


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was typed, as a plan and its texts; `problems` by field, and then the plan is None."""

    plan: Plan | None
    texts: Mapping[str, str]
    problems: Mapping[str, Problem]


def read(shown: Editor, typed: Mapping[str, str]) -> Read:
    """The plan that was typed; fields that are not there are taken as they stand."""
    given = filled(shown) | {name: typed[name].strip() for name in filled(shown) if name in typed}
    problems: dict[str, Problem] = {}
    facts = _facts(shown, given, problems)
    floor = facts.get("spo2_floor")
    shown = replace(shown, rooms=rooms(shown.book.rules, shown.book.table, floor))
    limits = _limits(shown, given, problems) | _slots(shown, given, problems)
    if given["outside"] not in tuple(Outside):
        problems["outside"] = Problem(text=_CHOOSE)
    texts = {zone: given[f"text.{zone}"] for zone in ZONES_WITH_TEXT}
    for zone, text in texts.items():
        if len(text) > TEXT_MAX:
            problems[f"text.{zone}"] = Problem(text=_TOO_LONG, values={"most": TEXT_MAX})
        elif not text and any(texts.values()):
            problems[f"text.{zone}"] = Problem(text=_EMPTY)
    plan = None if problems else _made(shown, limits, problems)
    if plan is not None:
        plan = replace(plan, facts=replace(plan.facts, **facts), outside=Outside(given["outside"]))
    return Read(plan=plan, texts=texts, problems=problems)


def _made(shown: Editor, limits: Mapping[str, Mapping[str, Any]], problems: dict[str, Problem]) -> Plan | None:
    try:
        plan = candidate(shown.plan, None, limits)
    except KeyProblem as problem:
        rule = problem.key.split(".")[1] if "." in problem.key else ""
        concerned = [limit_field(room) for room in shown.rooms if room.rule == rule] or [f"slots.{rule}"]
        problems[concerned[-1]] = Problem(text=_ORDER if concerned[-1].startswith("limit") else _SLOTS)
        return None
    own = (name for name, rule in plan.table.items() if plain(rule) != plain(shown.book.table[name]))
    return replace(plan, individual=tuple(sorted(own)))


def _limits(shown: Editor, given: Mapping[str, str], problems: dict[str, Problem]) -> dict[str, dict[str, Any]]:
    changed: dict[str, dict[str, Any]] = {}
    for room in shown.rooms:
        name = limit_field(room)
        written = shown.table(room.rule)["bands"]
        if given[name] == _text(written[room.place]["limit"]):
            continue  # what stands there was agreed on, whatever the bounds are today
        value = _number(given[name], room.metric, name, problems)
        if value is None:
            continue
        if not room.holds(value):
            bounds = {"lowest": room.lowest, "highest": room.highest}
            problems[name] = Problem(text=_OUT_OF_ROOM, values=bounds, metric=room.metric)
            continue
        bands = changed.setdefault(room.rule, {"bands": [dict(band) for band in written]})["bands"]
        bands[room.place]["limit"] = value
    return changed


def _slots(shown: Editor, given: Mapping[str, str], problems: dict[str, Problem]) -> dict[str, dict[str, Any]]:
    changed: dict[str, dict[str, Any]] = {}
    for rule in shown.schedules:
        name = f"slots.{rule}"
        slots = [each.strip() for each in given[name].split(",") if each.strip()]
        if slots == list(shown.table(rule)["slots"]):
            continue
        if 1 <= len(slots) <= _SLOTS_MAX and all(_is_span(each) for each in slots):
            changed[rule] = {"slots": slots}
        else:
            problems[name] = Problem(text=_SLOTS)
    return changed


def _is_span(text: str) -> bool:
    try:
        wall_span(text, "")
    except KeyProblem:
        return False
    return True


def _facts(shown: Editor, given: Mapping[str, str], problems: dict[str, Problem]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    baseline = dict(shown.plan.facts.baseline)
    for metric in shown.baselines:
        name = f"baseline.{metric}"
        baseline.pop(metric, None)
        if given[name] and (value := _number(given[name], metric, name, problems)) is not None:
            baseline[metric] = value
    facts["baseline"] = baseline
    if not shown.has_saturation:
        return facts
    facts["spo2_floor"] = _number(given["spo2_floor"], "spo2", "spo2_floor", problems) if given["spo2_floor"] else None
    scales, oxygen = {"": None, "1": 1, "2": 2}, {"": None, "yes": True, "no": False}
    for name, known in (("spo2_scale", scales), ("on_oxygen", oxygen)):
        if given[name] not in known:
            problems[name] = Problem(text=_CHOOSE)
        facts[name] = known.get(given[name])
    return facts


def _number(typed: str, metric: str, name: str, problems: dict[str, Problem]) -> Decimal | None:
    if not _NUMBER.fullmatch(typed):
        problems[name] = Problem(text=_NO_NUMBER)
        return None
    value = Decimal(typed.replace(",", "."))
    if value != METRICS[metric].rounded(value):
        problems[name] = Problem(text=_TOO_FINE)
        return None
    if not METRICS[metric].is_plausible(value):
        problems[name] = Problem(text=_UNBELIEVABLE)
        return None
    return value


def _counted_from(rule: AnyRule) -> Iterator[str]:
    if isinstance(rule, Trend) and rule.method is Method.MACD_CUSUM:
        yield rule.metric
    if isinstance(rule, Threshold) and (rule.relative or rule.with_baseline):
        yield from rule.metrics


def _text(value: object) -> str:
    """A number as it is shown in a field: with a comma, and no zeros that say nothing."""
    if value is None:
        return ""
    number = Decimal(str(value))
    shown = number.to_integral_value() if number == number.to_integral_value() else number.normalize()
    return f"{shown:f}".replace(".", ",")
