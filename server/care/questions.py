"""What a patient is asked about symptoms, by rulebook: the answers become the metrics that the rules judge.

Only what a rule of the plan hears is asked: an answer that nobody judges would look like somebody listened. The
questions of covid19 and copd are the rulebooks' own words for a serious symptom; all others are an assumption of this
project, to be signed off by the municipality together with the rulebook.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from alerts.plan import Plan

RED, YELLOW = "symptom_red", "symptom_yellow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, answered by yes or no; `metric`: what a yes raises."""

    key: str
    metric: str


_RED_ALWAYS = ("breathless_at_rest", "chest_pain", "confused")
_RED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "covid19": ("cannot_finish_sentence", "blue_lips", "chest_pain", "confused"),
        "copd": ("cannot_finish_sentence", "blue_lips", "chest_pain", "confused"),
        "heart_failure": ("breathless_at_rest", "chest_pain", "fainted"),
        "hypertension": ("chest_pain", "paralysis_or_speech", "severe_headache"),
        "diabetes": ("very_drowsy", "vomiting", "confused"),
        "cancer": ("shivering", "bleeding", "vomiting", "breathless_at_rest"),
        "palliative": ("pain_not_helped", "breathless_at_rest"),
    }
)
_YELLOW_ALWAYS = ("worse_than_yesterday",)
_YELLOW: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "heart_failure": ("swollen_legs", "more_breathless", "more_pillows"),
        "copd": ("more_breathless", "more_phlegm"),
        "palliative": ("more_pain", "nausea", "anxious"),
    }
)


def questions(plan: Plan | None) -> tuple[Question, ...]:
    """What to ask under this plan, the serious ones first; empty where no rule hears an answer."""
    if plan is None:
        return ()
    asked = (
        (RED, _RED.get(plan.rulebook, _RED_ALWAYS)),
        (YELLOW, _YELLOW.get(plan.rulebook, _YELLOW_ALWAYS)),
    )
    return tuple(Question(key=key, metric=metric) for metric, keys in asked if metric in plan.listeners for key in keys)


def values(asked: tuple[Question, ...], answers: Mapping[str, bool]) -> dict[str, Decimal]:
    """The metrics that complete answers come to: 1 where any of its questions was answered by yes."""
    found: dict[str, Decimal] = {}
    for each in asked:
        found[each.metric] = max(found.get(each.metric, Decimal(0)), Decimal(int(answers[each.key])))
    return found
