"""The score question: is the NEWS2 sum of the newest values high, or one of them a 3 by itself?

Nothing that is missing is taken for normal. The sum of what is known raises; what the missing could add on top (and
a 3 of theirs) says how far a score that was high may be believed to have fallen.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from alerts import news2, spell
from alerts.asked import Asked
from alerts.finding import text_of
from alerts.history import Part, ScoreState
from alerts.plan import PatientFacts
from alerts.priority import Priority
from alerts.rules import SCORED, Score

WITHIN = timedelta(minutes=30)  # values that belong to one set
LEAST = 5  # known parameters of the seven
ADULT = 16  # years; the chart is not made for children
_COLUMNS = {
    "respiration": news2.RESPIRATION,
    "systolic": news2.SYSTOLIC,
    "pulse": news2.PULSE,
    "consciousness": news2.CONSCIOUSNESS,
    "temperature": news2.TEMPERATURE,
}
FLOW = "oxygen_flow"


class Points(NamedTuple):
    """A score as far as it is known: points by parameter, and what the missing could make of it."""

    known: Mapping[str, int]
    upper: int  # the sum at most
    upper_single: bool  # whether a 3 is among the points at most
    missing: tuple[str, ...]

    @property
    def sum(self) -> int:
        """Of what is known."""
        return sum(self.known.values())

    @property
    def singles(self) -> tuple[str, ...]:
        """The parameters known to give 3 by themselves."""
        return tuple([name for name, points in self.known.items() if points == news2.MOST])


def start(rule: Score) -> ScoreState:
    """The state before any reading."""
    return ScoreState(spell=spell.start(rule.levels))


def is_computed(rule: Score, facts: PatientFacts) -> bool:
    """Whether the score means anything for this patient."""
    if facts.pregnant or (facts.age is not None and facts.age < ADULT):
        return False
    return facts.spo2_scale is not None or not rule.needs_scale


def judge(rule: Score, state: ScoreState, asked: Asked) -> ScoreState:
    """The state after a reading, in event order. Poor values never enter."""
    reading, late_at, facts = asked.seen.reading, asked.late_at, asked.plan.facts
    new = {
        metric: Part(value=value.number, taken_at=reading.taken_at, reading_id=reading.reading_id, late_at=late_at)
        for metric, value in asked.seen.values.items()
        if value.good and metric in SCORED
    }
    if not new or not is_computed(rule, facts):
        return state
    oldest = reading.taken_at - WITHIN
    parts = {name: part for name, part in state.parts.items() if part.taken_at >= oldest} | new
    points = count({name: part.value for name, part in parts.items()}, facts)
    if points is None:
        return ScoreState(spell=spell.unknown(state.spell), parts=parts)
    reached = _level(rule, points.sum, bool(points.singles))
    if reached is None and state.spell.began_at is None and state.spell.known:
        return ScoreState(spell=state.spell, parts=parts)
    at_most = _level(rule, points.upper, points.upper_single)
    sample = asked.sample((Decimal(points.sum),), None if reached is None else _told(points, parts, facts))
    answer = spell.Answer(
        beyond=tuple([reached is not None and level <= reached for level in rule.levels]),
        back=tuple([at_most is None or level > at_most for level in rule.levels]),
        sample=sample,
        late=spell.came_late(sample, [part.late_at for part in parts.values()]),
    )
    return ScoreState(spell=spell.follow(state.spell, rule.levels, answer, asked.fresh), parts=parts)


def charts(state: ScoreState, facts: PatientFacts) -> Mapping[str, tuple[news2.Column, ...]]:
    """Parameter -> the columns of the chart that may give its points next; without the oxygen itself."""
    found = {name: (column,) for name, column in _COLUMNS.items()}
    if facts.spo2_scale != 2:
        return found | {"spo2": (news2.SPO2_SCALE_1,)}
    on_air, with_oxygen = news2.SPO2_SCALE_2_ON_AIR, news2.SPO2_SCALE_2_ON_OXYGEN
    if FLOW in state.parts:
        return found | {"spo2": (on_air, with_oxygen)}
    return found | {"spo2": (with_oxygen if facts.on_oxygen else on_air,)}


def may_be_on_oxygen(state: ScoreState, facts: PatientFacts) -> bool:
    """Whether the points of oxygen may be among the next ones."""
    return bool(facts.on_oxygen) or (FLOW in state.parts and state.parts[FLOW].value > 0)


def count(values: Mapping[str, Decimal], facts: PatientFacts) -> Points | None:
    """The score of values that belong together, by metric; None with fewer than five of the seven parameters."""
    known = {name: column.score(values[name]) for name, column in _COLUMNS.items() if name in values}
    missing = [name for name in _COLUMNS if name not in values]
    on_oxygen = values[FLOW] > 0 if FLOW in values else facts.on_oxygen
    more, may_be_single = len(missing) * news2.MOST, bool(missing)
    if "spo2" in values:
        least, most = _spo2(values["spo2"], facts.spo2_scale, on_oxygen)
        known["spo2"] = least
        more += most - least
        may_be_single = may_be_single or most == news2.MOST
    else:
        missing.append("spo2")
        more, may_be_single = more + news2.MOST, True
    if on_oxygen is None:
        missing.append("oxygen")
        more += news2.ON_OXYGEN
    else:
        known["oxygen"] = news2.ON_OXYGEN if on_oxygen else 0
    if len(known) < LEAST:
        return None
    points = known.values()
    return Points(
        known=known,
        upper=sum(points) + more,
        upper_single=may_be_single or news2.MOST in points,
        missing=tuple(sorted(missing)),
    )


def _spo2(value: Decimal, scale: int | None, on_oxygen: bool | None) -> tuple[int, int]:
    """The least and the most points of a saturation; they differ only on scale 2 with nothing known of oxygen."""
    if scale != 2:
        points = news2.SPO2_SCALE_1.score(value)
        return points, points
    on_air = news2.SPO2_SCALE_2_ON_AIR.score(value)
    with_oxygen = news2.SPO2_SCALE_2_ON_OXYGEN.score(value)
    return with_oxygen if on_oxygen else on_air, on_air if on_oxygen is False else with_oxygen


def _level(rule: Score, total: int, single: bool) -> Priority | None:
    """How urgent a sum is, with or without a single 3 in it; None: not at all."""
    reached = [band.priority for band in rule.bands if total >= band.sum]
    if single and rule.single is not None:
        reached.append(rule.single)
    return max(reached, default=None)


def _told(points: Points, parts: Mapping[str, Part], facts: PatientFacts) -> dict[str, Any]:
    """The score for those who ask why: every parameter with its value, its points and where it comes from."""
    told: dict[str, Any] = {}
    for name, scored in points.known.items():
        part = parts.get(FLOW if name == "oxygen" else name)
        if part is None:
            told[name] = {"value": "yes" if facts.on_oxygen else "no", "points": scored, "from": "plan"}
        else:
            moment = part.taken_at.isoformat()
            told[name] = {
                "value": text_of(part.value),
                "points": scored,
                "reading_id": part.reading_id,
                "taken_at": moment,
            }
    return {
        "sum": points.sum,
        "upper": points.upper,
        "scale": 2 if facts.spo2_scale == 2 else 1,
        "single": list(points.singles),
        "parts": told,
        "partial": bool(points.missing),
        "missing": list(points.missing),
    }
