"""From the tables of a rulebook to rules, strictly: an unknown key or a wrong type is refused by its name."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from alerts import counting_table
from alerts.at_once import with_defaults
from alerts.keys import Keys, exact, wall_minutes, wall_span, weekdays
from alerts.priority import Priority
from alerts.rules import (
    CONFIRM_DEFAULT,
    AnyRule,
    Band,
    BaselineNeed,
    Compound,
    Missing,
    OwnLimit,
    Side,
    Slot,
    Threshold,
)
from vitals.metrics import METRICS

# How far a value must come back before it counts as back, where a rule does not say (the rulebooks' common page).
DEADBANDS: Mapping[str, Decimal] = {
    "spo2": Decimal(2),
    "pulse": Decimal(5),
    "systolic": Decimal(10),
    "diastolic": Decimal(5),
    "temperature": Decimal("0.3"),
    "respiration": Decimal(2),
    "glucose": Decimal("0.5"),
    "cat": Decimal(2),
    "symptom_red": Decimal(1),
    "symptom_yellow": Decimal(1),
}
_ASKED_AGAIN = ("spo2", "pulse", "systolic", "diastolic")  # their high and critical bands confirm unless told otherwise


def read_rules(table: Keys, individual: frozenset[str] = frozenset(), *, floored: bool = False) -> dict[str, AnyRule]:
    """Every enabled rule of a table of rules, by name and in the order of names; raises `KeyProblem`.

    `individual`: the rules with numbers of the patient's own; `floored`: a floor of spo2 is prescribed.
    """
    rules: dict[str, AnyRule] = {}
    for name in sorted(table.names()):
        keys = table.table(name)
        rule = _read_rule(name, keys, name in individual)
        if isinstance(rule, Threshold):
            rule = _with_defaults(replace(rule, floored=floored))
        if rule is not None:
            rules[name] = rule
    return {name: _linked(rule, rules, table) if isinstance(rule, Compound) else rule for name, rule in rules.items()}


def _linked(rule: Compound, rules: Mapping[str, AnyRule], table: Keys) -> Compound:
    """The compound rule with the metrics of the rules it names; those that are switched off add none."""
    metrics: set[str] = set()
    for name in rule.any_of:
        named = rules.get(name)
        if not table.has(name) or isinstance(named, Missing | Compound):
            raise table.table(rule.name).problem("any_of", f"{name!r} is no rule whose condition can be asked for")
        metrics.update(() if named is None else named.listens_to)
    return replace(rule, metrics=tuple(sorted(metrics)))


def _read_rule(name: str, keys: Keys, individual: bool) -> AnyRule | None:
    kind = keys.choice("kind", tuple(_READERS))
    enabled = keys.flag("enabled", default=True)
    common: dict[str, Any] = {
        "name": name,
        "individual": individual,
        "needs_outcome": keys.flag("needs_outcome") if keys.has("needs_outcome") else None,
        "rearm_after": keys.optional_duration("rearm_after"),
    }
    rule = _READERS[kind](keys, common)
    keys.finish()
    return rule if enabled else None


def _threshold(keys: Keys, common: Mapping[str, Any]) -> Threshold:
    metrics = _metrics(keys)
    side = Side(keys.choice("side", ("below", "above")))
    relative = keys.choice("relative_to", ("baseline",), "baseline") == "baseline" and keys.has("relative_to")
    bands = _with_symptom(keys, tuple(_band(each, metrics) for each in keys.tables("bands")))
    if not bands:
        raise keys.problem("bands", "at least one is needed")
    bands = tuple(sorted(bands, key=lambda band: (band.priority, *_outward(band.limits, side))))
    _check_nearness(keys, bands, side)
    symptoms = all(metric.startswith("symptom") for metric in metrics)
    return Threshold(
        **common,
        metrics=metrics,
        side=side,
        relative=relative,
        bands=bands,
        deadband=_deadband(keys, metrics),
        clear_readings=keys.whole("clear_readings", 1 if symptoms else 2, least=1),
        max_age=keys.optional_duration("max_age"),
        baseline=BaselineNeed(
            readings=keys.whole("baseline_readings", 7, least=1), days=keys.whole("baseline_days", 5, least=1)
        ),
        with_baseline=_stands_elsewhere(keys, bands, metrics, side),
        symptom=next((band.symptom for band in bands if band.symptom is not None), None),
    )


def _with_symptom(keys: Keys, bands: tuple[Band, ...]) -> tuple[Band, ...]:
    """The bands with the rule's own confirming symptom, where they wait and name none."""
    if not keys.has("symptom"):
        return bands
    symptom = _symptom(keys)
    return tuple(
        replace(band, symptom=symptom) if band.confirm is not None and band.symptom is None else band for band in bands
    )


