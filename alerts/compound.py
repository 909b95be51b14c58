"""The compound question: does the patient feel it today, while one of the named rules' conditions is present?

Without an answer on the reading's own local day it is unknown: silence about symptoms is not a no.
"""

from decimal import Decimal

from alerts import spell
from alerts.asked import Asked
from alerts.history import CompoundState, spell_of
from alerts.rules import Compound

_YES = Decimal(1)


def start(rule: Compound) -> CompoundState:
    """The state before any reading."""
    return CompoundState(spell=spell.start(rule.levels))


def judge(rule: Compound, state: CompoundState, asked: Asked) -> CompoundState:
    """The state after a reading that every named rule has judged already, in event order."""
    values = [asked.seen.values.get(metric) for metric in rule.listens_to]
    if not any(value is not None and value.good for value in values):
        return state
    symptom, now = state, asked.number(rule.symptom)
    if now is not None:
        symptom = CompoundState(spell=state.spell, answer=now, answered_on=asked.day, late_at=asked.late_at)
    if symptom.answer is None or symptom.answered_on != asked.day:
        return CompoundState(spell=spell.unknown(state.spell))
    present = [name for name in rule.any_of if _is_present(asked, name)]
    is_met = symptom.answer == _YES and bool(present)
    sample = asked.sample((symptom.answer,), {"present": present, "symptom": rule.symptom} if is_met else None)
    answer = spell.Answer(
        beyond=(is_met,), back=(not is_met,), sample=sample, late=spell.came_late(sample, [symptom.late_at])
    )
    return CompoundState(
        spell=spell.follow(state.spell, rule.levels, answer, asked.fresh),
        answer=symptom.answer,
        answered_on=symptom.answered_on,
        late_at=symptom.late_at,
    )


def _is_present(asked: Asked, name: str) -> bool:
    known = spell_of(asked.states.get(name))
    return known is not None and known.began_at is not None
