"""What a notice says: how urgent, and under which number more is known. Never who, never what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT = "nb"
_NEW: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "critical": "Nytt kritisk varsel, sak {case}",
        "high": "Nytt rødt varsel, sak {case}",
        "medium": "Gult varsel venter, sak {case}",
        "low": "Varsel venter, sak {case}",
        "owner": "Et varsel du har tatt, venter på deg, sak {case}",
        "again": "Ikke besvart: {text}",
        "patient": "Du har en ny beskjed fra oppfølgingstjenesten.",
        "messages": "Meldinger hjemmefra venter på å bli lest",
    },
    "nn": {
        "critical": "Nytt kritisk varsel, sak {case}",
        "high": "Nytt raudt varsel, sak {case}",
        "medium": "Gult varsel ventar, sak {case}",
        "low": "Varsel ventar, sak {case}",
        "owner": "Eit varsel du har teke, ventar på deg, sak {case}",
        "again": "Ikkje svara på: {text}",
        "patient": "Du har ei ny melding frå oppfølgingstenesta.",
        "messages": "Meldingar heimanfrå ventar på å bli lesne",
    },
    "en": {
        "critical": "New critical alert, case {case}",
        "high": "New red alert, case {case}",
        "medium": "A yellow alert waits, case {case}",
        "low": "An alert waits, case {case}",
        "owner": "An alert that you took waits for you, case {case}",
        "again": "Not answered: {text}",
        "patient": "You have a new message from your follow-up service.",
        "messages": "Messages from home wait to be read",
    },
}
# Where a newer notice replaces those before it, it speaks for all of them.
_SEVERAL: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "critical": "{count} kritiske varsler venter på svar",
        "high": "{count} røde varsler venter på svar",
        "medium": "{count} gule varsler venter",
        "low": "{count} varsler venter",
    },
    "nn": {
        "critical": "{count} kritiske varsel ventar på svar",
        "high": "{count} raude varsel ventar på svar",
        "medium": "{count} gule varsel ventar",
        "low": "{count} varsel ventar",
    },
    "en": {
        "critical": "{count} critical alerts wait for an answer",
        "high": "{count} red alerts wait for an answer",
        "medium": "{count} yellow alerts wait",
        "low": "{count} alerts wait",
    },
}
_TRIAL: Mapping[str, str] = {
    "nb": "En prøve: slik ser et varsel ut her",
    "nn": "Ei prøve: slik ser eit varsel ut her",
    "en": "A trial: this is how a notice looks here",
}
LANGUAGES = tuple(_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What there is to say. `to`: a role of the ladder, or owner, patient or messages.

    `again`: somebody was told of this case before, and nobody answered. `waiting`: with this one, how many cases as
    urgent the recipient was told of that wait for an answer.
    """

    to: str
    priority: str | None
    case: int
    again: bool = False
    waiting: int = 1


def text(language: str, subject: Subject) -> str:
    """One line about this notice alone."""
    words, to = _NEW[language], subject.to
    if to in ("patient", "messages"):
        return words[to]
    said = words["owner" if to == "owner" else subject.priority or "low"].format(case=subject.case)
    return words["again"].format(text=said[0].lower() + said[1:]) if subject.again and to != "owner" else said


def text_for_all(language: str, subject: Subject) -> str:
    """One line for everything of its kind that waits."""
    if subject.waiting < 2 or subject.to in ("patient", "messages", "owner"):
        return text(language, subject)
    return _SEVERAL[language][subject.priority or "low"].format(count=subject.waiting)


def trial(language: str) -> str:
    """What is said to try whether a notice arrives."""
    return _TRIAL[language]