def _symptom(keys: Keys) -> str:
    symptom = keys.text("symptom")
    if symptom not in METRICS:
        raise keys.problem("symptom", f"unknown metric {symptom!r}")
    return symptom


def _with_defaults(rule: Threshold) -> Threshold:
    return replace(rule, bands=tuple(with_defaults(band, rule) for band in rule.bands))


def _stands_elsewhere(keys: Keys, bands: tuple[Band, ...], metrics: tuple[str, ...], side: Side) -> bool:
    if all(band.own is None for band in bands):
        return False
    if len(metrics) > 1 or side is Side.ABOVE or keys.has("relative_to"):
        raise keys.problem("bands", "own limits are for one metric, below, and not relative")
    return True


def _band(keys: Keys, metrics: tuple[str, ...]) -> Band:
    priority = Priority.of(keys.choice("priority", tuple(each.word for each in Priority)))
    asked = priority >= Priority.HIGH and any(metric in _ASKED_AGAIN for metric in metrics)
    band = Band(
        limits=_per_metric(keys, "limit", metrics),
        priority=priority,
        confirm=_confirm(keys, CONFIRM_DEFAULT if asked else None),
        symptom=_confirming(keys),
        unless=_per_metric(keys, "unless", metrics) if keys.has("unless") else (),
        readings=keys.whole("readings", 1, least=1),
        apart=keys.optional_duration("apart"),
        most=keys.optional_duration("most"),
        silence=keys.optional_duration("silence"),
        ask_again=keys.optional_duration("ask_again"),
        own=_own(keys.table("own")) if keys.has("own") else None,
    )
    for name in ("apart", "most", "silence"):
        if keys.has(name) and not band.is_run:
            raise keys.problem(name, "needs readings = 2 or more")
    if band.apart is not None and band.most is not None and band.apart > band.most:
        raise keys.problem("apart", "is longer than most")
    keys.finish()
    return band


def _confirm(keys: Keys, default: timedelta | None) -> timedelta | None:
    if not keys.has("confirm"):
        return default
    if keys.raw("confirm") is False:
        return None
    inner = keys.table("confirm")
    within = inner.duration("within")
    inner.text("symptom", "")
    inner.finish()
    return within


def _confirming(keys: Keys) -> str | None:
    """The symptom whose answer confirms, where the band names one."""
    if not keys.has("confirm") or keys.raw("confirm") is False or not keys.table("confirm").has("symptom"):
        return None
    return _symptom(keys.table("confirm"))


def _own(keys: Keys) -> OwnLimit:
    own = OwnLimit(
        offset=keys.number("offset"),
        at_floor=keys.flag("at_floor", default=False),
        at_most=keys.number("at_most") if keys.has("at_most") else None,
        confirm=_confirm(keys, None),
    )
    keys.finish()
    return own


def _per_metric(keys: Keys, name: str, metrics: tuple[str, ...]) -> tuple[Decimal | None, ...]:
    """A number for the only metric, or a table of metric and number."""
    value = keys.raw(name)
    if not isinstance(value, Mapping):
        if len(metrics) > 1:
            raise keys.problem(name, f"must be a table with a number for each of {', '.join(metrics)}")
        return (exact(value, keys.path(name)),)
    for each in value:
        if each not in metrics:
            raise keys.problem(f"{name}.{each}", "is not a metric of this rule")
    if not value:
        raise keys.problem(name, "names no metric")
    return tuple(exact(value[each], keys.path(f"{name}.{each}")) if each in value else None for each in metrics)


def _metrics(keys: Keys) -> tuple[str, ...]:
    if keys.has("metric") == keys.has("metrics"):
        raise keys.problem("metric", "either metric or metrics is needed")
    names = keys.texts("metrics") if keys.has("metrics") else (keys.text("metric"),)
    for name in names:
        if name not in METRICS:
            raise keys.problem("metrics" if keys.has("metrics") else "metric", f"unknown metric {name!r}")
    if not names or len(set(names)) != len(names):
        raise keys.problem("metrics", "must be different metrics")
    return names


def _deadband(keys: Keys, metrics: tuple[str, ...]) -> tuple[Decimal, ...]:
    given: tuple[Decimal | None, ...] = (None,) * len(metrics)
    if keys.has("deadband") and isinstance(keys.raw("deadband"), Mapping):
        given = _per_metric(keys, "deadband", metrics)
    elif keys.has("deadband"):
        given = (keys.number("deadband"),) * len(metrics)
    deadband = tuple(
        DEADBANDS.get(metric, Decimal(0)) if own is None else own for metric, own in zip(metrics, given, strict=True)
    )
    if any(each < 0 for each in deadband):
        raise keys.problem("deadband", "must not be negative")
    return deadband


def _outward(limits: tuple[Decimal | None, ...], side: Side) -> tuple[Decimal, ...]:
    """The limits so turned that a larger number lies further from normal."""
    return tuple(Decimal(0) if each is None else each if side is Side.ABOVE else -each for each in limits)


def _check_nearness(keys: Keys, bands: tuple[Band, ...], side: Side) -> None:
    """A milder band lies nearer to normal; two may share a limit only where one of them asks for a run."""
    for mild, severe in pairwise(bands):
        may_meet = mild.is_run != severe.is_run
        for near, far in zip(mild.limits, severe.limits, strict=True):
            if near is None or far is None:
                continue
            distance = far - near if side is Side.ABOVE else near - far
            if distance < 0 or (distance == 0 and not may_meet):
                raise keys.problem("bands", f"limit {near} ({mild.priority}) must be nearer to normal than {far}")


def _missing(keys: Keys, common: Mapping[str, Any]) -> Missing:
    metric = keys.text("metric")
    if metric not in METRICS:
        raise keys.problem("metric", f"unknown metric {metric!r}")
    weekly = keys.has("every")
    if weekly and keys.text("every") != "7d":
        raise keys.problem("every", "only 7d is known: once from Monday to Sunday")
    if weekly and keys.has("slots") and keys.raw("slots"):
        raise keys.problem("every", "either slots or every, not both")
    slots = () if weekly and not keys.has("slots") else _slots(keys)
    worse = keys.has("worse_after")
    words = tuple(each.word for each in Priority)
    return Missing(
        **common,
        metric=metric,
        slots=slots,
        weekly=weekly,
        days=_days(keys),
        grace=keys.duration("grace", timedelta(0)),
        remind_at=tuple(wall_minutes(each, keys.path("remind_at")) for each in keys.texts("remind_at", ())),
        priority=Priority.of(keys.choice("priority", words, "low")),
        worse_after=keys.whole("worse_after", least=1) if worse else None,
        worse_priority=Priority.of(keys.choice("worse_priority", words, "medium")),
    )


def _slots(keys: Keys) -> tuple[Slot, ...]:
    spans = sorted(wall_span(each, keys.path("slots")) for each in keys.texts("slots", ()))
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise keys.problem("slots", "must not overlap")
    return tuple(Slot(start=start, end=end) for start, end in spans)


def _days(keys: Keys) -> tuple[int, ...]:
    if not keys.has("days"):
        return tuple(range(7))
    return weekdays(",".join(keys.texts("days")), keys.path("days"))


_READERS: Mapping[str, Callable[[Keys, Mapping[str, Any]], AnyRule]] = {
    "threshold": _threshold,
    "missing": _missing,
    "score": counting_table.score,
    "trend": counting_table.trend,
    "mean": counting_table.mean,
    "compound": counting_table.compound,
}
